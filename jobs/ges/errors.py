"""The failures of calls to GES, each kind under its own name.

`polling/schedule.py` says when a job is polled again after each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.ges.answer import Answer


class GesError(Exception):
    """GES gave no usable answer."""

    kind = "error"
    #: Seconds GES asked us to wait, from Retry-After.
    retry_after: float | None = None
    #: Seconds from the request to the failure.
    seconds: float | None = None


class NotAJobStatus(GesError):
    """The reply is not a job status."""

    kind = "not_a_status"


class WrongJob(NotAJobStatus):
    """The reply is about another job than the one asked for."""

    kind = "wrong_job"


class TooLarge(NotAJobStatus):
    """The reply is over the limit of 8 MiB."""

    kind = "too_large"


class HtmlPage(NotAJobStatus):
    """The reply is an HTML page, as a gateway or a sign-in page sends."""

    kind = "html"


class CutShort(NotAJobStatus):
    """The reply is JSON whose end is missing."""

    kind = "cut"


class WrongEncoding(NotAJobStatus):
    """The reply is not UTF-8, or is compressed in a way its headers do not name."""

    kind = "encoding"


class Redirected(NotAJobStatus):
    """GES sends us to another address, where no credentials go."""

    kind = "redirect"


class ErrorReply(GesError):
    """GES answered with an error code of its own, for example GES.8301: no such job."""

    kind = "error_reply"
    #: The answer as it came over HTTP, where the caller wants to pass it on.
    answer: Answer | None = None

    def __init__(self, http_status: int, code: str, message: str) -> None:
        self.http_status, self.code, self.message = http_status, code, message
        super().__init__(" ".join(part for part in (f"HTTP {http_status}", code, message) if part))


class CredentialsRefused(ErrorReply):
    """GES refused our credentials (401, 403)."""

    kind = "refused"


class Throttled(ErrorReply):
    """GES asks us to slow down (429 or gateway code 0308)."""

    kind = "throttled"


class ServerError(ErrorReply):
    """GES, or the gateway before it, is in trouble (5xx)."""

    kind = "server_error"


class Unreachable(GesError):
    """No connection could be made."""

    kind = "unreachable"


class NoSuchHost(Unreachable):
    """The endpoint's name has no address."""

    kind = "dns"


class ConnectionRefused(Unreachable):
    """Nothing listens at the endpoint."""

    kind = "no_listener"


class TlsFailed(Unreachable):
    """The endpoint's certificate or its TLS is not to be trusted."""

    kind = "tls"


class ConnectionBroken(Unreachable):
    """The connection ended before an answer came."""

    kind = "broken_connection"


class NotHttp(Unreachable):
    """Something other than an HTTP server answered."""

    kind = "not_http"


class BrokenBody(Unreachable):
    """The answer ended before its end, or its chunks or its compression are broken."""

    kind = "broken_body"


class TimedOut(Unreachable):
    """GES did not answer in time."""

    kind = "timeout"


class Stalled(TimedOut):
    """GES began to answer and then fell silent."""

    kind = "stalled"


class TooSlow(TimedOut):
    """GES's answer trickles in."""

    kind = "slow_body"


class NoCredentials(GesError):
    """The project has no credentials in the settings, so GES can't be asked."""

    kind = "no_credentials"
