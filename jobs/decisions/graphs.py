"""Graphs as people correct them, and what GES says of them since."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from jobs.decisions.values import check_reason, checked
from jobs.diagnosis.corrections import GRAPH_FIELDS, as_text, read_value
from jobs.models import Correction, Graph, Job
from jobs.record.graphs import move_jobs

BATCH = 1000  # rows of one statement


@transaction.atomic
def correct_graph(
    graph: Graph, *, field: str, corrected: str | None, reason: str, actor: User, now: datetime
) -> Correction:
    """Lay a person's name, or whether GES still has it, over what GES said of a graph; discovery leaves it alone then.

    Raises: ValueError with a sentence.
    """
    reason = check_reason(reason)
    if field not in GRAPH_FIELDS:
        raise ValueError(_("%(field)s can't be corrected.") % {"field": repr(field)})
    value = checked(field, corrected)
    if field == "name" and len(value or "") > 255:
        raise ValueError(_("A name can have at most 255 characters."))
    locked = Graph.objects.select_for_update(of=("self",)).get(pk=graph.pk)
    before = Correction.objects.standing().filter(graph=locked, field=field).first()
    observed = before.newest if before else as_text(getattr(locked, field))
    if before is not None:
        Correction.objects.filter(pk=before.pk).undo(reason, actor, now)
    made = Correction.objects.create(
        graph=locked, field=field, observed=observed, newest=observed, corrected=value, reason=reason, actor=actor,
        made_at=now,
    )  # fmt: skip
    Graph.objects.filter(pk=locked.pk).update(**{field: read_value(field, value)})
    return made


def revert_graph(one: Correction, *, reason: str, actor: User, now: datetime) -> None:
    """Show what GES says of a graph again."""
    Correction.objects.filter(pk=one.pk).undo(reason, actor, now)
    value = one.newest == "yes" if one.field == "is_deleted" else one.newest or ""
    if one.graph is not None:
        Graph.objects.filter(pk=one.graph.pk).update(**{one.field: value})


@transaction.atomic
def merge_graphs(bare: Graph, into: Graph, *, reason: str, actor: User, now: datetime) -> int:
    """Say that a graph known by its name is one that is known by its id: its jobs go there, later ones too. How many went.

    Each job gets a correction of its graph, so each can be undone, and `split_graph` undoes them all. Raises: ValueError with
    a sentence.
    """
    reason = check_reason(reason)
    bare = Graph.objects.select_for_update(of=("self",)).get(pk=bare.pk)
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
    pks = list(
        Job.objects.select_for_update()
        .filter(graph=bare)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    by_people = Correction.objects.standing().filter(job__in=pks, field="graph")
    told = dict(
        by_people.values_list("job_id", "newest")
    )  # what GES says of those that a person brought here
    by_people.undo(reason, actor, now)
    common = {
        "field": "graph",
        "corrected": str(into.pk),
        "reason": reason,
        "actor": actor,
        "made_at": now,
    }
    said = ((pk, told.get(pk, str(bare.pk))) for pk in pks)
    made = (Correction(job_id=pk, observed=graph, newest=graph, **common) for pk, graph in said)
    Correction.objects.bulk_create(made, batch_size=BATCH)
    move_jobs(pks, into.pk, now=now)
    Graph.objects.filter(pk=bare.pk).update(merged_into=into)
    return len(pks)


@transaction.atomic
def split_graph(bare: Graph, *, reason: str, actor: User, now: datetime) -> int:
    """Undo a merge: the jobs that it moved come back, but those that a person moved on since; those that a person
    had brought here stand corrected as before. How many came.

    Raises: ValueError with a sentence.
    """
    reason = check_reason(reason)
    bare = Graph.objects.select_for_update(of=("self",)).get(pk=bare.pk)
    if bare.merged_into_id is None:
        raise ValueError(_("%(graph)s is not merged into another.") % {"graph": bare})
    jobs = Job.objects.select_for_update().filter(graph=bare.merged_into_id).order_by("pk")
    brought = Correction.objects.filter(
        field="graph", corrected=str(bare.pk), reverted_at__isnull=False
    )
    replaced = brought.filter(job=OuterRef("job"), reverted_at=OuterRef("made_at"))
    moved = Correction.objects.standing().filter(
        field="graph", corrected=str(bare.merged_into_id), job__in=jobs
    )
    ours = list(
        moved.filter(Q(observed=str(bare.pk)) | Exists(replaced)).values_list("job_id", "made_at")
    )
    pks = [pk for pk, _made_at in ours]
    moved.filter(job__in=pks).undo(reason, actor, now)
    again = [
        one for one in brought.filter(job__in=pks) if (one.job_id, one.reverted_at) in set(ours)
    ]
    Correction.objects.bulk_create(
        Correction(
            job_id=one.job_id, field="graph", observed=one.observed, newest=one.newest, corrected=one.corrected,
            reason=reason, actor=actor, made_at=now,
        )
        for one in again
    )  # fmt: skip
    move_jobs(pks, bare.pk, now=now)
    Graph.objects.filter(pk=bare.pk).update(merged_into=None)
    return len(pks)
