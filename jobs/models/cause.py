"""One cause of failures over files, jobs and graphs, with the team's note on it."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from jobs.models.audit_triggers import Audited, plain
from jobs.models.project import Project
from jobs.models.roles import Viewer


class CauseQuerySet(models.QuerySet["Cause"]):
    """Causes by who may see them."""

    def visible_to(self, user: Viewer) -> "CauseQuerySet":
        """The causes of the projects this user may see."""
        return self.filter(project__in=Project.objects.visible_to(user))


class Cause(models.Model):
    """A fingerprint of cause texts. Kept by project: a note may name what others must not see.

    Written by: `record.causes`, and `decisions.review` (note, note_by, note_at).
    """

    project = models.ForeignKey(
        Project, verbose_name=_("project"), on_delete=models.PROTECT, related_name="causes"
    )
    fingerprint = models.CharField(_("fingerprint"), max_length=64)
    pattern = models.TextField(_("pattern"))
    example = models.TextField(_("example"))
    first_seen_at = models.DateTimeField(_("first seen at"))
    last_seen_at = models.DateTimeField(_("last seen at"))
    note = models.TextField(_("note"), blank=True)
    note_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("note by"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    note_at = models.DateTimeField(_("note at"), null=True, blank=True)

    objects = CauseQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("failure reason"), _("failure reasons")
        constraints = [
            models.UniqueConstraint(
                fields=["project", "fingerprint"], name="one_cause_a_fingerprint"
            ),
            models.CheckConstraint(
                condition=Q(last_seen_at__gte=models.F("first_seen_at")), name="cause_in_order"
            ),
        ]
        triggers = Audited(
            what="note",
            values=plain("note"),
            name="left({row}.pattern, 300)",
            notes_rows=False,
            project="{row}.project_id",
            actor="{row}.note_by_id",
            reason="{row}.note",
        ).triggers()

    def __str__(self) -> str:
        return self.pattern
