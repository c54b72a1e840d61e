"""Job and ImportFile: projections of the newest response and the corrections over it."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.postgres.indexes import GinIndex, HashIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from jobs.diagnosis.ledger import Ledger as L
from jobs.ges.fields import MAX_ID
from jobs.ges.words import FINAL
from jobs.ges.words import Verdict as V
from jobs.models.cause import Cause
from jobs.models.graph import Graph
from jobs.models.project import Project
from jobs.models.roles import Viewer

if TYPE_CHECKING:
    from jobs.models.correction import Correction


class VerdictChoices(models.TextChoices):
    """The words of `ges.words.Verdict`, with their labels."""

    PENDING = V.PENDING.value, _("Pending")
    RUNNING = V.RUNNING.value, _("Running")
    SUCCESS = V.SUCCESS.value, _("Success")
    PARTIAL = V.PARTIAL.value, _("Partial success")
    FAILED = V.FAILED.value, _("Failed")
    CANCELLED = V.CANCELLED.value, _("Cancelled")
    UNKNOWN = V.UNKNOWN.value, _("Unknown")


class LedgerChoices(models.TextChoices):
    """The words of `diagnosis.ledger.Ledger`, with their labels."""

    ADDS_UP = L.ADDS_UP.value, _("Balanced")
    DOES_NOT_ADD_UP = L.DOES_NOT_ADD_UP.value, _("Mismatch")
    CANNOT_TELL = L.CANNOT_TELL.value, _("Not verifiable")


class ReviewState(models.TextChoices):
    """The review of an import with failures; empty for every other job."""

    WAITING = "waiting", _("For review")
    TOLERATED = "tolerated", _("Within threshold")
    TO_FIX = "to_fix", _("To fix")
    ACCEPTED = "accepted", _("Accepted")
    FIXED = "fixed", _("Resolved")

    @classmethod
    def open(cls) -> list["ReviewState"]:
        """The states that still need a person: to decide, or to fix."""
        return [cls.WAITING, cls.TO_FIX]


#: Jobs with an end and no begin before it: GES gave none, or a later one.
ENDED_UNBEGUN = Q(end_time__isnull=False) & (Q(begin_time=None) | Q(begin_time__gt=F("end_time")))


#: Files with failed lines: `diagnosis.verdict.is_lost` as a condition.
LOST_FILE = Q(verdict__in=[V.PARTIAL.value, V.FAILED.value]) | (
    Q(failed_lines__gt=0) & ~Q(kind="schema")
)


class JobQuerySet(models.QuerySet["Job"]):
    """Jobs, narrowed by conditions that are written once."""

    def visible_to(self, user: Viewer) -> "JobQuerySet":
        """The jobs of the projects this user may see."""
        ids = Project.objects.visible_ids(user)
        return self.all() if ids is None else self.filter(project__in=ids)

    def counted(self) -> "JobQuerySet":
        """Without those that people keep out of the statistics, such as tests."""
        return self.filter(is_hidden=False)

    def unfinished(self) -> "JobQuerySet":
        """Without a final status."""
        return self.filter(verdict__in=sorted(set(V) - FINAL))

    def stale(self) -> "JobQuerySet":
        """Written by a version without `changed_at`: newer columns are still to be filled."""
        return self.filter(changed_at=None, observed_at__isnull=False)


class Job(models.Model):
    """One job: its newest state, GES's status, gesdash's verdict, times and totals.

    Written by: `record.lookup` (new rows), `record.projection` (whatever follows from responses and
    corrections), `record.repeats` (observed_at, where a response said nothing new),
    `record.review_state` (review, by a decision or a tolerance) and `record.graphs` (graph,
    is_hidden).
    Whichever changes what the row says dates it in changed_at.
    """

    # Both are found by the indexes below.
    project = models.ForeignKey(
        Project,
        verbose_name=_("project"),
        on_delete=models.PROTECT,
        related_name="jobs",
        db_index=False,
    )
    graph = models.ForeignKey(
        Graph,
        verbose_name=_("graph"),
        on_delete=models.PROTECT,
        related_name="jobs",
        db_index=False,
    )
    job_id = models.CharField(_("job ID"), max_length=MAX_ID)
    job_type = models.CharField(_("job type"), max_length=MAX_ID, blank=True)
    job_name = models.CharField(_("job name"), max_length=MAX_ID, blank=True)
    status = models.CharField(
        _("GES status"),
        max_length=MAX_ID,
        blank=True,
        help_text=_("The status exactly as returned by GES."),
    )
    verdict = models.CharField(
        _("status"), max_length=10, choices=VerdictChoices, default=VerdictChoices.PENDING
    )
    ledger = models.CharField(  # noqa: DJ001  null without data files
        _("count check"), max_length=16, choices=LedgerChoices, null=True
    )
    begin_time = models.DateTimeField(_("start time"), null=True)
    end_time = models.DateTimeField(_("end time"), null=True)
    fail_reason = models.TextField(_("failure reason"), blank=True)
    peculiarities = models.JSONField(
        _("peculiarities"),
        default=list,
        help_text=_("Sentences (ges.sentence) about what was unusual in the response."),
    )
    contradiction_count = models.PositiveIntegerField(
        _("inconsistent responses"),
        default=0,
        db_default=0,
        help_text=_(
            "How often responses of this job contradict an earlier one, by response "
            "and type; each is an inconsistent response."
        ),
    )
    lines = models.JSONField(
        _("lines"),
        default=dict,
        help_text=_("Line totals for edge, vertex and all; null when unknown."),
    )
    loss_rate = models.DecimalField(_("failure rate"), max_digits=5, decimal_places=4, null=True)
    # Numeric, since the sum of 64-bit counts may need more than 64 bits.
    total_lines = models.DecimalField(_("total lines"), max_digits=30, decimal_places=0, null=True)
    failed_lines = models.DecimalField(
        _("failed lines"), max_digits=30, decimal_places=0, null=True
    )
    successful_lines = models.DecimalField(
        _("loaded lines"), max_digits=30, decimal_places=0, null=True
    )
    observed = models.JSONField(
        _("GES value"),
        null=True,
        help_text=_(
            "Totals, status and count check according to GES values alone, where "
            "corrections changed them; otherwise null."
        ),
    )
    duration = models.GeneratedField(
        verbose_name=_("duration"),
        expression=models.F("end_time") - models.F("begin_time"),
        output_field=models.DurationField(),
        db_persist=True,
    )
    review = models.CharField(_("review"), max_length=9, choices=ReviewState, blank=True)
    is_hidden = models.BooleanField(
        _("excluded from statistics"),
        default=False,
        db_default=False,
        help_text=_("Shown in lists, but not counted in any statistics."),
    )
    changed_at = models.DateTimeField(
        _("changed at"), null=True, help_text=_("When the contents of this row last changed.")
    )
    file_count = models.PositiveIntegerField(_("file count"), default=0)
    lost_file_count = models.PositiveIntegerField(_("failed file count"), default=0)
    first_seen_at = models.DateTimeField(_("first seen at"))
    observed_at = models.DateTimeField(
        _("last updated"),
        null=True,
        help_text=_("When the newest response was last seen; null before the first response."),
    )
    snapshot_count = models.PositiveIntegerField(_("response count"), default=0)
    # The head of the chain of its replies (`chain.forms`). `rebuild` leaves it alone: it is no
    # projection, but evidence.
    chain_length = models.PositiveIntegerField(_("chain length"), default=0)
    chain_link = models.BinaryField(_("chain link"), max_length=32, null=True)

    objects = JobQuerySet.as_manager()

    # The corrections that are not undone, where a query has set them.
    standing: "list[Correction]"

    class Meta:
        verbose_name, verbose_name_plural = _("job"), _("jobs")
        constraints = [
            models.UniqueConstraint(fields=["project", "job_id"], name="one_job_an_id"),
            models.CheckConstraint(
                condition=Q(verdict__in=[v.value for v in V]), name="job_verdict_is_a_word"
            ),
            models.CheckConstraint(condition=~Q(job_id=""), name="job_id_not_empty"),
            models.CheckConstraint(
                condition=Q(review__in=["", *ReviewState.values]), name="job_review_is_a_word"
            ),
        ]
        indexes = [
            # The orders of the lists, read from either end; where values are equal the key decides.
            models.Index(
                F("begin_time").desc(nulls_first=True),
                F("id").desc(),
                include=["verdict"],
                name="job_by_begin",
            ),
            models.Index(F("end_time").desc(), F("id").desc(), name="job_by_end"),
            models.Index(F("duration").desc(), F("id").desc(), name="job_by_duration"),
            models.Index(F("failed_lines").desc(), F("id").desc(), name="job_by_failed"),
            models.Index(F("loss_rate").desc(), F("id").desc(), name="job_by_loss"),
            models.Index(F("job_name").desc(), F("id").desc(), name="job_by_name"),
            models.Index(
                "graph",
                F("begin_time").desc(nulls_first=True),
                F("id").desc(),
                include=["verdict"],
                name="job_of_graph",
            ),
            models.Index(
                "project",
                F("begin_time").desc(nulls_first=True),
                F("id").desc(),
                include=["verdict"],
                name="job_of_project",
            ),
            # What ran on a graph in a span of time.
            models.Index("graph", "end_time", name="job_of_graph_by_end"),
            # The few that a condition on the end can't also put on the begin.
            models.Index("end_time", condition=ENDED_UNBEGUN, name="job_of_odd_times"),
            # Words, of which some are rare or never said.
            models.Index("verdict", F("begin_time").desc(), F("id").desc(), name="job_by_verdict"),
            models.Index(
                "review",
                F("begin_time").desc(),
                F("id").desc(),
                condition=~Q(review=""),
                name="job_by_review",
            ),
            models.Index(
                "ledger",
                condition=Q(ledger__in=["does_not_add_up", "cannot_tell"]),
                name="job_by_ledger",
            ),
            models.Index(Upper("status"), name="job_by_status"),
            models.Index(Upper("job_name"), name="job_by_any_name"),
            models.Index(Upper("job_type"), name="job_by_type"),
            # GES's job id from its start, whatever the database's collation.
            models.Index(OpClass("job_id", "varchar_pattern_ops"), name="job_by_id"),
            # How many came since a list was drawn.
            models.Index(F("first_seen_at").desc(), F("id").desc(), name="job_newest"),
            # The overview's sums by day, read from the index alone.
            models.Index(
                "begin_time",
                "project",
                include=[
                    "verdict",
                    "file_count",
                    "failed_lines",
                    "successful_lines",
                    "graph",
                    "is_hidden",
                ],
                name="job_by_day",
            ),
            # Where the overview and the causes look for what was lost.
            models.Index(
                "begin_time",
                "project",
                condition=Q(lost_file_count__gt=0),
                include=["id", "graph", "loss_rate", "verdict", "is_hidden"],
                name="job_lossy",
            ),
            # The queue of imports that wait for somebody.
            models.Index(
                F("begin_time").desc(),
                F("id").desc(),
                "project",
                condition=Q(review__in=ReviewState.open()),
                name="job_to_review",
            ),
            # The few that GES contradicted itself about.
            models.Index(
                F("begin_time").desc(),
                F("id").desc(),
                condition=Q(contradiction_count__gt=0),
                name="job_odd",
            ),
            # What a page asks every few seconds: did anything change?
            models.Index("project", F("changed_at").desc(nulls_last=True), name="job_changed"),
            # How long this graph's jobs of this name usually take.
            models.Index(
                "graph",
                "job_name",
                F("begin_time").desc(),
                include=["duration", "verdict", "is_hidden"],
                name="job_usual",
            ),
            # The few that are kept out.
            models.Index("project", F("id").desc(), condition=Q(is_hidden=True), name="job_hidden"),
        ]

    def __str__(self) -> str:
        return f"{self.job_name or _('Job')} {self.job_id}"

    @property
    def began_at(self) -> datetime:
        """When it began, or was first seen where GES gives no begin."""
        return self.begin_time or self.first_seen_at

    @property
    def is_final(self) -> bool:
        """Whether GES's status is final, which ends polling."""
        return V(self.verdict).is_final


