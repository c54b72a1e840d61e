"""The report in an evidence bundle: one file of HTML that needs nothing else and prints well."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.template.loader import render_to_string

from jobs.evidence.gather import Case, cases
from jobs.models import Checkpoint
from jobs.queries.headline import headline_of

_KINDS = {"schema": 0, "vertex": 1, "edge": 2}


def report(
    keys: Sequence[int], checkpoints: Sequence[Checkpoint], at: datetime | None
) -> Iterator[str]:
    """The report, a part a job."""
    yield _part("start", {"count": len(keys), "checkpoints": checkpoints, "as_of": at})
    for case in cases(keys, whole=True):
        yield _part("job", _context(case))
    yield _part("end", {})


def _part(name: str, context: dict[str, Any]) -> str:
    return render_to_string(f"evidence/{name}.html", context)


def _context(case: Case) -> dict[str, Any]:
    job = case.job
    files = sorted(job.files.all(), key=lambda file: (_KINDS[file.kind], file.position))
    return {"job": job, "case": case, "headline": headline_of(job), "files": files}
