"""What came of asking: a reply, or the error that stood in its place."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from jobs.ges.errors import GesError
from jobs.ges.reply import parse_reply
from jobs.ges.shapes import JobReply
from jobs.models import Job
from jobs.models.watch import Claimed


class NotRecorded(GesError):
    """GES's reply could not be read or recorded, which is our fault."""

    kind = "not_recorded"


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

    job: Job | Claimed
    source: str
    observed_at: datetime
    http_status: int | None
    body: bytes | None
    reply: JobReply | None = None
    error: GesError | None = None
    content_type: str = ""
    moved: Moved | None = None
    request_id: str = ""  # GES's own, where it gave one
    retry_after: float | None = None  # seconds, where GES said so
    seconds: float | None = None  # from asking to the answer, where that was measured
    graph_id: str = ""  # GES's, under which it was asked about
    outcome: str = ""  # once recorded: `new`, `repeated` or the kind of the miss
    unread: bool = (
        False  # whether its body may say again what was heard last: then it need not be read
    )
    _digest: bytes | None = None  # kept, as a body may be large and more than one asks

    @property
    def digest(self) -> bytes:
        """What tells two bodies apart."""
        if self._digest is None:
            self._digest = hashlib.sha256(self.body or b"").digest()
        return self._digest

    @property
    def new_job(self) -> Job | None:
        """Its job, where that is not stored yet."""
        return self.job if isinstance(self.job, Job) and self.job._state.adding else None

    def read(self) -> None:
        """Read the body that GES gave; that it can't be read is an outcome too."""
        self.unread = False
        try:
            self.reply = parse_reply(
                self.body or b"", http_status=self.http_status or 200, job_id=self.job.job_id
            )
        except GesError as error:
            self.error, error.retry_after = error, self.retry_after
        except Exception as wrong:  # a reply that breaks its reader is kept beside the others
            self.error = NotRecorded(f"{type(wrong).__name__}: {wrong}")


def observe(
    job: Job, source: str, observed_at: datetime, http_status: int, body: bytes
) -> Observation:
    """Read the bytes that GES gave about a job."""
    seen = Observation(job, source, observed_at, http_status, body)
    seen.read()
    return seen
