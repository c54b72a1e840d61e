"""The log: lines for people or JSON for programs, with what they are about, and never a secret."""

import json
import logging
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from pythonjsonlogger.json import JsonFormatter

#: The fields that a line may have, in this order.
ABOUT = (
    "project",
    "graph",
    "job",
    "request_id",
    "ges_request_id",
    "source",
    "outcome",
    "http_status",
    "seconds",
)
_about: ContextVar[dict[str, Any] | None] = ContextVar("about", default=None)
# Of an access key, and what IAM gives: long texts that begin like an encoded signature.
_TOKEN = re.compile(r"\b(gd_|MII|gAAAA)[\w+/=-]{30,}")
_REQUEST_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)
# Characters of a secret; a shorter one would be found in every other word.
_MIN_SECRET_LENGTH = 6


@contextmanager
def about(**known: Any) -> Iterator[None]:
    """Add these fields to all that is logged inside."""
    token = _about.set((_about.get() or {}) | known)
    try:
        yield
    finally:
        _about.reset(token)


def middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Give each request an id, the caller's own if it is valid, for the log and the response."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        callers_id = request.headers.get("X-Request-Id", "")
        request_id = callers_id if _REQUEST_ID.fullmatch(callers_id) else uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        with about(request_id=request_id):
            response = get_response(request)
        response.headers.setdefault("X-Request-Id", request_id)
        return response

    return handle


def request_id(request: HttpRequest) -> str:
    """The id that the middleware gave this request; empty for one that did not come through it."""
    return getattr(request, "request_id", "")


class About(logging.Filter):
    """Puts on a record what it is about, where the record does not say so itself."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Every record goes on."""
        for name, value in (_about.get() or {}).items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True


class _Redacting(logging.Formatter):
    """Takes secrets out of the finished line: GES may echo a token in an error message."""

    secrets: Collection[str] = ()

    def redacted(self, line: str) -> str:
        """The line without the secrets, in plain and as JSON writes them."""
        # The longest first: one may be a part of another.
        for secret in sorted(self.secrets, key=len, reverse=True):
            for written in {secret, json.dumps(secret, ensure_ascii=False)[1:-1]}:
                line = line.replace(written, "…") if len(secret) >= _MIN_SECRET_LENGTH else line
        return _TOKEN.sub(r"\1…", line)


class Text(_Redacting):
    """A line: time, level, logger, words, and what they are about as name=value."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        super().__init__("{asctime} {levelname} {name} {message}", style="{")
        self.secrets = secrets

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line before a traceback."""
        fields = [
            f"{name}={value}"
            for name in ABOUT
            if (value := getattr(record, name, None)) not in (None, "")
        ]
        return (
            " ".join([super().formatMessage(record), *fields])
            .replace("\n", "\\n")
            .replace("\r", "\\r")
        )

    def format(self, record: logging.LogRecord) -> str:
        """The finished line without secrets."""
        return self.redacted(super().format(record))


class Json(JsonFormatter, _Redacting):
    """The same as one JSON object a line."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        super().__init__(
            ["levelname", "name", "message"],
            rename_fields={"levelname": "level", "name": "logger"},
            timestamp=True,
            json_ensure_ascii=False,
        )
        self.secrets = secrets

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        """Only known fields; a library's own extras may be of any type and any size."""
        super().add_fields(log_data, record, message_dict)
        kept = {"timestamp", "level", "logger", "message", "exc_info", "stack_info", *ABOUT}
        for name in [
            name for name, value in log_data.items() if name not in kept or value in (None, "")
        ]:
            del log_data[name]

    def format(self, record: logging.LogRecord) -> str:
        """The finished line without secrets."""
        return self.redacted(super().format(record))
