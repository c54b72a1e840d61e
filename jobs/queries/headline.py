"""The sentences that sum up a job."""

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
