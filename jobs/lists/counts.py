"""Counts whose cost does not grow with the table."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict

from jobs.lists.jobs import FILE_FILTERS
from jobs.models.job import JobQuerySet

MAX_COUNTED, MAX_COUNTED_BY_FILES = 10_000, 1_000  # jobs


@dataclass(frozen=True, slots=True)
class Counts:
    """Jobs by verdict, over the newest `limit`; `over` when there are more than those."""

    by_verdict: Mapping[str, int]
    over: bool
    limit: int

    @property
    def total(self) -> int:
        """At most `limit`."""
        return min(sum(self.by_verdict.values()), self.limit)


def count_limit(params: QueryDict) -> int:
    """How many jobs are counted: fewer where they are found by their files, which costs more."""
    return MAX_COUNTED_BY_FILES if any(params.get(name) for name in FILE_FILTERS) else MAX_COUNTED


def counts(queryset: JobQuerySet, limit: int = MAX_COUNTED) -> Counts:
    """The newest jobs by verdict."""
    newest = queryset.order_by("-begin_time", "-pk").values_list("verdict", flat=True)[: limit + 1]
    by_verdict = Counter(newest)
    return Counts(by_verdict, by_verdict.total() > limit, limit)


def bounded_count(queryset: QuerySet[Any], limit: int = MAX_COUNTED) -> tuple[int, bool]:
    """How many rows, at most `limit`, and whether there are more."""
    count = queryset.order_by()[: limit + 1].count()
    return min(count, limit), count > limit
