"""One HTTP request to GES and its response, within limits.

Each kind of failure has its own error.
"""

import asyncio
import ssl
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from jobs.ges import errors
from jobs.ges.answer import MAX_BODY, Answer
from jobs.ges.fields import short

CONNECT_SECONDS = 5
TOTAL_SECONDS = 20
SILENT_SECONDS = 10  # without a byte of an answer that began
MIN_SPEED = 1024  # bytes a second, of a body that takes longer than SLOW_SECONDS
SLOW_SECONDS = 5
_FAILURES = (
    aiohttp.ClientError,
    HttpProcessingError,
    OSError,
    asyncio.IncompleteReadError,
    EOFError,
)


async def exchange(
    session: aiohttp.ClientSession,
    method: str,
    url: URL,
    headers: Mapping[str, str],
    body: bytes | None = None,
) -> tuple[Answer, Mapping[str, str]]:
    """Send a request; the answer and its headers. The limits are kept here, not by the session.

    Raises: Unreachable and its kinds, TooLarge.
    """
    requested_at = datetime.now(UTC)
    started = time.monotonic()
    response = None
    try:
        async with session.request(
            method,
            url,
            headers=headers,
            data=body,
            allow_redirects=False,
            timeout=_limits(TOTAL_SECONDS),
        ) as response:
            responded_at = datetime.now(UTC)
            content = await _read_body(response)
    except _FAILURES as error:
        raise _as_ges_error(error, str(url.origin()), has_response=response is not None) from error

    seconds = time.monotonic() - started
    if seconds > TOTAL_SECONDS:
        # This process was stopped, and its lease may have run out: the answer it reads now may be
        # older than one that another process has read.
        raise errors.TimedOut(f"GES's answer was read only after {seconds:.0f} s.")
    answer = _answer(response, content, seconds)
    return answer._replace(requested_at=requested_at, responded_at=responded_at), response.headers


def _answer(response: aiohttp.ClientResponse, content: bytes, seconds: float) -> Answer:
    return Answer(
        http_status=response.status,
        body=content,
        content_type=response.headers.get("Content-Type", ""),
        request_id=response.headers.get("X-Request-Id"),
        retry_after=_whole_seconds(response.headers.get("Retry-After")),
        observed_at=datetime.now(UTC),  # the body can't be about a time after its end
        seconds=seconds,
        date=response.headers.get("Date"),
    )


@lru_cache
def _limits(seconds: float) -> aiohttp.ClientTimeout:
    """The limits of the whole and of connecting, not rounded up; the others are kept here."""
    return aiohttp.ClientTimeout(
        total=seconds, sock_connect=CONNECT_SECONDS, ceil_threshold=seconds + 1
    )


async def _read_body(response: aiohttp.ClientResponse) -> bytes:
    """Read the body, up to the limit of size and while it comes fast enough."""
    if response.content.is_eof() and response.content.total_bytes <= MAX_BODY:
        return response.content.read_nowait()  # it came with the head: nothing to wait for
    clock = asyncio.get_running_loop().time
    pieces: list[bytes] = []
    size = 0
    started = clock()
    while True:
        try:
            async with asyncio.timeout(SILENT_SECONDS) as silence:
                piece = await response.content.readany()
        except TimeoutError as error:
            if not silence.expired():  # it is the whole that took too long
                raise
            raise errors.Stalled(
                f"GES began to answer and sent nothing more for {SILENT_SECONDS} s."
            ) from error
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
        size += len(piece)
        seconds = clock() - started
        if size > MAX_BODY:
            raise errors.TooLarge(f"The reply is over the limit of {MAX_BODY:,} bytes.")
        if seconds > SLOW_SECONDS and size < seconds * MIN_SPEED:
            raise errors.TooSlow(
                f"GES sent {size:,} bytes in {seconds:.1f} s; "
                f"expected {MIN_SPEED:,} a second at least."
            )


def _as_ges_error(error: BaseException, origin: str, *, has_response: bool) -> errors.GesError:
    reason = short(str(error) or type(error).__name__, 300)
    match error:
        case aiohttp.ConnectionTimeoutError():
            return errors.TimedOut(f"No connection to {origin} within {CONNECT_SECONDS} s.")
        case TimeoutError() if has_response:
            return errors.TooSlow(f"GES's answer was not whole after {TOTAL_SECONDS} s.")
        case TimeoutError():
            return errors.TimedOut(f"GES did not answer within {TOTAL_SECONDS} s.")
        case aiohttp.ClientConnectorDNSError():
            return errors.NoSuchHost(f"{URL(origin).host} has no address: {reason}.")
        case aiohttp.ClientSSLError() | ssl.SSLError() | aiohttp.ServerFingerprintMismatch():
            return errors.TlsFailed(f"{origin} is not to be trusted: {reason}.")
        case aiohttp.ClientConnectorError() if isinstance(error.os_error, ConnectionRefusedError):
            return errors.ConnectionRefused(f"Nothing listens at {origin}.")
        case aiohttp.ClientConnectorError():
            return errors.Unreachable(f"No connection to {origin}: {reason}.")
        case aiohttp.ClientPayloadError() | EOFError():
            return errors.BrokenBody(f"GES's answer is broken: {reason}.")
        case aiohttp.ClientResponseError() | HttpProcessingError():
            # Head and body may come, and break, at once.
            if has_response or "chunk" in reason:
                return errors.BrokenBody(f"GES's answer is broken: {reason}.")
            return errors.NotHttp(f"{origin}: {reason}.")
        case aiohttp.ClientConnectionError() | ConnectionError():
            return errors.ConnectionBroken(f"{origin} ended the connection: {reason}.")
    return errors.Unreachable(f"No answer from {origin}: {reason}.")


def _whole_seconds(value: str | None) -> float | None:
    if value is None or not value.strip().isdigit():
        return None
    return float(value)
