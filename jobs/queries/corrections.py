"""The corrections of a job's page, and the graphs they name."""

from collections.abc import Iterable, Sequence

from django.db.models import Q

from jobs.models import Correction, Graph, ImportFile, Job

MAX_CORRECTIONS = 50  # rows of the table


def load_corrections(job: Job) -> list[Correction]:
    """The newest corrections of a job and its files, undone ones too.

    Sets `job.standing` to all that are not undone, and `graph_names` where one names a graph.
    """
    newest = job.corrections.order_by("-pk").values("pk")[:MAX_CORRECTIONS]
    rows = job.corrections.filter(Q(reverted_at=None) | Q(pk__in=newest))
    corrections = list(rows.select_related("actor", "reverted_by").order_by("-pk"))
    job.standing = [one for one in corrections if one.reverted_at is None]
    _name_graphs(job.project_id, [one for one in corrections if one.field == "graph"])
    return corrections[:MAX_CORRECTIONS]


def _name_graphs(project: int, corrections: Sequence[Correction]) -> None:
    if not corrections:
        return
    pks = {
        int(value)
        for correction in corrections
        for value in (correction.observed, correction.newest, correction.corrected)
        if value
    }
    graphs = Graph.objects.filter(project=project, pk__in=pks)
    names = {str(graph.pk): str(graph) for graph in graphs}
    for correction in corrections:
        correction.graph_names = names


def share_corrections(job: Job, files: Iterable[ImportFile]) -> None:
    """Set `standing` of these files of a job to those of the job's that are of them."""
    by_place: dict[tuple[str, int | None], list[Correction]] = {}
    for correction in job.standing:
        by_place.setdefault((correction.kind, correction.position), []).append(correction)
    for file in files:
        file.standing = by_place.get((file.kind, file.position), [])
