"""Who did what: one log of everything that people change, and of their sessions and downloads."""

from typing import Any

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from jobs.models.graph import Graph
from jobs.models.job import Job
from jobs.models.project import Project
from jobs.models.roles import Viewer


class AuditAction(models.TextChoices):
    """The first four are written by triggers, the others by `audit.entries`."""

    MADE = "made", _("created")
    CHANGED = "changed", _("changed")
    UNDONE = "undone", _("undone")
    DELETED = "deleted", _("deleted")
    SIGNED_IN = "signed_in", _("signed in")
    SIGNED_OUT = "signed_out", _("signed out")
    SIGN_IN_FAILED = "sign_in_failed", _("sign-in failed")
    REFUSED = "refused", _("request rejected")
    EXPORTED = "exported", _("exported")
    DOWNLOADED = "downloaded", _("downloaded")
    USED = "used", _("first use of the day")


class AuditObject(models.TextChoices):
    """The kind of object it was done to."""

    CORRECTION = "correction", _("correction")
    REVIEW = "review", _("review")
    NOTE = "note", _("note on a failure reason")
    GRAPH = "graph", _("graph")
    WATCH = "watch", _("tracking")
    HOLD = "hold", _("legal hold")
    PROJECT = "project", _("project")
    MEMBERSHIP = "membership", _("membership")
    KEY = "key", _("access key")
    VIEW = "view", _("saved view")
    USER = "user", _("user")
    GROUP = "group", _("group")
    SESSION = "session", _("session")
    REPLY = "reply", _("response")
    EXPORT = "export", _("export")
    ADDRESS = "address", _("address")


#: Readable by every member of a project: these are about the jobs they see anyway.
OPEN_TO_MEMBERS = (
    AuditObject.CORRECTION,
    AuditObject.REVIEW,
    AuditObject.NOTE,
    AuditObject.GRAPH,
    AuditObject.WATCH,
    AuditObject.HOLD,
)


class AuditCoverage(models.Model):
    """Since when changes of one kind of object are in the audit log, where older objects exist.

    A migration writes its one row, of graphs: an `as_of` before that is not sure about them.
    """

    what = models.CharField(max_length=10, primary_key=True)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.what} since {self.since}"


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    """Entries by who may see them."""

    def visible_to(self, user: Viewer) -> "AuditEntryQuerySet":
        """An administrator sees all; auditors and owners all of their projects.

        Other members see what was done to jobs there.
        """
        visible = Project.objects.visible_ids(user)
        if visible is None:
            return self.all()
        audited = list(Project.objects.auditable_by(user).values_list("pk", flat=True))
        return self.filter(
            Q(project__in=audited) | Q(project__in=visible, what__in=OPEN_TO_MEMBERS)
        )


# A reference that may outlive its row.
_LOOSE: dict[str, Any] = {
    "on_delete": models.DO_NOTHING,
    "null": True,
    "db_constraint": False,
    "db_index": False,
    "related_name": "+",
}


class AuditEntry(models.Model):
    """One action. No entry needs its object: what was deleted is still shown, by the name it had.

    Written by: `audit.entries`, and the triggers of audited tables.
    """

    at = models.DateTimeField(_("time"))
    deed = models.CharField(_("action"), max_length=14, choices=AuditAction)
    what = models.CharField(_("object"), max_length=10, choices=AuditObject)
    object_id = models.BigIntegerField(_("object ID"), null=True)
    object_name = models.CharField(_("object name"), max_length=300, blank=True)
    project = models.ForeignKey(Project, verbose_name=_("project"), **_LOOSE)
    job = models.ForeignKey(Job, verbose_name=_("job"), **_LOOSE)
    graph = models.ForeignKey(Graph, verbose_name=_("graph"), **_LOOSE)
    before = models.JSONField(_("before"), null=True)
    after = models.JSONField(_("after"), null=True)
    reason = models.TextField(_("reason"), blank=True)
    actor_id = models.BigIntegerField(_("user ID"), null=True)
    actor = models.CharField(
        _("user"), max_length=150, blank=True, help_text=_("The user name at that time.")
    )
    request_id = models.CharField(_("request ID"), max_length=64, blank=True)
    address = models.CharField(
        _("address"), max_length=64, blank=True, help_text=_("Source address of the request.")
    )
    path = models.TextField(
        _("request path"), blank=True, help_text=_("The request method and path.")
    )

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("entry"), _("entries")
        # The log's order, whole and by what it is most often narrowed to.
        indexes = [
            models.Index(F("at").desc(), F("id").desc(), name="entry_newest"),
            models.Index("project", F("at").desc(), F("id").desc(), name="entry_of_project"),
            models.Index(
                "job",
                F("at").desc(),
                F("id").desc(),
                condition=Q(job__isnull=False),
                name="entry_of_job",
            ),
            models.Index(
                "graph",
                F("at").desc(),
                F("id").desc(),
                condition=Q(graph__isnull=False),
                name="entry_of_graph",
            ),
            models.Index("actor", F("at").desc(), F("id").desc(), name="entry_of_actor"),
            models.Index("what", F("at").desc(), F("id").desc(), name="entry_of_what"),
        ]
        triggers = [
            pgtrigger.Protect(name="entry_stays", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return (
            f"{self.actor} {self.get_deed_display()} {self.get_what_display()} {self.object_name}"
        )
