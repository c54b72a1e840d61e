"""Requests to GES and IAM with a project's credentials.

Only here and in `http.py` is a socket to GES opened.
"""

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
    """The credentials GES accepts: a key pair, a token, or a user to whom IAM gives a token."""

    @property
    def ak(self) -> str:
        """The access key of a key pair, else empty."""

    @property
    def sk(self) -> str:
        """The secret key of a key pair, else empty."""

    @property
    def token(self) -> str:
        """A token that somebody else renews, else empty."""

    @property
    def user(self) -> str:
        """A user's name at IAM, else empty."""

    @property
    def password(self) -> str:
        """The user's password, else empty."""

    @property
    def domain(self) -> str:
        """The account that the user belongs to, else empty."""

    @property
    def iam_endpoint(self) -> str:
        """The address of the IAM that issues the user's tokens."""


def status_path(project_id: str, graph_id: str, job_id: str, version: int = 1) -> str:
    """The path of a job's status; ids are percent-encoded whole."""
    return f"{_jobs_path(project_id, graph_id, version)}/{quote(job_id, safe='')}/status"


@lru_cache(maxsize=1024)  # many jobs of a graph are asked about
def _jobs_path(project_id: str, graph_id: str, version: int) -> str:
    project, graph = quote(project_id, safe=""), quote(graph_id, safe="")
    return f"/{'v2' if version == 2 else 'v1.0'}/{project}/graphs/{graph}/jobs"


class Client:
    """Requests to one GES project.

    The connections stay open and are shared by all clients of an event loop; as an async context
    manager, a client closes them. `token` is IAM's, where the credentials are a user's.
    HTTP errors are answers, not exceptions.
    Raises, from every call: Unreachable and its kinds, TooLarge, NoCredentials.
    """

    def __init__(
        self, endpoint: str, project_id: str, credentials: Credentials | None, token: str = ""
    ) -> None:
        self.endpoint = endpoint
        self.project_id = project_id
        self.credentials = credentials
        self.token = token

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        await close_connections()

    async def status(self, graph_id: str, job_id: str, version: int = 1) -> Answer:
        """The status of one job."""
        return await self._get(status_path(self.project_id, graph_id, job_id, version))

    async def jobs(self, offset: int, limit: int) -> Answer:
        """A page of the task centre."""
        return await self._list("graphs/jobs", offset, limit)

    async def graphs(self, offset: int, limit: int) -> Answer:
        """A page of the graph list."""
        return await self._list("graphs", offset, limit)

    async def _list(self, resource: str, offset: int, limit: int) -> Answer:
        path = f"/v1.0/{quote(self.project_id, safe='')}/{resource}"
        return await self._get(path, {"limit": limit, "offset": offset})

    async def _get(self, path: str, query: Mapping[str, int] | None = None) -> Answer:
        """Send a GET; `path` is percent-encoded already."""
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
    """The endpoint, parsed once: there are few, and each is used often."""
    return URL(endpoint)


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token that IAM issued for a user."""

    value: str
    expires_at: datetime


async def iam_token(credentials: Credentials, project_id: str) -> IssuedToken:
    """A new token from IAM, for this project alone.

    Raises: CredentialsRefused, Throttled, Unreachable and its kinds, TooLarge.
    Source: IAM API Reference, Obtaining a User Token Through Password Authentication.
    """
    user = {
        "name": credentials.user,
        "password": credentials.password,
        "domain": {"name": credentials.domain},
    }
    body = {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"id": project_id}},
        }
    }
    headers = {"Content-Type": "application/json"}
    url = _origin(credentials.iam_endpoint).with_path("/v3/auth/tokens")
    answer, answer_headers = await exchange(
        _session(), "POST", url, headers, json.dumps(body).encode()
    )
    token = answer_headers.get("X-Subject-Token")
    if answer.http_status == 201 and token:
        return IssuedToken(token, _expiry(answer))

    kind = Throttled if answer.http_status == 429 else CredentialsRefused
    error = kind(answer.http_status, "", "IAM gave no token for the user in the settings.")
    error.retry_after = answer.retry_after
    raise error


def _expiry(answer: Answer) -> datetime:
    try:
        value = json.loads(answer.body)["token"]["expires_at"]
    except (ValueError, KeyError, TypeError, RecursionError):
        value = None
    return fields.time(value, "expires_at", []) or answer.observed_at + TOKEN_LIFE


def _session() -> aiohttp.ClientSession:
    running_loop = asyncio.get_running_loop()
    session = _sessions_by_loop.get(running_loop)
    if session is None or session.closed:
        for loop in [loop for loop in _sessions_by_loop if loop.is_closed()]:
            del _sessions_by_loop[loop]
        session = _sessions_by_loop[running_loop] = aiohttp.ClientSession(
            # The caller keeps to CONCURRENT: waiting here would count as GES's time.
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
    return session


@event_loop.at_end
async def close_connections() -> None:
    """Close the running loop's connections to GES."""
    if session := _sessions_by_loop.pop(asyncio.get_running_loop(), None):
        await session.close()
