"""Graphs with their newest import, their last jobs and their losses of the last day."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import JSONObject

from jobs.models import Graph, Job

MAX_LAST_JOBS = 15
MAX_IMPORTS = 30
LOSS_PERIOD = timedelta(days=1)


class GraphRow(NamedTuple):
    """A graph, its newest import, and its last jobs (pk, verdict, job_name), oldest first."""

    graph: Graph
    newest: Job | None
    jobs: list[dict[str, Any]]


def with_last_jobs(graphs: QuerySet[Graph], now: datetime) -> QuerySet[Graph]:
    """These graphs annotated for `graph_rows`; `lost_since`: failed lines within LOSS_PERIOD."""
    newest_first = Job.objects.filter(graph=OuterRef("pk")).order_by("-begin_time", "-pk")
    columns = JSONObject(pk="pk", verdict="verdict", job_name="job_name")
    lossy = Job.objects.counted().filter(
        graph=OuterRef("pk"), begin_time__gte=now - LOSS_PERIOD, lost_file_count__gt=0
    )
    lost = lossy.order_by().values("graph").annotate(lost=Sum("failed_lines")).values("lost")
    return graphs.annotate(
        last_jobs=ArraySubquery(newest_first.values_list(columns)[:MAX_LAST_JOBS]),
        newest_import=newest_first.filter(file_count__gt=0).values("pk")[:1],
        lost_since=Subquery(lost),
    )


def graph_rows(graphs: Sequence[Graph]) -> list[GraphRow]:
    """Rows for graphs of `with_last_jobs`. One query."""
    import_pks = {graph.pk: vars(graph)["newest_import"] for graph in graphs}
    imports = Job.objects.in_bulk([pk for pk in import_pks.values() if pk])
    return [
        GraphRow(graph, imports.get(import_pks[graph.pk]), vars(graph)["last_jobs"][::-1])
        for graph in graphs
    ]


def newest_imports(graph: Graph) -> list[Job]:
    """The MAX_IMPORTS newest imports of a graph that count in statistics, newest first."""
    imports = Job.objects.counted().filter(graph=graph, file_count__gt=0)
    rows = imports.select_related("graph", "project").order_by("-begin_time", "-pk")
    return list(rows[:MAX_IMPORTS])
