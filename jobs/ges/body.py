"""The body of a reply: bytes to a JSON object, or the error that they are instead.

Source: GES API Reference, error responses; the gateway's own error codes.
"""

import json
import re
from decimal import Decimal
from typing import Any

from jobs.ges import fields
from jobs.ges.answer import MAX_BODY
from jobs.ges.errors import (
    CredentialsRefused,
    CutShort,
    ErrorReply,
    HtmlPage,
    NotAJobStatus,
    Redirected,
    ServerError,
    Throttled,
    TooLarge,
    WrongEncoding,
)

_BETWEEN = re.compile(r"[\s,:]*")
_DECODER = json.JSONDecoder()


def read_object(body: bytes, http_status: int) -> dict[str, Any]:
    """The JSON object of a body.

    Raises: TooLarge; the error that `http_status` stands for, if the body is no object; else
    NotAJobStatus and its kinds.
    """
    if len(body) > MAX_BODY:
        raise TooLarge(f"The reply has {len(body):,} bytes; the limit is {MAX_BODY:,}.")
    try:
        # Decimal: a count sent as 1659.0 must not pass through a float. Long digits are refused
        # by the decoder itself.
        data = json.loads(
            body.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_refuse_constant
        )
    except (ValueError, ArithmeticError, RecursionError) as error:
        _raise_for_status(http_status, "", "")
        raise _not_json(body, error) from error
    if not isinstance(data, dict):
        _raise_for_status(http_status, "", "")
        raise NotAJobStatus(f"The reply is {kind_of(data)}; expected an object with a status.")
    return data


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def raise_for_error(data: dict[str, Any], http_status: int, *, unless: str = "status") -> None:
    """Raise the error that the status or the body is; a body with the key `unless` is none."""
    code = fields.text(fields.first(data, "errorCode", "error_code", "errCode")) or ""
    message = fields.text(fields.first(data, "errorMessage", "error_msg", "externalMessage")) or ""
    _raise_for_status(http_status, code, message)
    if code and data.get(unless) in (None, ""):
        raise ErrorReply(http_status, code, message)


def _raise_for_status(http_status: int, code: str, message: str) -> None:
    if http_status == 200:
        return
    if http_status == 429 or code.endswith(".0308"):
        raise Throttled(http_status, code, message)
    if http_status in {401, 403}:
        raise CredentialsRefused(http_status, code, message)
    if 300 <= http_status < 400:
        raise Redirected(
            f"GES answered HTTP {http_status}, a redirect; expected 200 with a job status."
        )
    raise (ServerError if http_status >= 500 else ErrorReply)(http_status, code, message)


def item_bytes(body: bytes, key: str) -> list[bytes]:
    """The exact bytes of each item of the array under `key`, to be stored as received.

    `body` is known to be a JSON object. Of a key that comes twice the last counts, as it does for
    `json.loads`.
    """
    text = body.decode("utf-8-sig")
    items: list[bytes] = []
    position = _skip(text, text.index("{") + 1)
    while text[position] != "}":
        name, position = _DECODER.raw_decode(text, position)
        position = _skip(text, position)
        if name == key:
            items, position = _array_items(text, position)
        else:
            _, position = _DECODER.raw_decode(text, position)
        position = _skip(text, position)
    return items


def _array_items(text: str, position: int) -> tuple[list[bytes], int]:
    """The bytes of the items of the array here, or of the value in its place; and where it ends."""
    if text[position] != "[":
        value, end = _DECODER.raw_decode(text, position)
        return [] if value is None else [text[position:end].encode()], end
    items = []
    position = _skip(text, position + 1)
    while text[position] != "]":
        _, end = _DECODER.raw_decode(text, position)
        items.append(text[position:end].encode())
        position = _skip(text, end)
    return items, position + 1


def _skip(text: str, position: int) -> int:
    """Where the next value, key or bracket begins."""
    match = _BETWEEN.match(text, position)
    return position if match is None else match.end()


def keys_of(data: dict[str, Any]) -> str:
    """The object's keys, for an error message."""
    return f"the keys {fields.short(', '.join(data))}" if data else "no keys"


def kind_of(value: Any) -> str:
    """The JSON type of a value, for an error message."""
    names = {
        list: "an array",
        dict: "an object",
        str: "text",
        bool: "true or false",
        type(None): "null",
    }
    return names.get(type(value), "a number")


def _not_json(body: bytes, error: Exception) -> NotAJobStatus:
    """The kind of body that came instead, as far as its first and its last bytes show."""
    start = body[:400].lstrip().lower()
    reason = fields.short(str(error), 120)
    if not start:
        return NotAJobStatus("The reply is not JSON: an empty body.")
    if start.startswith(b"<"):
        return HtmlPage("The reply is not JSON: an HTML page.")
    if isinstance(error, UnicodeDecodeError):
        return WrongEncoding(f"The reply is not UTF-8 ({reason}).")
    looks_like_json = start.startswith((b"{", b"["))
    if looks_like_json and isinstance(error, json.JSONDecodeError) and _is_cut_short(error):
        return CutShort(f"The reply is not JSON: JSON cut short ({reason}).")
    kind = "broken JSON" if looks_like_json else "other text"
    return NotAJobStatus(f"The reply is not JSON: {kind} ({reason}).")


def _is_cut_short(error: json.JSONDecodeError) -> bool:
    text = error.doc.rstrip()
    return error.pos >= len(text) or not text.endswith(("}", "]"))
