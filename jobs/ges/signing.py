"""SDK-HMAC-SHA256: signing requests to GES, and verifying those that come to the proxy.

Source: Huawei Cloud API signing guide; the official SDK's signer.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlsplit

ALGORITHM = "SDK-HMAC-SHA256"
MAX_SKEW = timedelta(minutes=15)
_DATE = "%Y%m%dT%H%M%SZ"
_HEADER = re.compile(
    rf"^{ALGORITHM} Access=([^,\s]+), ?SignedHeaders=([^,\s]+), ?Signature=([0-9a-f]{{64}})$"
)


class BadSignature(Exception):
    """The signature does not hold; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class SignatureClaim:
    """The parts of an Authorization header."""

    access_key: str
    signed_headers: tuple[str, ...]
    signature: str


def sign(
    method: str, url: str, headers: Mapping[str, str], body: bytes, ak: str, sk: str, now: datetime
) -> dict[str, str]:
    """The headers to add to a request: Host, X-Sdk-Date and Authorization."""
    parts = urlsplit(url)
    added = {"Host": parts.netloc, "X-Sdk-Date": now.astimezone(UTC).strftime(_DATE)}
    all_headers = {name.lower(): value for name, value in {**headers, **added}.items()}
    names = tuple(sorted(all_headers))
    hex_signature = signature(method, parts.path, parts.query, all_headers, names, body, sk)
    added["Authorization"] = (
        f"{ALGORITHM} Access={ak}, SignedHeaders={';'.join(names)}, Signature={hex_signature}"
    )
    return added


def signature(
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    names: tuple[str, ...],
    body: bytes,
    sk: str,
) -> str:
    """The hex signature of a request.

    `headers` has lower-case names; `path` and `query` are as sent.
    """
    path = "/".join(quote(unquote_to_bytes(part), safe="-_.~") for part in path.split("/"))
    pairs = sorted(
        (quote(k, safe="-_.~"), quote(v, safe="-_.~"))
        for k, v in parse_qsl(query, keep_blank_values=True)
    )
    canonical = "\n".join(
        [
            method.upper(),
            path if path.endswith("/") else path + "/",
            "&".join(f"{key}={value}" for key, value in pairs),
            "".join(f"{name}:{headers.get(name, '').strip()}\n" for name in names),
            ";".join(names),
            hashlib.sha256(body).hexdigest(),
        ]
    )
    to_sign = "\n".join(
        [ALGORITHM, headers.get("x-sdk-date", ""), hashlib.sha256(canonical.encode()).hexdigest()]
    )
    return hmac.new(sk.encode(), to_sign.encode(), hashlib.sha256).hexdigest()


def read_authorization(value: str) -> SignatureClaim:
    """Take an Authorization header apart.

    Raises: BadSignature when it is not of this scheme.
    """
    match = _HEADER.match(value.strip())
    if match is None:
        raise BadSignature(f"expected '{ALGORITHM} Access=…, SignedHeaders=…, Signature=…'")
    return SignatureClaim(match[1], tuple(match[2].lower().split(";")), match[3])


def verify(
    claim: SignatureClaim,
    *,
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
    sk: str,
    now: datetime,
) -> None:
    """Check a signature in constant time; `headers` has lower-case names.

    Raises: BadSignature.
    """
    if "x-sdk-date" not in claim.signed_headers:
        raise BadSignature("the header X-Sdk-Date must be signed")
    if missing := [name for name in claim.signed_headers if name not in headers]:
        raise BadSignature(f"the signed header {missing[0]!r:.80} is not there")
    try:
        signed_at = datetime.strptime(headers.get("x-sdk-date", ""), _DATE).replace(tzinfo=UTC)
    except ValueError as error:
        raise BadSignature(
            "the header X-Sdk-Date is not a time such as 20260131T081500Z"
        ) from error
    if abs(now - signed_at) > MAX_SKEW:
        raise BadSignature("the header X-Sdk-Date is more than 15 minutes off")
    expected = signature(method, path, query, headers, claim.signed_headers, body, sk)
    if not hmac.compare_digest(expected, claim.signature):
        raise BadSignature("the signature does not match the request")
