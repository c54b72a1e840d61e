"""Asks GES, with its credentials. Only here and in `exchange` is a socket to GES opened."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol
from urllib.parse import quote

import aiohttp
from yarl import URL

from jobs.ges import event_loop, fields, signing
from jobs.ges.answer import Answer as Answer
from jobs.ges.errors import CredentialsRefused, NoCredentials, Throttled
from jobs.ges.http import exchange

TOKEN_LIFE = timedelta(hours=24)  # of IAM's tokens, where an answer does not say
CONCURRENT = 100  # calls to one project at a time, in one process

_sessions_by_loop: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}


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


def status_path(project_id: str, graph_id: str, job_id: str, version: int = 1) -> str:
    """The path of a job's status; ids are percent-encoded whole."""
    return f"{_jobs_path(project_id, graph_id, version)}/{quote(job_id, safe='')}/status"


@lru_cache(maxsize=1024)  # many jobs of a graph are asked about
def _jobs_path(project_id: str, graph_id: str, version: int) -> str:
    project, graph = quote(project_id, safe=""), quote(graph_id, safe="")
    return f"/{'v2' if version == 2 else 'v1.0'}/{project}/graphs/{graph}/jobs"


class Client:
    """Asks one GES project, over connections that all clients of an event loop share and that stay open.

    `token` is IAM's, where the credentials are a user's. As an async context manager it closes the loop's connections.
    Raises, from every call: Unreachable and its kinds, TooLarge, NoCredentials. HTTP errors are answers, not exceptions.
    """

    def __init__(
        self, endpoint: str, project_id: str, credentials: Credentials | None, token: str = ""
    ) -> None:
        self.endpoint, self.project_id, self.credentials, self.token = (
            endpoint,
            project_id,
            credentials,
            token,
        )

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        await close_connections()

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
        return await self._get(
            f"/v1.0/{quote(self.project_id, safe='')}/{what}", {"limit": limit, "offset": offset}
        )

    async def _get(self, path: str, query: Mapping[str, int] | None = None) -> Answer:
        """`path` as it is to be sent, percent-encoded."""
        if self.credentials is None or not self.endpoint:
            raise NoCredentials("The project has no endpoint and credentials in the settings.")
        url = _origin(self.endpoint).with_path(path, encoded=True)
        if query:
            url = url.with_query(query)
        headers = {"Content-Type": "application/json", "X-Project-Id": self.project_id}
        if self.credentials.ak:
            now = datetime.now(UTC)
            headers |= signing.sign(
                "GET", str(url), headers, b"", self.credentials.ak, self.credentials.sk, now
            )
        else:
            headers["X-Auth-Token"] = self.credentials.token or self.token
        return (await exchange(_session(), "GET", url, headers))[0]


@lru_cache
def _origin(endpoint: str) -> URL:
    """The endpoint as an address; few are asked about often, so each is read once."""
    return URL(endpoint)


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """What a user shows to GES until it expires."""

    value: str
    expires_at: datetime


async def iam_token(who: Credentials, project_id: str) -> IssuedToken:
    """A new token from IAM, for this project alone.

    Raises: Refused, Throttled, Unreachable and its kinds, TooLarge.
    Source: IAM API Reference, Obtaining a User Token Through Password Authentication.
    """
    identity = {"name": who.user, "password": who.password, "domain": {"name": who.domain}}
    wanted = {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": identity}},
            "scope": {"project": {"id": project_id}},
        }
    }
    kind = {"Content-Type": "application/json"}
    url = _origin(who.iam_endpoint).with_path("/v3/auth/tokens")
    answer, headers = await exchange(_session(), "POST", url, kind, json.dumps(wanted).encode())
    value = headers.get("X-Subject-Token")
    if answer.http_status == 201 and value:
        return IssuedToken(value, _expiry(answer))
    kind_of_error = Throttled if answer.http_status == 429 else CredentialsRefused
    error = kind_of_error(answer.http_status, "", "IAM gave no token for the user in the settings.")
    error.retry_after = answer.retry_after
    raise error


def _expiry(answer: Answer) -> datetime:
    try:
        told = fields.time(json.loads(answer.body)["token"]["expires_at"], "expires_at", [])
    except (ValueError, KeyError, TypeError, RecursionError):
        told = None
    return told or answer.observed_at + TOKEN_LIFE


def _session() -> aiohttp.ClientSession:
    at = asyncio.get_running_loop()
    session = _sessions_by_loop.get(at)
    if session is None or session.closed:
        for ended in [one for one in _sessions_by_loop if one.is_closed()]:
            del _sessions_by_loop[ended]
        session = _sessions_by_loop[at] = aiohttp.ClientSession(
            # Whoever asks keeps to CONCURRENT: waiting here would count as GES's time.
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
    return session


@event_loop.at_end
async def close_connections() -> None:
    """Close the running loop's connections to GES."""
    if session := _sessions_by_loop.pop(asyncio.get_running_loop(), None):
        await session.close()
