"""The only module that opens a socket to GES."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import quote, urlencode

import aiohttp

from jobs.ges import auth
from jobs.ges.errors import NoCredentials, Refused, TimedOut, TooLarge, Unreachable
from jobs.ges.reply import MAX_BODY

CONNECT_SECONDS = 5
TOTAL_SECONDS = 20
TOKEN_SECONDS = 23 * 3600  # IAM's tokens live 24 hours
CONCURRENT = 50

_tokens: dict[tuple[str, str, str, str], tuple[str, float]] = {}


class Credentials(Protocol):
    """What is shown to GES: a key pair, a token, or a user whom IAM gives a token."""

    @property
    def ak(self) -> str: ...  # noqa: D102
    @property
    def sk(self) -> str: ...  # noqa: D102
    @property
    def token(self) -> str: ...  # noqa: D102
    @property
    def user(self) -> str: ...  # noqa: D102
    @property
    def password(self) -> str: ...  # noqa: D102
    @property
    def domain(self) -> str: ...  # noqa: D102
    @property
    def iam_endpoint(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Answer:
    """What came over HTTP, whatever it says; `retry_after` in seconds."""

    http_status: int
    body: bytes
    content_type: str
    request_id: str | None
    retry_after: float | None
    observed_at: datetime


def status_path(project_id: str, graph_id: str, job_id: str, version: int = 1) -> str:
    """The path of a job's status; ids are percent-encoded whole."""
    ids = [quote(one, safe="") for one in (project_id, graph_id, job_id)]
    return "/{}/{}/graphs/{}/jobs/{}/status".format("v2" if version == 2 else "v1.0", *ids)


class Client:
    """Asks one GES project. Use as an async context manager.

    Raises, from every call: TimedOut, Unreachable, TooLarge, NoCredentials. HTTP errors are answers, not exceptions.
    """

    def __init__(self, endpoint: str, project_id: str, credentials: Credentials | None) -> None:
        self.endpoint, self.project_id, self.credentials = endpoint, project_id, credentials

    async def __aenter__(self) -> "Client":
        timeout = aiohttp.ClientTimeout(total=TOTAL_SECONDS, connect=CONNECT_SECONDS)
        self._session = aiohttp.ClientSession(
            timeout=timeout, connector=aiohttp.TCPConnector(limit=CONCURRENT), auto_decompress=True
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def status(self, graph_id: str, job_id: str, version: int = 1) -> Answer:
        """A job's status."""
        return await self._get(status_path(self.project_id, graph_id, job_id, version))

    async def jobs(self, offset: int, limit: int) -> Answer:
        """A page of the task centre."""
        return await self._list("graphs/jobs", offset, limit)

    async def graphs(self, offset: int, limit: int) -> Answer:
        """A page of the graph list."""
        return await self._list("graphs", offset, limit)

    async def _list(self, what: str, offset: int, limit: int) -> Answer:
        query = urlencode({"limit": limit, "offset": offset})
        return await self._get(f"/v1.0/{quote(self.project_id, safe='')}/{what}?{query}")

    async def _get(self, path: str) -> Answer:
        if self.credentials is None or not self.endpoint:
            raise NoCredentials("The project has no endpoint and credentials in the settings.")
        url = self.endpoint + path
        headers = {"Content-Type": "application/json", "X-Project-Id": self.project_id}
        if self.credentials.ak:
            now = datetime.now(UTC)
            headers |= auth.sign("GET", url, headers, b"", self.credentials.ak, self.credentials.sk, now)
        else:
            headers["X-Auth-Token"] = self.credentials.token or await self._iam_token(self.credentials)
        return await self._request("GET", url, headers)

    async def _request(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        from yarl import URL

        try:
            async with self._session.request(
                method, URL(url, encoded=True), headers=headers, data=body, allow_redirects=False
            ) as response:
                content = await _read(response)
                self._last_headers = response.headers
                return Answer(
                    response.status,
                    content,
                    response.headers.get("Content-Type", ""),
                    response.headers.get("X-Request-Id"),
                    _seconds(response.headers.get("Retry-After")),
                    datetime.now(UTC),
                )
        except TimeoutError as wrong:
            raise TimedOut(f"GES did not answer within {TOTAL_SECONDS} s.") from wrong
        except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError) as wrong:
            raise Unreachable(f"No answer from {self.endpoint}: {str(wrong) or type(wrong).__name__}.") from wrong

    async def _iam_token(self, who: Credentials) -> str:
        key = (who.iam_endpoint, who.domain, who.user, self.project_id)
        held = _tokens.get(key)
        if held and held[1] > time.monotonic():
            return held[0]
        identity = {"name": who.user, "password": who.password, "domain": {"name": who.domain}}
        wanted = {
            "auth": {
                "identity": {"methods": ["password"], "password": {"user": identity}},
                "scope": {"project": {"id": self.project_id}},
            }
        }
        answer = await self._request(
            "POST", f"{who.iam_endpoint}/v3/auth/tokens", {"Content-Type": "application/json"}, json.dumps(wanted).encode()
        )
        token = self._last_headers.get("X-Subject-Token")
        if answer.http_status != 201 or not token:
            raise Refused(answer.http_status, "", "IAM gave no token for the user in the settings.")
        _tokens[key] = (token, time.monotonic() + TOKEN_SECONDS)
        return token


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The body, read in pieces and never past the limit."""
    pieces: list[bytes] = []
    size = 0
    async for piece in response.content.iter_chunked(64 * 1024):
        size += len(piece)
        if size > MAX_BODY:
            raise TooLarge(f"The reply is over the limit of {MAX_BODY:,} bytes.")
        pieces.append(piece)
    return b"".join(pieces)


def _seconds(value: str | None) -> float | None:
    if value is None or not value.strip().isdigit():
        return None
    return float(value)
