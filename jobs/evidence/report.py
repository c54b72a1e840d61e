"""The report in an evidence bundle: one file of HTML that needs nothing else and prints well."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.template.loader import render_to_string

from jobs.evidence.gather import Case, cases
from jobs.models import Checkpoint
from jobs.queries.headline import headline_of

_JOBS_MARK = "<!-- jobs -->"  # their place in the page, which is too long to be rendered whole
_KIND_ORDER = {"schema": 0, "vertex": 1, "edge": 2}


def report(
    keys: Sequence[int], checkpoints: Sequence[Checkpoint], at: datetime | None
) -> Iterator[str]:
    """The report as HTML: the head, a part for each job, the foot."""
    page = render_to_string(
        "evidence/report.html", {"count": len(keys), "checkpoints": checkpoints, "as_of": at}
    )
    head, foot = page.split(_JOBS_MARK)
    yield head
    for case in cases(keys, whole=True):
        yield render_to_string("evidence/job.html", _context(case))
    yield foot


def _context(case: Case) -> dict[str, Any]:
    job = case.job
    files = sorted(job.files.all(), key=lambda file: (_KIND_ORDER[file.kind], file.position))
    return {"job": job, "case": case, "headline": headline_of(job), "files": files}
