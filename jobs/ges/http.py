"""One question to GES over HTTP and its answer, within limits; each way it can fail has its own error."""

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
LEAST_SPEED = 1024  # bytes a second, of a body that takes longer than
SLOW_SECONDS = 5


async def exchange(
    session: aiohttp.ClientSession,
    method: str,
    url: URL,
    headers: Mapping[str, str],
    body: bytes | None = None,
) -> tuple[Answer, Mapping[str, str]]:
    """The answer, and its headers. The limits are kept here, whatever the session's are.

    Raises: Unreachable and its kinds, TooLarge.
    """
    asked_at, heard, begun = datetime.now(UTC), None, time.monotonic()
    try:
        async with session.request(
            method,
            url,
            headers=headers,
            data=body,
            allow_redirects=False,
            timeout=_limits(TOTAL_SECONDS),
        ) as heard:
            heard_at = datetime.now(UTC)
            content = await _read(heard)
    except (
        aiohttp.ClientError,
        HttpProcessingError,
        OSError,
        asyncio.IncompleteReadError,
        EOFError,
    ) as wrong:
        raise _error(wrong, str(url.origin()), began=heard is not None) from wrong
    took = time.monotonic() - begun
    if took > TOTAL_SECONDS:
        # This process was stopped, and its lease may have run out: what it reads now may be older than what others have heard.
        raise errors.TimedOut(f"GES's answer was read only after {took:.0f} s.")
    told = heard.headers
    answer = Answer(
        heard.status,
        content,
        told.get("Content-Type", ""),
        told.get("X-Request-Id"),
        _seconds(told.get("Retry-After")),
        datetime.now(UTC),  # what the body says can't be newer than the end of it
        took,
        told.get("Date"),
        asked_at,
        heard_at,
    )
    return answer, told


@lru_cache
def _limits(seconds: float) -> aiohttp.ClientTimeout:
    """Of the whole, not rounded up to a second; the others are kept here."""
    return aiohttp.ClientTimeout(
        total=seconds, sock_connect=CONNECT_SECONDS, ceil_threshold=seconds + 1
    )


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The body, never past the limit, nor with less than the least progress."""
    if (
        response.content.is_eof() and response.content.total_bytes <= MAX_BODY
    ):  # it came with its head: nothing to wait for
        return response.content.read_nowait()
    clock = asyncio.get_running_loop().time
    pieces: list[bytes] = []
    size, began = 0, clock()
    while True:
        try:
            async with asyncio.timeout(SILENT_SECONDS) as silence:
                piece = await response.content.readany()
        except TimeoutError as wrong:
            if not silence.expired():  # it is the whole that took too long
                raise
            raise errors.Stalled(
                f"GES began to answer and sent nothing more for {SILENT_SECONDS} s."
            ) from wrong
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
        size, took = size + len(piece), clock() - began
        if size > MAX_BODY:
            raise errors.TooLarge(f"The reply is over the limit of {MAX_BODY:,} bytes.")
        if took > SLOW_SECONDS and size < took * LEAST_SPEED:
            raise errors.TooSlow(
                f"GES sent {size:,} bytes in {took:.1f} s; expected {LEAST_SPEED:,} a second at least."
            )


def _error(wrong: BaseException, at: str, *, began: bool) -> errors.GesError:
    why = short(str(wrong) or type(wrong).__name__, 300)
    match wrong:
        case aiohttp.ConnectionTimeoutError():
            return errors.TimedOut(f"No connection to {at} within {CONNECT_SECONDS} s.")
        case TimeoutError() if began:
            return errors.TooSlow(f"GES's answer was not whole after {TOTAL_SECONDS} s.")
        case TimeoutError():
            return errors.TimedOut(f"GES did not answer within {TOTAL_SECONDS} s.")
        case aiohttp.ClientConnectorDNSError():
            return errors.NoSuchHost(f"{URL(at).host} has no address: {why}.")
        case aiohttp.ClientSSLError() | ssl.SSLError() | aiohttp.ServerFingerprintMismatch():
            return errors.TlsFailed(f"{at} is not to be trusted: {why}.")
        case aiohttp.ClientConnectorError() if isinstance(wrong.os_error, ConnectionRefusedError):
            return errors.ConnectionRefused(f"Nothing listens at {at}.")
        case aiohttp.ClientConnectorError():
            return errors.Unreachable(f"No connection to {at}: {why}.")
        case aiohttp.ClientPayloadError() | EOFError():
            return errors.BrokenBody(f"GES's answer is broken: {why}.")
        case aiohttp.ClientResponseError() | HttpProcessingError():
            # Head and body may come, and break, at once.
            began = began or "chunk" in why
            return (
                errors.BrokenBody(f"GES's answer is broken: {why}.")
                if began
                else errors.NotHttp(f"{at}: {why}.")
            )
        case aiohttp.ClientConnectionError() | ConnectionError():
            return errors.ConnectionBroken(f"{at} ended the connection: {why}.")
    return errors.Unreachable(f"No answer from {at}: {why}.")


def _seconds(value: str | None) -> float | None:
    if value is None or not value.strip().isdigit():
        return None
    return float(value)
