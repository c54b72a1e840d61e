"""A GES on loopback, for the demo, the tests and the benchmarks. All follows from seed and clock.

Its check of signatures is an implementation of its own, apart from `signing`, so that the one
proves the other.
"""

import asyncio
import hashlib
import hmac
import json
import re
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote

from aiohttp import web

from jobs.ges.simulator.faults import Fault, go_wrong
from jobs.ges.simulator.snake_case import to_v2
from jobs.ges.simulator.story import Story

PROJECT = "0b4c9e2d8f7a41c6a5d3e1f2b7c80d9e"


class Simulator:
    """One GES project.

    `requests` counts requests by (endpoint, job id). `sent` counts the job statuses that left this
    process whole, by (endpoint, job id, body); the endpoint is "jobs" for an item of a list.
    """

    def __init__(
        self,
        *,
        seed: int = 7,
        project_id: str = PROJECT,
        access_key: str = "SIMULATED",
        secret_key: str = "simulated-secret",  # noqa: S107  it guards nothing
        token: str = "simulated-token",  # noqa: S107
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        started_at: datetime | None = None,
    ) -> None:
        self.project_id = project_id
        self.access_key = access_key
        self.secret_key = secret_key
        self.token = token
        self.now = now
        self.story = Story(seed, started_at or now())
        self.requests: Counter[tuple[str, str]] = Counter()
        self.sent: Counter[tuple[str, str, bytes]] = Counter()
        self.faults: list[Fault] = []
        self._number = 0

    def fault(self, kind: str, job_id: str | None = None, times: int = 1, **options: Any) -> None:
        """Let an answer go wrong; the kinds are `faults.KINDS`."""
        self.faults.append(Fault(kind, job_id, times, options))

    def state(self, job_id: str) -> dict[str, Any] | None:
        """The v1 status of a job now; None for one that does not exist (yet)."""
        job = self.story.find(job_id, self.now())
        return None if job is None else self.story.state(job, self.now())

    def app(self) -> web.Application:
        """The routes of v1.0 and v2."""
        app = web.Application()
        for version in ("v1.0", "v2"):
            root = f"/{version}/{{project}}/graphs"
            app.router.add_get(f"{root}/{{graph}}/jobs/{{job}}/status", self._answer(self._status))
            app.router.add_get(f"{root}/jobs", self._answer(self._jobs))
            app.router.add_get(root, self._answer(self._graphs))
        return app

    def _answer(
        self, view: Callable[[web.Request], tuple[int, dict[str, Any]]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            endpoint = view.__name__.strip("_")
            self.requests[endpoint, request.match_info.get("job", "")] += 1
            self._number += 1
            status, data = self._refusal(request) or view(request)
            if request.path.startswith("/v2"):
                data = to_v2(data)
            body = _bytes(data)
            fault = self._next_fault(request.match_info.get("job"))
            headers = {"X-Request-Id": f"sim-{self._number:08d}"}
            if fault is not None and not await go_wrong(fault, request, body, headers):
                return web.Response()
            response = web.Response(
                status=status, body=body, content_type="application/json", headers=headers
            )
            try:
                await response.prepare(request)
                await response.write_eof()
            except ConnectionError:  # the client is gone and got nothing
                return response
            if status == 200:
                self._count_sent(endpoint, request.match_info.get("job", ""), data, body)
            return response

        return answer

    def _count_sent(self, endpoint: str, job_id: str, data: dict[str, Any], body: bytes) -> None:
        if endpoint == "status":
            self.sent[endpoint, job_id, body] += 1
        elif endpoint == "jobs":
            for item in data.get("jobList", data.get("job_list", [])):
                self.sent[endpoint, item.get("jobId", item.get("job_id")), _bytes(item)] += 1

    def _refusal(self, request: web.Request) -> tuple[int, dict[str, Any]] | None:
        problem = self._authentication_problem(request)
        if problem:
            return 401, {
                "error_msg": f"Incorrect IAM authentication information: {problem}",
                "error_code": "APIGW.0301",
            }
        if request.match_info["project"] != self.project_id:
            return 403, {"errorMessage": "Insufficient permission.", "errorCode": "GES.7041"}
        return None

    def _authentication_problem(self, request: web.Request) -> str | None:
        if "X-Auth-Token" in request.headers and "Authorization" not in request.headers:
            is_valid = hmac.compare_digest(request.headers["X-Auth-Token"], self.token)
            return None if is_valid else "decrypt token fail"
        claim = re.fullmatch(
            r"SDK-HMAC-SHA256 Access=(\S+), SignedHeaders=(\S+), Signature=(\w+)",
            request.headers.get("Authorization", ""),
        )
        if claim is None:
            return "x-auth-token not found"
        date = request.headers.get("X-Sdk-Date", "")
        try:
            signed_at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            return "x-sdk-date is missing"
        if abs(datetime.now(UTC) - signed_at) > timedelta(minutes=15):
            return "signature expired"
        expected = self._signature(request, claim[2], date)
        is_valid = claim[1] == self.access_key and hmac.compare_digest(expected, claim[3])
        return None if is_valid else "verify aksk signature fail"

    def _signature(self, request: web.Request, names: str, date: str) -> str:
        path, _, query = request.raw_path.partition("?")
        pieces = [quote(unquote(piece), safe="~-._") for piece in path.strip("/").split("/")]
        lines = [f"{name}:{request.headers.get(name, '').strip()}" for name in names.split(";")]
        parts = [
            request.method,
            "/" + "/".join(pieces) + "/",
            "&".join(sorted(query.split("&"))),
            *lines,
            "",
            names,
        ]
        canonical = "\n".join([*parts, hashlib.sha256(b"").hexdigest()])
        text = f"SDK-HMAC-SHA256\n{date}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        return hmac.new(self.secret_key.encode(), text.encode(), "sha256").hexdigest()

    def _status(self, request: web.Request) -> tuple[int, dict[str, Any]]:
        state = self.state(request.match_info["job"])
        if state is None:
            message = f"can not find job, jobId is {request.match_info['job']}"
            return 400, {"errorMessage": message, "errorCode": "GES.8301"}
        return 200, state

    def _jobs(self, request: web.Request) -> tuple[int, dict[str, Any]]:
        page, now = _page(request), self.now()
        if page is None:
            return 400, {"errorMessage": "parameter format error", "errorCode": "GES.8000"}
        jobs = self.story.jobs(now)
        items = [self.story.state(job, now) for job in jobs[page]]
        return 200, {"jobCount": len(jobs), "jobList": items}

    def _graphs(self, request: web.Request) -> tuple[int, dict[str, Any]]:
        page, graphs = _page(request), self.story.graphs(self.now())
        if page is None:
            return 400, {"errorMessage": "parameter format error", "errorCode": "GES.8000"}
        return 200, {"graphCount": len(graphs), "graphs": graphs[page]}

    def _next_fault(self, job_id: str | None) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and fault.job_id in {None, job_id}:
                fault.times -= 1
                return fault
        return None


def _bytes(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode()


def _page(request: web.Request) -> slice | None:
    """The requested page of a list; None when the query can't be read."""
    try:
        offset = int(request.query.get("offset", 0))
        limit = int(request.query.get("limit", 10))
    except ValueError:
        return None
    return slice(offset, offset + limit) if offset >= 0 and limit >= 0 else None


async def serve(
    simulator: Simulator, host: str = "127.0.0.1", port: int = 0
) -> tuple[web.AppRunner, int]:
    """Start the server. Returns its runner, whose `cleanup()` stops it, and its port."""
    runner = web.AppRunner(simulator.app(), access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    return runner, runner.addresses[0][1]


@contextmanager
def run_in_thread(simulator: Simulator) -> Iterator[str]:
    """Serve from another thread; yields the address."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runner, port = asyncio.run_coroutine_threadsafe(serve(simulator), loop).result(10)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
