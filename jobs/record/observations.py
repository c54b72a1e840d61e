"""Observations: an answer about one job, with its parsed reply or the error in its place."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from jobs.ges.errors import GesError
from jobs.ges.reply import parse_reply
from jobs.ges.shapes import JobReply
from jobs.models import Job
from jobs.models.watch import Claimed


class NotRecorded(GesError):
    """GES's response could not be read or recorded, which is our fault."""

    kind = "not_recorded"


@dataclass(slots=True)
class Moved:
    """The run and the place in the chain of an observation from another gesdash's export."""

    last_seen_at: datetime
    seen: int
    sha256: bytes
    version: int = 1
    number: int | None = None
    link: bytes | None = None
    size: int | None = None  # bytes of its body; only of a reply that retention deleted there
    fits: bool = True  # set by recording: whether the link was the next of the chain here


@dataclass(slots=True)
class Observation:
    """One answer, or none, to one question about a job."""

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
    retry_after: float | None = None  # seconds, where GES gave them
    seconds: float | None = None  # from the request to the answer, where that was measured
    graph_id: str = ""  # GES's, in the request
    outcome: str = ""  # once recorded: `new`, `repeated` or the kind of the miss
    unread: bool = False  # the body may repeat the newest reply: then it need not be parsed
    _digest: bytes | None = None  # kept, as a body may be large and more than one ask for it

    @property
    def digest(self) -> bytes:
        """The SHA-256 of the body."""
        if self._digest is None:
            self._digest = hashlib.sha256(self.body or b"").digest()
        return self._digest

    @property
    def new_job(self) -> Job | None:
        """Its job, where that is not stored yet."""
        return self.job if isinstance(self.job, Job) and self.job._state.adding else None

    def read(self) -> None:
        """Parse the body into `reply`, or set `error` where it can't be parsed."""
        self.unread = False
        try:
            self.reply = parse_reply(
                self.body or b"", http_status=self.http_status or 200, job_id=self.job.job_id
            )
        except GesError as error:
            self.error, error.retry_after = error, self.retry_after
        except Exception as error:  # a reply that breaks its reader is kept beside the others
            self.error = NotRecorded(f"{type(error).__name__}: {error}")


def observe(
    job: Job, source: str, observed_at: datetime, http_status: int, body: bytes
) -> Observation:
    """A parsed observation of the bytes that GES gave about a job."""
    observation = Observation(job, source, observed_at, http_status, body)
    observation.read()
    return observation
