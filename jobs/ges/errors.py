"""What can go wrong with GES. Each kind says whether asking again can help."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.ges.client import Answer


class GesError(Exception):
    """GES gave no usable answer."""

    kind = "error"
    can_retry = True
    #: Seconds GES asked us to wait, from Retry-After.
    retry_after: float | None = None


class NotAJobStatus(GesError):
    """The reply is not a job status."""

    kind = "not_a_status"


class WrongJob(NotAJobStatus):
    """The reply is about another job than the one asked for."""

    kind = "wrong_job"


class TooLarge(NotAJobStatus):
    """The reply is over the limit of 8 MiB."""

    kind = "too_large"


class ErrorReply(GesError):
    """GES answered with an error code of its own, for example GES.8301: no such job."""

    kind = "error_reply"
    #: The answer as it came over HTTP, where the caller wants to pass it on.
    answer: Answer | None = None

    def __init__(self, http_status: int, code: str, message: str) -> None:
        self.http_status, self.code, self.message = http_status, code, message
        super().__init__(" ".join(part for part in (f"HTTP {http_status}", code, message) if part))


class Refused(ErrorReply):
    """GES refused our credentials (401, 403)."""

    kind = "refused"


class Throttled(ErrorReply):
    """GES asks us to slow down (429 or gateway code 0308)."""

    kind = "throttled"


class Unreachable(GesError):
    """No connection, no name, or the connection broke."""

    kind = "unreachable"


class TimedOut(Unreachable):
    """GES did not answer in time."""

    kind = "timeout"


class NoCredentials(GesError):
    """The project has no credentials in the settings, so GES can't be asked."""

    kind = "no_credentials"
    can_retry = False
