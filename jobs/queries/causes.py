"""What a failure reason has cost, over files, jobs and graphs."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypedDict

from django.db.models import Count, F, Max, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from jobs.models import Cause, ImportFile
from jobs.models.job import JobQuerySet
from jobs.models.roles import Viewer


class CauseSums(TypedDict):
    """How much one cause has cost in all; `lost` is None when no line was counted."""

    files: int
    lost: int | None
    jobs: int
    graphs: int


@dataclass(frozen=True, slots=True)
class CauseLosses:
    """What one cause has cost, and when the newest job with it began."""

    cause: Cause
    sums: CauseSums
    newest: datetime


def files_with_causes(jobs: JobQuerySet) -> QuerySet[ImportFile]:
    """The files of these jobs that have a cause, unordered."""
    lossy = jobs.filter(lost_file_count__gt=0).order_by()
    return ImportFile.objects.filter(job__in=lossy, cause_group__isnull=False).order_by()


def causes_containing(user: Viewer, text: str) -> list[int]:
    """Keys of the causes this user may see whose pattern or note contains the text."""
    contains = Q(pattern__icontains=text) | Q(note__icontains=text)
    return list(Cause.objects.visible_to(user).filter(contains).values_list("pk", flat=True))


def costliest_causes(files: QuerySet[ImportFile], most: int) -> list[CauseLosses]:
    """The causes that cost most lines of these files, costliest first. Two queries."""
    by_cause: QuerySet[ImportFile, Any] = files.values("cause_group")
    summed = by_cause.annotate(
        files=Count("*"),
        lost=Sum("failed_lines"),
        jobs=Count("job", distinct=True),
        graphs=Count("job__graph", distinct=True),
        newest=Max("job__begin_time"),
    )
    rows = list(summed.order_by(F("lost").desc(nulls_last=True), "-files")[:most])
    causes = Cause.objects.select_related("project").in_bulk([row["cause_group"] for row in rows])
    return [
        CauseLosses(causes[row["cause_group"]], _cause_sums(row), row["newest"]) for row in rows
    ]


def sums_of_files(files: QuerySet[ImportFile]) -> CauseSums:
    """The sums of the files of one cause."""
    sums = files.aggregate(
        files=Count("*"),
        lost=Sum("failed_lines"),
        jobs=Count("job", distinct=True),
        graphs=Count("job__graph", distinct=True),
    )
    return _cause_sums(sums)


def _cause_sums(row: dict[str, Any]) -> CauseSums:
    return CauseSums(files=row["files"], lost=row["lost"], jobs=row["jobs"], graphs=row["graphs"])


def files_by_part(
    files: QuerySet[ImportFile], causes: Collection[int], first_day: date, days: int, parts: int
) -> dict[int, list[int]]:
    """By cause key, how many files it cost in each of so many equal parts of these days.

    The last part also counts what began later, the first what began earlier.
    """
    of_causes = files.filter(cause_group__in=causes)
    by_day = of_causes.values("cause_group", day=TruncDate("job__begin_time")).annotate(
        file_count=Count("*")
    )
    counts: dict[int, list[int]] = {pk: [0] * parts for pk in causes}
    for row in by_day:
        part = (row["day"] - first_day).days * parts // days
        counts[row["cause_group"]][min(max(part, 0), parts - 1)] += row["file_count"]
    return counts


@dataclass(frozen=True, slots=True)
class CauseDay:
    """What a cause cost on one day; `lost` is None when no line was counted."""

    files: int
    lost: int | None


def cause_days(files: QuerySet[ImportFile]) -> dict[date, CauseDay]:
    """What these files of one cause cost by day, in the current time zone."""
    by_day = files.order_by().values(day=TruncDate("job__begin_time"))
    rows = by_day.annotate(files=Count("*"), lost=Sum("failed_lines"))
    return {row["day"]: CauseDay(row["files"], row["lost"]) for row in rows}
