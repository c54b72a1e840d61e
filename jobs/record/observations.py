"""What came of asking: a reply, or the error that stood in its place."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.ges.errors import GesError
from jobs.ges.reply import JobReply, parse_reply
from jobs.models import Job


@dataclass(slots=True)
class Moved:
    """What another gesdash, whose export this comes from, knew besides: the whole run, and its place in the job's chain.

    `size` is only known of a reply that retention removed there: its body's bytes. `fits` is told by recording: whether the
    link was the next of the chain here.
    """

    last_seen_at: datetime
    seen: int
    sha256: bytes
    version: int = 1
    number: int | None = None
    link: bytes | None = None
    size: int | None = None
    fits: bool = True


@dataclass(slots=True)
class Observation:
    """What came of asking about one job once."""

    job: Job
    source: str
    observed_at: datetime
    http_status: int | None
    body: bytes | None
    reply: JobReply | None = None
    error: GesError | None = None
    content_type: str = ""
    moved: Moved | None = None
    clock_skew: timedelta | None = None  # how far GES's clock is ahead of ours, where it told its time
    request_id: str = ""  # GES's own, where it gave one
    seconds: float | None = None  # from asking to the answer, where that was measured
    outcome: str = ""  # once recorded: `new`, `repeated` or the kind of the miss


def observe(job: Job, source: str, observed_at: datetime, http_status: int, body: bytes) -> Observation:
    """Read the bytes that GES gave about a job; what can't be read is an observation too."""
    seen = Observation(job, source, observed_at, http_status, body)
    try:
        seen.reply = parse_reply(body, http_status=http_status, job_id=job.job_id)
    except GesError as error:
        seen.error = error
    return seen