class ImportFile(models.Model):
    """One file of an import, in the order GES sent it; counts in lines, null when unknown.

    Written by: `record.file_rows`.
    """

    class Kind(models.TextChoices):
        """The three lists of a job detail."""

        SCHEMA = "schema", _("Metadata")
        VERTEX = "vertex", _("Vertex")
        EDGE = "edge", _("Edge")

    # Found by the index of one_file_a_place.
    job = models.ForeignKey(
        Job, verbose_name=_("job"), on_delete=models.CASCADE, related_name="files", db_index=False
    )
    kind = models.CharField(_("type"), max_length=6, choices=Kind)
    position = models.PositiveIntegerField(_("position"))
    path = models.TextField(_("file path"))
    log = models.TextField(_("log"), null=True)  # noqa: DJ001  GES's null is kept as null
    status = models.CharField(_("GES status"), max_length=MAX_ID, blank=True)
    verdict = models.CharField(_("status"), max_length=10, choices=VerdictChoices)
    ledger = models.CharField(_("count check"), max_length=16, choices=LedgerChoices)
    contradiction = models.JSONField(
        _("mismatch"),
        null=True,
        help_text=_("A sentence (ges.sentence) where the values disagree."),
    )
    cause = models.TextField(_("failure reason"), null=True)  # noqa: DJ001
    cause_group = models.ForeignKey(
        Cause,
        verbose_name=_("failure reason group"),
        on_delete=models.PROTECT,
        null=True,
        related_name="files",
        db_index=False,
    )
    total_lines = models.BigIntegerField(_("total lines"), null=True)
    failed_lines = models.BigIntegerField(_("failed lines"), null=True)
    successful_lines = models.BigIntegerField(_("loaded lines"), null=True)

    # The corrections that are not undone, where a query has set them.
    standing: "list[Correction]"

    class Meta:
        verbose_name, verbose_name_plural = _("import file"), _("import files")
        constraints = [
            models.UniqueConstraint(fields=["job", "kind", "position"], name="one_file_a_place")
        ]
        indexes = [
            # A whole path, however long; and any part of a path or of a cause (of all rows: ANALYZE
            # then knows how many match).
            HashIndex("path", name="file_by_path"),
            GinIndex(OpClass("path", "gin_trgm_ops"), name="file_by_path_part"),
            GinIndex(OpClass(Upper("cause"), "gin_trgm_ops"), name="file_by_cause_part"),
            # Which jobs have a cause at all: few, so that a common text is soon found among the
            # newest.
            models.Index("job", condition=Q(cause__isnull=False), name="file_caused"),
            # Sums of what was lost, by cause and by job, read from the index alone.
            models.Index(
                "cause_group",
                "job",
                condition=Q(cause_group__isnull=False),
                include=["failed_lines"],
                name="file_by_cause",
            ),
            models.Index(
                "job",
                "cause_group",
                condition=Q(cause_group__isnull=False),
                include=["failed_lines"],
                name="file_lost",
            ),
        ]

    def __str__(self) -> str:
        return self.path
