"""The sentences and sums that a job's page begins with."""

from typing import Any

from jobs.diagnosis.headline import headline
from jobs.models import Job
from jobs.sentences import Sentence


def headline_of(job: Job) -> list[Sentence]:
    """How much of an import was loaded and what was lost; empty for a job that imports nothing."""
    return headline(
        is_final=job.is_final,
        has_reply=job.observed_at is not None,
        totals=job.lines,
        lost_files=job.lost_file_count,
        file_count=job.file_count,
    )


def line_totals(job: Job) -> list[tuple[str, dict[str, Any]]]:
    """The sums of lines by kind of file, of the kinds that have any."""
    return [
        (kind, job.lines[kind])
        for kind in ("vertex", "edge", "all")
        if job.lines.get(kind, {}).get("total") is not None
    ]
