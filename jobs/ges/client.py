"""Asks GES, with its credentials. Only here and in `exchange` is a socket to GES opened."""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import quote, urlencode

import aiohttp

from jobs.ges import auth
from jobs.ges.errors import NoCredentials, Refused
from jobs.ges.exchange import Answer as Answer
from jobs.ges.exchange import exchange

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


def status_path(project_id: str, graph_id: str, job_id: str, version: int = 1) -> str:
    """The path of a job's status; ids are percent-encoded whole."""
    ids = [quote(one, safe="") for one in (project_id, graph_id, job_id)]
    return "/{}/{}/graphs/{}/jobs/{}/status".format("v2" if version == 2 else "v1.0", *ids)


class Client:
    """Asks one GES project. Use as an async context manager.

    Raises, from every call: Unreachable and its kinds, TooLarge, NoCredentials. HTTP errors are answers, not exceptions.
    """

    def __init__(self, endpoint: str, project_id: str, credentials: Credentials | None) -> None:
        self.endpoint, self.project_id, self.credentials = endpoint, project_id, credentials

    async def __aenter__(self) -> "Client":
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONCURRENT))
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
        answer, self._last_headers = await exchange(self._session, method, url, headers, body)
        return answer

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
