"""Graphs as people correct, merge and split them."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from jobs.decisions.values import check_known_value, check_reason
from jobs.diagnosis.corrections import GRAPH_FIELDS, as_text, read_value
from jobs.models import Correction, Graph, Job
from jobs.record.graphs import move_jobs

ROWS_AT_ONCE = 1000  # of one statement
MAX_NAME = 255  # characters


@transaction.atomic
def correct_graph(
    graph: Graph, *, field: str, corrected: str | None, reason: str, actor: User, now: datetime
) -> Correction:
    """Put a person's value over GES's name or deletion of a graph; discovery then leaves it alone.

    Raises: ValueError with a sentence.
    """
    reason = check_reason(reason)
    if field not in GRAPH_FIELDS:
        raise ValueError(_("%(field)s can't be corrected.") % {"field": repr(field)})
    value = check_known_value(field, corrected)
    if field == "name" and len(value or "") > MAX_NAME:
        raise ValueError(_("A name can have at most 255 characters."))

    locked = _lock(graph)
    before = Correction.objects.standing().filter(graph=locked, field=field).first()
    observed = before.newest if before else as_text(getattr(locked, field))
    if before is not None:
        Correction.objects.filter(pk=before.pk).undo(reason, actor, now)
    correction = Correction.objects.create(
        graph=locked,
        field=field,
        observed=observed,
        newest=observed,
        corrected=value,
        reason=reason,
        actor=actor,
        made_at=now,
    )
    Graph.objects.filter(pk=locked.pk).update(**{field: read_value(field, value)})
    return correction


def _lock(graph: Graph) -> Graph:
    return Graph.objects.select_for_update(of=("self",)).get(pk=graph.pk)


def revert_graph(correction: Correction, *, reason: str, actor: User, now: datetime) -> None:
    """Undo a correction of a graph: it shows GES's newest value again."""
    Correction.objects.filter(pk=correction.pk).undo(reason, actor, now)
    newest = correction.newest
    value = newest == "yes" if correction.field == "is_deleted" else newest or ""
    if correction.graph is not None:
        Graph.objects.filter(pk=correction.graph.pk).update(**{correction.field: value})


@transaction.atomic
def merge_graphs(bare: Graph, into: Graph, *, reason: str, actor: User, now: datetime) -> int:
    """Merge a graph known by its name into one known by its id; how many jobs were moved.

    Later jobs of that name go there too. Each job gets a correction of its graph, so each can be
    undone, and `split_graph` undoes them all.
    Raises: ValueError with a sentence.
    """
    reason = check_reason(reason)
    bare = _lock(bare)
    _check_merge(bare, into)

    locked = Job.objects.select_for_update().filter(graph=bare).order_by("pk")
    job_ids = list(locked.values_list("pk", flat=True))
    by_people = Correction.objects.standing().filter(job__in=job_ids, field="graph")
    # Of jobs that a person moved here: the graph that GES gives.
    observed = dict(by_people.values_list("job_id", "newest"))
    by_people.undo(reason, actor, now)
    corrections = [
        Correction(
            job_id=job_id,
            field="graph",
            observed=observed.get(job_id, str(bare.pk)),
            newest=observed.get(job_id, str(bare.pk)),
            corrected=str(into.pk),
            reason=reason,
            actor=actor,
            made_at=now,
        )
        for job_id in job_ids
    ]
    Correction.objects.bulk_create(corrections, batch_size=ROWS_AT_ONCE)
    move_jobs(job_ids, into.pk, now=now)
    Graph.objects.filter(pk=bare.pk).update(merged_into=into)
    return len(job_ids)


def _check_merge(bare: Graph, into: Graph) -> None:
    if bare.graph_id is not None or into.graph_id is None:
        raise ValueError(
            _(
                "Only a graph known by its name can be merged, and only into a graph "
                "known by its ID."
            )
        )
    if bare.project_id != into.project_id:
        raise ValueError(_("Both graphs must belong to the same project."))
    if bare.merged_into_id is not None:
        raise ValueError(_("%(graph)s is already merged.") % {"graph": bare})


@transaction.atomic
def split_graph(bare: Graph, *, reason: str, actor: User, now: datetime) -> int:
    """Undo a merge; how many of the jobs it moved came back.

    Those that a person moved on since stay there. Those that a person had moved to `bare` before
    the merge are corrected as they were.
    Raises: ValueError with a sentence.
    """
    reason = check_reason(reason)
    bare = _lock(bare)
    if bare.merged_into_id is None:
        raise ValueError(_("%(graph)s is not merged into another.") % {"graph": bare})

    jobs = Job.objects.select_for_update().filter(graph=bare.merged_into_id).order_by("pk")
    to_bare = Correction.objects.filter(
        field="graph", corrected=str(bare.pk), reverted_at__isnull=False
    )
    standing = Correction.objects.standing().filter(
        field="graph", corrected=str(bare.merged_into_id), job__in=jobs
    )
    # Corrections of the merge: of jobs that GES gives to `bare`, or that undid one to `bare`.
    undone_by_it = to_bare.filter(job=OuterRef("job"), reverted_at=OuterRef("made_at"))
    of_merge = standing.filter(Q(observed=str(bare.pk)) | Exists(undone_by_it))
    made_at = dict(of_merge.values_list("job_id", "made_at"))

    standing.filter(job__in=list(made_at)).undo(reason, actor, now)
    undone = [
        correction
        for correction in to_bare.filter(job__in=list(made_at))
        if correction.reverted_at == made_at.get(correction.job_id or 0)
    ]
    Correction.objects.bulk_create(
        Correction(
            job_id=correction.job_id,
            field="graph",
            observed=correction.observed,
            newest=correction.newest,
            corrected=correction.corrected,
            reason=reason,
            actor=actor,
            made_at=now,
        )
        for correction in undone
    )
    move_jobs(made_at, bare.pk, now=now)
    Graph.objects.filter(pk=bare.pk).update(merged_into=None)
    return len(made_at)
