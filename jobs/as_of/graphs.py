"""Graphs as they were known at a moment, which job was of which, and what nobody noted of that."""

import json
from collections.abc import Collection, Iterable, Sequence
from copy import copy
from datetime import UTC, datetime
from decimal import Decimal

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext as _

from jobs.models import Correction, Graph, Job
from jobs.models.audit import AuditAction, AuditObject

OWN = (
    "graph",
    "is_hidden",
)  # fields of a job that no reply says: what people made of them stands in their corrections
_NOTES_GRAPHS = (
    "jobs",
    "0010_fixes",
)  # the migration since which each change of a graph is an entry of the trail


# An entry holds what it changed: of each column, the first later one has what stood before.
_BEFORE = """
SELECT DISTINCT ON (graph_id, key) graph_id, key, value::text FROM jobs_auditentry CROSS JOIN jsonb_each(before) AS column_ (key, value)
WHERE graph_id = ANY(%s) AND what = %s AND deed = %s AND at > %s ORDER BY graph_id, key, at, id
"""
_COLUMNS = {"name", "graph_id", "is_deleted", "tolerated_loss"}


def graphs_as_known(graphs: Iterable[Graph], at: datetime) -> dict[int, Graph]:
    """By key, copies with the name, id, deleted mark and tolerated loss of then."""
    found = {one.pk: copy(one) for one in graphs}
    with connection.cursor() as cursor:
        cursor.execute(
            _BEFORE, [list(found), AuditObject.GRAPH.value, AuditAction.CHANGED.value, at]
        )
        for pk, column, value in cursor.fetchall():
            if column in _COLUMNS:
                setattr(
                    found[pk], column, json.loads(value, parse_float=Decimal, parse_int=Decimal)
                )
    return found


def own_value(corrections: Iterable[Correction], field: str, at: datetime) -> str | None:
    """What such a field of a job was then, as corrections write it; None: what it is now. Takes all of them, the oldest first."""
    of_field = [one for one in corrections if one.field == field and not one.kind]
    for one in of_field:
        if stood(one, at):
            return one.corrected
    return next((one.observed for one in of_field if one.made_at > at), None)


def stood(one: Correction, at: datetime) -> bool:
    """Whether it had been made and was not undone yet."""
    return one.made_at <= at and (one.reverted_at is None or one.reverted_at > at)


def moved_jobs(graph: Graph, most: int) -> list[int]:
    """Keys of jobs that people moved to this graph or from it, at any time; `most` at most."""
    rows = Correction.objects.filter(field="graph", kind="", job__project=graph.project_id)
    mentions = rows.filter(observed=str(graph.pk)) | rows.filter(corrected=str(graph.pk))
    return [
        pk
        for pk in mentions.order_by("job").values_list("job_id", flat=True).distinct()[:most]
        if pk is not None
    ]


def graphs_not_noted(at: datetime) -> str:
    """What can't be told of any graph at that moment, in a sentence; empty where all can."""
    app, name = _NOTES_GRAPHS
    applied = MigrationRecorder.Migration.objects.filter(app=app, name=name)
    since: datetime | None = applied.values_list("applied", flat=True).first()
    if since is None or at >= since:
        return ""
    text = _(
        "Graph changes have been recorded since %(since)s: names, deletions and "
        "failure thresholds shown here are the earliest recorded and may differ "
        "from that time."
    )
    return text % {"since": f"{since.astimezone(UTC):%Y-%m-%d %H:%M} UTC"}


def not_noted(graphs: Collection[Graph], at: datetime) -> list[str]:
    """What can't be told of these graphs at that moment, a sentence each. Two queries."""
    said = [sentence for sentence in [graphs_not_noted(at)] if graphs and sentence]
    if names := _known_by_name_once(graphs):
        text = _(
            "At that time, jobs of %(graphs)s may have been known only by the "
            "graph’s name: when GES first gave the graph ID is not recorded."
        )
        said.append(text % {"graphs": ", ".join(names)})
    return said


def _known_by_name_once(graphs: Collection[Graph]) -> Sequence[str]:
    with_id = {(one.project_id, one.name) for one in graphs if one.graph_id}
    bare = Graph.objects.filter(
        graph_id=None,
        name__in={name for _, name in with_id},
        project__in={key for key, _ in with_id},
    )
    return sorted(
        {name for key, name in bare.values_list("project_id", "name") if (key, name) in with_id}
    )[:5]


def graph_then(job: Job, corrections: Iterable[Correction], at: datetime) -> int:
    """The key of the graph a job was of."""
    value = own_value(corrections, "graph", at)
    return job.graph_id if value is None else int(value)
