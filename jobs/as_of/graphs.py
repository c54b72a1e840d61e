"""Graphs as they were known at a moment, which job was of which, and what is not recorded."""

import json
from collections.abc import Collection, Iterable
from copy import copy
from datetime import UTC, datetime
from decimal import Decimal

from django.db import connection
from django.utils.translation import gettext as _

from jobs.models import AuditCoverage, Correction, Graph, Job
from jobs.models.audit import AuditAction, AuditObject

MAX_NAMES = 5  # of graphs in one sentence
_FOLDED_COLUMNS = {"name", "graph_id", "is_deleted", "tolerated_loss"}
# An entry holds what it changed: of each column, the first entry after the moment has its value
# then.
_VALUES_BEFORE = """
SELECT DISTINCT ON (graph_id, key) graph_id, key, value::text
FROM jobs_auditentry CROSS JOIN jsonb_each(before) AS column_ (key, value)
WHERE graph_id = ANY(%s) AND what = %s AND deed = %s AND at > %s
ORDER BY graph_id, key, at, id
"""


def graphs_as_of(graphs: Iterable[Graph], moment: datetime) -> dict[int, Graph]:
    """By key, copies with the name, id, deleted mark and tolerated loss of that moment."""
    copies = {graph.pk: copy(graph) for graph in graphs}
    with connection.cursor() as cursor:
        cursor.execute(
            _VALUES_BEFORE,
            [list(copies), AuditObject.GRAPH.value, AuditAction.CHANGED.value, moment],
        )
        for pk, column, text in cursor.fetchall():
            if column in _FOLDED_COLUMNS:
                value = json.loads(text, parse_float=Decimal, parse_int=Decimal)
                setattr(copies[pk], column, value)
    return copies


def own_value_at(corrections: Iterable[Correction], field: str, moment: datetime) -> str | None:
    """The value of one of a job's OWN_FIELDS, as corrections write it; None: what it is now.

    Takes all corrections of the job, the oldest first.
    """
    of_field = [
        correction
        for correction in corrections
        if correction.field == field and not correction.kind
    ]
    for correction in of_field:
        if was_standing(correction, moment):
            return correction.corrected
    return next((later.observed for later in of_field if later.made_at > moment), None)


def was_standing(correction: Correction, moment: datetime) -> bool:
    """It had been made and was not undone yet."""
    is_undone = correction.reverted_at is not None and correction.reverted_at <= moment
    return correction.made_at <= moment and not is_undone


def moved_jobs(graph: Graph, limit: int) -> list[int]:
    """Keys of at most `limit` jobs that people moved to this graph or from it, at any time."""
    rows = Correction.objects.filter(field="graph", kind="", job__project=graph.project_id)
    mentions = rows.filter(observed=str(graph.pk)) | rows.filter(corrected=str(graph.pk))
    job_ids = mentions.order_by("job").values_list("job_id", flat=True).distinct()
    return [pk for pk in job_ids[:limit] if pk is not None]


def graphs_caveat(moment: datetime) -> str:
    """Why graphs of that moment may be shown wrongly, in a sentence; empty where they can't."""
    covered = AuditCoverage.objects.filter(what=AuditObject.GRAPH)
    since = covered.values_list("since", flat=True).first()
    if since is None or moment >= since:
        return ""
    text = _(
        "Graph changes have been recorded since %(since)s: names, deletions and "
        "failure thresholds shown here are the earliest recorded and may differ "
        "from that time."
    )
    return text % {"since": f"{since.astimezone(UTC):%Y-%m-%d %H:%M} UTC"}


def caveats(graphs: Collection[Graph], moment: datetime) -> list[str]:
    """Why these graphs of that moment may be shown wrongly, in sentences. Two queries."""
    sentences = [graphs_caveat(moment)] if graphs else []
    if names := _once_known_by_name(graphs):
        text = _(
            "At that time, jobs of %(graphs)s may have been known only by the "
            "graph’s name: when GES first gave the graph ID is not recorded."
        )
        sentences.append(text % {"graphs": ", ".join(names)})
    return [sentence for sentence in sentences if sentence]


def _once_known_by_name(graphs: Collection[Graph]) -> list[str]:
    """Names of those that have a twin known by its name alone."""
    with_id = {(graph.project_id, graph.name) for graph in graphs if graph.graph_id}
    twins = Graph.objects.filter(
        graph_id=None,
        name__in={name for _project, name in with_id},
        project__in={project for project, _name in with_id},
    ).values_list("project_id", "name")
    return sorted({name for project, name in twins if (project, name) in with_id})[:MAX_NAMES]


def graph_at(job: Job, corrections: Iterable[Correction], moment: datetime) -> int:
    """The key of the graph a job was of."""
    value = own_value_at(corrections, "graph", moment)
    return job.graph_id if value is None else int(value)
