"""Responses of GES as they came, and the polls that brought no usable one."""

import pgtrigger
from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from jobs.ges.fields import MAX_ID
from jobs.models.job import Job


class Source(models.TextChoices):
    """How a response came here."""

    POLL = "poll", _("poll")
    PROXY = "proxy", _("proxy")
    LIST = "list", _("list")
    INGEST = "ingest", _("ingest")


class SnapshotQuerySet(models.QuerySet["Snapshot"]):
    """Responses, narrowed by conditions that are written once."""

    def replies_to(self, version: int) -> "SnapshotQuerySet":
        """Responses of the status endpoint of this API, the newest first.

        An item of a job list never stands in for one.
        """
        return (
            self.filter(version=version, http_status=200)
            .exclude(source=Source.LIST)
            .order_by("-last_seen_at", "-pk")
        )


#: Retention leaves a tombstone of the same key and link first; nothing else can delete a response.
_UNLESS_BURIED = """
    IF NOT EXISTS (SELECT 1 FROM jobs_tombstone t WHERE t.id = OLD.id AND t.job_id = OLD.job_id AND t.link = OLD.link) THEN
        RAISE EXCEPTION 'gesdash: Cannot delete rows from % table without a tombstone', TG_TABLE_NAME;
    END IF;
    RETURN OLD;
"""


class Snapshot(models.Model):
    """One distinct response, the bytes as received; equal neighbours are one row.

    Written by: `record.run_rows` (new rows; last_seen_at and seen), `record.repeats` (last_seen_at
    and seen, where a poll said nothing new) and `record.removal` (deletes).
    """

    job = models.ForeignKey(
        Job,
        verbose_name=_("job"),
        on_delete=models.PROTECT,
        related_name="snapshots",
        db_index=False,
    )
    source = models.CharField(_("source"), max_length=6, choices=Source)
    version = models.PositiveSmallIntegerField(
        _("version"),
        help_text=_(
            "1 or 2: the version of the API that was called, or whose keys the response has."
        ),
    )
    http_status = models.PositiveSmallIntegerField(_("HTTP status"))
    content_type = models.CharField(
        _("content type"),
        max_length=MAX_ID,
        blank=True,
        default="",
        db_default="",
        help_text=_("As received; empty if unknown."),
    )
    body = models.BinaryField(_("body"))
    sha256 = models.BinaryField("SHA-256", max_length=32)
    first_seen_at = models.DateTimeField(_("first seen at"))
    last_seen_at = models.DateTimeField(_("last seen at"))
    seen = models.PositiveIntegerField(_("times seen"), default=1)
    number = models.PositiveIntegerField(
        _("number"), help_text=_("Numbered from 1 within each job, in the order of recording.")
    )
    link = models.BinaryField(
        _("link"),
        max_length=32,
        help_text=_("Links it to the previously recorded response (`chain.forms`)."),
    )

    objects = SnapshotQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("response"), _("responses")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(last_seen_at__gte=F("first_seen_at")), name="snapshot_in_order"
            ),
            models.UniqueConstraint(
                fields=["job", "source", "first_seen_at", "sha256"], name="snapshot_once"
            ),
            models.UniqueConstraint(fields=["job", "number"], name="snapshot_in_chain"),
        ]
        # A job's replies, the newest first.
        indexes = [
            models.Index("job", F("first_seen_at").desc(), F("id").desc(), name="snapshot_of_job")
        ]
        triggers = [
            pgtrigger.Protect(
                name="snapshot_is_evidence",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(exclude=["last_seen_at", "seen"]),
            ),
            pgtrigger.Trigger(
                name="snapshot_is_kept",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                func=_UNLESS_BURIED,
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class Miss(models.Model):
    """Failed polls in a row of the same kind, with the newest body that came, if any did.

    Written by: `record.run_rows` and `record.removal` (deletes).
    """

    job = models.ForeignKey(
        Job, verbose_name=_("job"), on_delete=models.PROTECT, related_name="misses", db_index=False
    )
    source = models.CharField(_("source"), max_length=6, choices=Source)
    kind = models.CharField(_("type"), max_length=20)
    detail = models.TextField(_("detail"), blank=True)
    http_status = models.PositiveSmallIntegerField(_("HTTP status"), null=True)
    body = models.BinaryField(_("body"), null=True)
    first_seen_at = models.DateTimeField(_("first seen at"))
    last_seen_at = models.DateTimeField(_("last seen at"))
    seen = models.PositiveIntegerField(_("times seen"), default=1)

    class Meta:
        verbose_name, verbose_name_plural = _("failed poll"), _("failed polls")
        indexes = [
            models.Index("job", F("last_seen_at").desc(), name="miss_of_job"),
            # The gaps of a graph's last days.
            models.Index(F("last_seen_at").desc(), name="miss_newest"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(last_seen_at__gte=F("first_seen_at")), name="miss_in_order"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} x{self.seen}"
