"""The faults of the simulated GES's answers, down to the bytes on the wire."""

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

type Options = dict[str, Any]
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_PAGE = b"<!DOCTYPE html><html><body>Maintenance</body></html>"
_MIB = 1024 * 1024


@dataclass
class Fault:
    """A fault of the next `times` answers about a job, or about any job if `job_id` is None."""

    kind: str
    job_id: str | None = None
    times: int = 1
    options: Options = field(default_factory=dict)


async def go_wrong(
    fault: Fault, request: web.Request, body: bytes, headers: dict[str, str]
) -> bool:
    """Carry the fault out; whether the right answer is still to be given, as after a delay."""
    if fault.kind == "delay":
        await asyncio.sleep(fault.options.get("seconds", 1))
        return True
    if fault.kind in _ANSWERS:
        status, faulty_body, more_headers = _ANSWERS[fault.kind](body, fault.options)
        response = web.Response(
            status=status,
            body=faulty_body,
            headers={"Content-Type": "application/json", **headers, **more_headers},
        )
        await response.prepare(request)
        await response.write_eof()
    else:
        transport = request.transport
        assert transport is not None  # noqa: S101
        await _BYTES[fault.kind](transport, body, fault.options)
        transport.abort() if fault.kind == "drop" else transport.close()
    return False


type _Answer = tuple[int, bytes, dict[str, str]]


def _throttle(_body: bytes, options: Options) -> _Answer:
    error = {
        "error_msg": (
            "The throttling threshold has been reached: "
            "policy user over ratelimit,limit:20,time:1 second"
        ),
        "error_code": "APIG.0308",
    }
    wait = options.get("retry_after")
    return 429, json.dumps(error).encode(), {"Retry-After": str(wait)} if wait else {}


def _error(_body: bytes, options: Options) -> _Answer:
    error = {"errorMessage": "Job query error.", "errorCode": "GES.8302"}
    return options.get("status", 500), json.dumps(error).encode(), {}


def _refuse(_body: bytes, options: Options) -> _Answer:
    error = {
        "error_msg": "Incorrect IAM authentication information: token expires",
        "error_code": "APIGW.0301",
    }
    return options.get("status", 401), json.dumps(error).encode(), {}


def _wrong_job(body: bytes, _options: Options) -> _Answer:
    return 200, json.dumps(dict(json.loads(body), jobId="another-job")).encode(), {}


_ANSWERS: dict[str, Callable[[bytes, Options], _Answer]] = {
    "throttle": _throttle,
    "error": _error,
    "refuse": _refuse,
    "wrong_job": _wrong_job,
    "html": lambda _body, _options: (200, _PAGE, {"Content-Type": "text/html"}),
    "gateway": lambda _body, _options: (502, _PAGE, {"Content-Type": "text/html"}),
    "redirect": lambda _body, _options: (301, b"", {"Location": "/elsewhere"}),
    "cut": lambda body, _options: (200, body[: len(body) // 2], {}),
    "empty": lambda _body, _options: (200, b"", {}),
    "encoding": lambda body, _options: (200, body.decode().encode("utf-16"), {}),
    "packed": lambda body, _options: (200, gzip.compress(body), {}),
    "huge": lambda body, _options: (200, b" " * (9 * _MIB) + body, {}),
}


async def _drop(_transport: asyncio.BaseTransport, _body: bytes, _options: Options) -> None:
    pass


def _raw(make: Callable[[bytes], bytes]) -> "_Wire":
    async def send(transport: asyncio.Transport, body: bytes, _options: Options) -> None:
        transport.write(make(body))

    return send


async def _silence(transport: asyncio.Transport, _body: bytes, options: Options) -> None:
    await _until_closed(transport, options)


async def _stall(transport: asyncio.Transport, body: bytes, options: Options) -> None:
    transport.write(_HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body[:9])
    await _until_closed(transport, options)


async def _trickle(transport: asyncio.Transport, body: bytes, options: Options) -> None:
    transport.write(_HEAD + b"Content-Length: %d\r\n\r\n" % len(body))
    for position in range(len(body)):
        if transport.is_closing():
            break
        transport.write(body[position : position + 1])
        await asyncio.sleep(options.get("seconds", 0.05))


async def _until_closed(transport: asyncio.Transport, options: Options) -> None:
    for _ in range(int(options.get("seconds", 60) / 0.02)):
        if transport.is_closing():
            return
        await asyncio.sleep(0.02)


type _Wire = Callable[[Any, bytes, Options], Awaitable[None]]
_BYTES: dict[str, _Wire] = {
    "drop": _drop,
    "silence": _silence,
    "stall": _stall,
    "trickle": _trickle,
    "short": _raw(lambda body: _HEAD + b"Content-Length: %d\r\n\r\n" % (len(body) + 99) + body),
    "bad_chunk": _raw(
        lambda body: _HEAD + b"Transfer-Encoding: chunked\r\n\r\nnot-a-number\r\n" + body
    ),
    "half_chunk": _raw(
        lambda body: _HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body) + body[:9]
    ),
    "bad_gzip": _raw(
        lambda body: (
            _HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )
    ),
    "no_http": _raw(lambda _body: b"SSH-2.0-OpenSSH_9.9\r\n"),
}
KINDS = ("delay", *_ANSWERS, *_BYTES)
