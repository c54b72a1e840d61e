"""What proves that responses are as they came, and what is left of those that retention deleted."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from jobs.ges.fields import MAX_ID
from jobs.models.audit_triggers import Audited, of_job, plain
from jobs.models.job import Job
from jobs.models.project import Keeping, Project
from jobs.models.reply import Source
from jobs.models.roles import Viewer


def _never_changed(name: str) -> list[pgtrigger.Trigger]:
    """Refuse every change of rows that are only added."""
    return [
        pgtrigger.Protect(name=f"{name}_is_evidence", operation=pgtrigger.Update | pgtrigger.Delete)
    ]


class CheckpointQuerySet(models.QuerySet["Checkpoint"]):
    """Checkpoints by who may see them."""

    def visible_to(self, user: Viewer) -> "CheckpointQuerySet":
        """Those of the projects this user may see."""
        return self.filter(project__in=Project.objects.visible_to(user))


class Checkpoint(models.Model):
    """The heads of a project's chains at one time, as one hash, chained to the one before it.

    Source: `chain.forms`, for the form of the hash.

    Written by: `proof.seal`.
    """

    project = models.ForeignKey(
        Project,
        verbose_name=_("project"),
        on_delete=models.PROTECT,
        related_name="checkpoints",
        db_index=False,
    )
    number = models.PositiveIntegerField(_("number"))
    sealed_at = models.DateTimeField(_("created at"))
    up_to = models.BigIntegerField(
        _("covers up to"), help_text=_("The newest response stored at that time.")
    )
    jobs = models.PositiveIntegerField(_("jobs"))
    replies = models.PositiveBigIntegerField(_("responses"))
    root = models.BinaryField(_("root hash"), max_length=32)
    before = models.BinaryField(_("previous digest"), max_length=32)
    digest = models.BinaryField(_("digest"), max_length=32)

    objects = CheckpointQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("checkpoint"), _("checkpoints")
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="one_checkpoint_a_number")
        ]
        triggers = _never_changed("checkpoint")

    def __str__(self) -> str:
        return f"{self.project} {self.number}"


class Pruning(models.Model):
    """One batch of retention: its rule, its time and how much it deleted.

    Written by: `retention.prune`.
    """

    project = models.ForeignKey(
        Project, verbose_name=_("project"), on_delete=models.PROTECT, related_name="prunings"
    )
    made_at = models.DateTimeField(_("created at"))
    keeps = models.CharField(_("responses to keep"), max_length=7, choices=Keeping)
    keep_days = models.PositiveIntegerField(_("keep everything for (days)"))
    replies = models.PositiveIntegerField(_("responses"))
    misses = models.PositiveIntegerField(_("failed polls"))
    size = models.PositiveBigIntegerField(_("bytes"))

    class Meta:
        verbose_name, verbose_name_plural = _("retention run"), _("retention runs")
        triggers = _never_changed("pruning")

    def __str__(self) -> str:
        return f"{self.project} {self.made_at:%Y-%m-%d}"


class Tombstone(models.Model):
    """A deleted response without its body, under the same key, so that the job's chain still fits.

    Written by: `record.removal`, and `record.run_rows` for those that come with an export.
    """

    id = models.BigIntegerField(primary_key=True)
    job = models.ForeignKey(
        Job,
        verbose_name=_("job"),
        on_delete=models.PROTECT,
        related_name="tombstones",
        db_index=False,
    )
    number = models.PositiveIntegerField(_("number"))
    source = models.CharField(_("source"), max_length=6, choices=Source)
    version = models.PositiveSmallIntegerField(_("version"))
    http_status = models.PositiveSmallIntegerField(_("HTTP status"))
    content_type = models.CharField(_("content type"), max_length=MAX_ID, blank=True)
    sha256 = models.BinaryField("SHA-256", max_length=32)
    first_seen_at = models.DateTimeField(_("first seen at"))
    last_seen_at = models.DateTimeField(_("last seen at"))
    seen = models.PositiveIntegerField(_("times seen"))
    link = models.BinaryField(_("link"), max_length=32)
    size = models.PositiveIntegerField(_("bytes"))
    pruning = models.ForeignKey(
        Pruning,
        verbose_name=_("retention run"),
        on_delete=models.PROTECT,
        related_name="tombstones",
        null=True,
        db_index=False,
    )  # null: brought from another gesdash, which pruned it

    class Meta:
        verbose_name, verbose_name_plural = _("tombstone"), _("tombstones")
        constraints = [
            models.UniqueConstraint(fields=["job", "number"], name="one_tombstone_a_number")
        ]
        triggers = _never_changed("tombstone")

    def __str__(self) -> str:
        return f"#{self.pk}"


class Hold(models.Model):
    """A job whose responses are evidence somewhere: retention leaves it alone."""

    job = models.OneToOneField(
        Job, verbose_name=_("job"), on_delete=models.CASCADE, related_name="hold"
    )
    reason = models.TextField(_("reason"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    made_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name, verbose_name_plural = _("legal hold"), _("legal holds")
        triggers = Audited(
            what="hold",
            values=plain("reason"),
            name=of_job("job_id"),
            project=of_job("project_id"),
            job="{row}.job_id",
            graph=of_job("graph_id"),
            reason="{row}.reason",
        ).triggers()

    def __str__(self) -> str:
        return str(self.job)


class Verification(models.Model):
    """One run of the command `verify` over a project, or over one job of it, with the faults found.

    Written by: `management.commands.verify`.
    """

    project = models.ForeignKey(
        Project, verbose_name=_("project"), on_delete=models.CASCADE, related_name="verifications"
    )
    job_id = models.CharField(
        _("job ID"), max_length=MAX_ID, blank=True, help_text=_("Empty for the whole project.")
    )
    began_at = models.DateTimeField(_("start time"))
    ended_at = models.DateTimeField(_("end time"))
    jobs = models.PositiveIntegerField(_("jobs"))
    replies = models.PositiveBigIntegerField(_("responses"))
    tombstones = models.PositiveBigIntegerField(_("tombstones"))
    checkpoints = models.PositiveIntegerField(_("checkpoints"))
    faults = models.PositiveIntegerField(_("problems"))
    sentences = models.JSONField(
        _("problems found"), default=list, help_text=_("The first problems found.")
    )

    class Meta:
        verbose_name, verbose_name_plural = _("verification"), _("verifications")

    def __str__(self) -> str:
        return f"{self.project} {self.ended_at:%Y-%m-%d %H:%M}"
