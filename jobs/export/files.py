"""Rows of files, each with its job's ids and its corrections."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import batched
from typing import Any

from django.db.models import Case, F, Value, When

from jobs.export.job import KIND_ORDER, file_object
from jobs.models import Correction, ImportFile
from jobs.models.job import JobQuerySet

CHUNK = 5_000  # files held at once

FILE_COLUMNS = (
    "project_id",
    "graph_id",
    "job_id",
    "kind",
    "position",
    "path",
    "log",
    "status",
    "verdict",
    "ledger",
    "cause",
    "total_lines",
    "failed_lines",
    "successful_lines",
    "corrections",
)
_KIND_ORDER = Case(*(When(kind=kind, then=Value(order)) for kind, order in KIND_ORDER.items()))


def file_rows(jobs: JobQuerySet) -> Iterator[dict[str, Any]]:
    """Job by job, in the order GES sent them."""
    files = ImportFile.objects.filter(job__in=jobs).annotate(
        ges_project_id=F("job__project__project_id"),
        ges_graph_id=F("job__graph__graph_id"),
        ges_job_id=F("job__job_id"),
    )
    in_order = files.order_by("job_id", _KIND_ORDER, "position").iterator(chunk_size=CHUNK)
    for batch in batched(in_order, CHUNK):
        corrections = _corrections_by_job({file.job_id for file in batch})
        for file in batch:
            ids = {
                "project_id": file.ges_project_id,
                "graph_id": file.ges_graph_id,
                "job_id": file.ges_job_id,
            }
            yield ids | file_object(file, corrections.get(file.job_id, ()))


def _corrections_by_job(job_pks: set[int]) -> dict[int, list[Correction]]:
    corrections = Correction.objects.standing().filter(job__in=job_pks).exclude(kind="")
    by_job: dict[int, list[Correction]] = defaultdict(list)
    for correction in corrections.select_related("actor"):
        by_job[correction.job_id or 0].append(correction)
    return by_job
