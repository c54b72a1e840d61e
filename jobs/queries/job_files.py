"""The files of one import, ordered and grouped by the database, as there may be thousands."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import (
    Case,
    Count,
    DecimalField,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext as _

from jobs.ges.words import Verdict
from jobs.models import ImportFile, Job
from jobs.models.job import VerdictChoices

MAX_GROUPS = 200
MAX_CAUSES = 20
BEFORE = timedelta(days=30)  # how far back a cause's imports are counted
NEW = timedelta(days=7)  # a cause first seen at most this long before a job began is new there
EARLIEST = datetime(1, 1, 1, tzinfo=UTC)

_RANK = Case(
    When(verdict=Verdict.FAILED.value, then=Value(3)),
    When(verdict=Verdict.PARTIAL.value, then=Value(2)),
    When(verdict=Verdict.UNKNOWN.value, then=Value(1)),
    default=Value(0),
    output_field=IntegerField(),
)
_WIDE = DecimalField(max_digits=40, decimal_places=0)
# Worst first in one number, so that a page has one position: the verdict before the lines, which
# take 64 bits below it. Negative, so that equals follow in the order GES sent them.
_WORST = -(Cast(_RANK, _WIDE) * Value(Decimal(2**64), output_field=_WIDE)) - Cast(
    Coalesce("failed_lines", Value(0)), _WIDE
)
_FOLDER = Func(
    F("path"), Value("[^/]*$"), Value(""), function="regexp_replace", output_field=TextField()
)
GROUP_BY = {
    "kind": F("kind"),
    "verdict": F("verdict"),
    "folder": F("folder"),
    "cause": F("cause_group"),
}
_LABELS = {"kind": ImportFile.Kind.choices, "verdict": VerdictChoices.choices}


def with_worst(files: QuerySet[ImportFile]) -> QuerySet[ImportFile]:
    """These files with `worst`, a number by which the worst come first."""
    return files.annotate(worst=_WORST)


def in_folder(files: QuerySet[ImportFile], folder: str) -> QuerySet[ImportFile]:
    """Those whose path is this folder and a name."""
    return files.alias(folder=_FOLDER).filter(folder=folder)


@dataclass(frozen=True, slots=True)
class FileGroup:
    """Sums over the files of one group; `name` is the value that they share, None for no cause.

    `pattern` is that of the cause where files are grouped by it. A sum is None without counts.
    """

    group_by: str
    name: str | int | None
    files: int
    lost_files: int
    total_lines: int | None
    failed_lines: int | None
    successful_lines: int | None
    pattern: str | None = None

    @property
    def parameter(self) -> str:
        """The filter that shows the files of the group."""
        return "cause_group" if self.group_by == "cause" else self.group_by

    @property
    def label(self) -> str:
        """The group's value as readers see it."""
        labels = {value: str(label) for value, label in _LABELS.get(self.group_by, [])}
        nameless = _("no folder") if self.group_by == "folder" else _("no failure reason given")
        return self.pattern or labels.get(str(self.name), str(self.name or "")) or nameless


def file_groups(files: QuerySet[ImportFile], group_by: str) -> list[FileGroup]:
    """Sums by group, those with most failed lines first; `group_by` is a key of GROUP_BY."""
    groups: QuerySet[ImportFile, Any] = (
        files.annotate(folder=_FOLDER).order_by().values(name=GROUP_BY[group_by])
    )
    if group_by == "cause":
        groups = groups.annotate(pattern=F("cause_group__pattern"))
    lost = Q(verdict__in=[Verdict.PARTIAL.value, Verdict.FAILED.value])
    sums = groups.annotate(
        files=Count("*"),
        lost_files=Count("pk", filter=lost),
        total_lines=Sum("total_lines"),
        failed_lines=Sum("failed_lines"),
        successful_lines=Sum("successful_lines"),
    )
    rows = sums.order_by(F("failed_lines").desc(nulls_last=True), "-files")
    return [FileGroup(group_by, **row) for row in rows[:MAX_GROUPS]]


@dataclass(frozen=True, slots=True)
class JobCause:
    """A cause (by key) of a job's failed lines.

    `failed` and `share` are None when they are not known; `before` counts the imports of the
    graph that had it in the 30 days before, None for none.
    """

    cause_group: int
    pattern: str
    note: str
    since: datetime
    files: int
    failed: int | None
    share: Decimal | None
    before: int | None
    is_new: bool


def period_before(job: Job) -> tuple[datetime, datetime]:
    """The 30 days before a job; a begin may be of the year 1, before which there is none."""
    until = max(job.began_at, EARLIEST + BEFORE)
    return until - BEFORE, until


def causes_of(job: Job) -> list[JobCause]:
    """The causes of a job's failed lines, those of most lines first."""
    begin, until = period_before(job)
    earlier_jobs = Job.objects.counted().filter(
        graph=job.graph_id, begin_time__gte=begin, begin_time__lt=until
    )
    same_cause = (
        ImportFile.objects.filter(job__in=earlier_jobs, cause_group=OuterRef("cause_group"))
        .order_by()
        .values("cause_group")
        .annotate(job_count=Count("job", distinct=True))
    )
    by_cause: QuerySet[ImportFile, Any] = (
        ImportFile.objects.filter(job=job, cause_group__isnull=False)
        .order_by()
        .values(
            "cause_group",
            pattern=F("cause_group__pattern"),
            note=F("cause_group__note"),
            since=F("cause_group__first_seen_at"),
        )
    )
    costs = by_cause.annotate(
        files=Count("*"),
        failed=Sum("failed_lines"),
        before=Subquery(same_cause.values("job_count")),
    ).order_by(F("failed").desc(nulls_last=True), "-files")
    rows = list(costs[:MAX_CAUSES])

    all_failed = sum(row["failed"] or 0 for row in rows)
    causes = []
    for row in rows:
        is_new = row["since"] - job.began_at > -NEW  # a sum would pass the year 1
        share = Decimal(row["failed"]) / all_failed if all_failed and row["failed"] else None
        causes.append(JobCause(**row, share=share, is_new=is_new))
    return causes
