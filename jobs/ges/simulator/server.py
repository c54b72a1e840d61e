"""A GES on loopback, for the demo, the tests and the benchmarks. Everything it says follows from seed and clock.

Its signature check is an implementation of its own, apart from `auth`, so that the one proves the other.
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
from jobs.ges.simulator.story import Story, to_v2

PROJECT = "0b4c9e2d8f7a41c6a5d3e1f2b7c80d9e"


class Simulator:
    """One GES project; `asked` counts the requests it answered by (what, job id).

    `told`: each distinct job status that left this process whole, as (what, job id, body) and how often: "status" for an answer
    of its own, "jobs" for an item of a list.
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
        self.project_id, self.access_key, self.secret_key, self.token, self.now = (
            project_id,
            access_key,
            secret_key,
            token,
            now,
        )
        self.story = Story(seed, started_at or now())
        self.asked: Counter[tuple[str, str]] = Counter()
        self.told: Counter[tuple[str, str, bytes]] = Counter()
        self.faults: list[Fault] = []
        self._number = 0

    def fault(self, kind: str, job_id: str | None = None, times: int = 1, **options: Any) -> None:
        """Let something go wrong; the kinds are `simulator_faults.KINDS`."""
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
            what = view.__name__.strip("_")
            self.asked[what, request.match_info.get("job", "")] += 1
            self._number += 1
            status, data = self._refusal(request) or view(request)
            said = to_v2(data) if request.path.startswith("/v2") else data
            body = _bytes(said)
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
            except ConnectionError:  # whoever asked is gone, and was told nothing
                return response
            if status == 200:
                self._tell(what, request.match_info.get("job", ""), said, body)
            return response

        return answer

    def _tell(self, what: str, job_id: str, said: dict[str, Any], body: bytes) -> None:
        if what == "status":
            self.told[what, job_id, body] += 1
        elif what == "jobs":
            for item in said.get("jobList", said.get("job_list", [])):
                self.told[what, item.get("jobId", item.get("job_id")), _bytes(item)] += 1

    def _refusal(self, request: web.Request) -> tuple[int, dict[str, Any]] | None:
        why = self._what_is_wrong_with_authentication(request)
        if why:
            return 401, {
                "error_msg": f"Incorrect IAM authentication information: {why}",
                "error_code": "APIGW.0301",
            }
        if request.match_info["project"] != self.project_id:
            return 403, {"errorMessage": "Insufficient permission.", "errorCode": "GES.7041"}
        return None

    def _what_is_wrong_with_authentication(self, request: web.Request) -> str | None:
        if "X-Auth-Token" in request.headers and "Authorization" not in request.headers:
            return (
                None
                if hmac.compare_digest(request.headers["X-Auth-Token"], self.token)
                else "decrypt token fail"
            )
        shown = re.fullmatch(
            r"SDK-HMAC-SHA256 Access=(\S+), SignedHeaders=(\S+), Signature=(\w+)",
            request.headers.get("Authorization", ""),
        )
        if shown is None:
            return "x-auth-token not found"
        date = request.headers.get("X-Sdk-Date", "")
        try:
            at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            return "x-sdk-date is missing"
        if abs(datetime.now(UTC) - at) > timedelta(minutes=15):
            return "signature expired"
        right = shown[1] == self.access_key and hmac.compare_digest(
            self._signature(request, shown[2], date), shown[3]
        )
        return None if right else "verify aksk signature fail"

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
            missing = request.match_info["job"]
            return 400, {
                "errorMessage": f"can not find job, jobId is {missing}",
                "errorCode": "GES.8301",
            }
        return 200, state

    def _jobs(self, request: web.Request) -> tuple[int, dict[str, Any]]:
        place, now = _place(request), self.now()
        if place is None:
            return 400, {"errorMessage": "parameter format error", "errorCode": "GES.8000"}
        jobs = self.story.jobs(now)
        return 200, {
            "jobCount": len(jobs),
            "jobList": [self.story.state(job, now) for job in jobs[place]],
        }

    def _graphs(self, request: web.Request) -> tuple[int, dict[str, Any]]:
        place, graphs = _place(request), self.story.graphs(self.now())
        if place is None:
            return 400, {"errorMessage": "parameter format error", "errorCode": "GES.8000"}
        return 200, {"graphCount": len(graphs), "graphs": graphs[place]}

    def _next_fault(self, job_id: str | None) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and fault.job_id in {None, job_id}:
                fault.times -= 1
                return fault
        return None


def _bytes(said: Any) -> bytes:
    return json.dumps(said, ensure_ascii=False).encode()


def _place(request: web.Request) -> slice | None:
    """The page of a list that is asked for; None when it can't be read."""
    try:
        offset, limit = (
            int(request.query.get(name, default))
            for name, default in (("offset", 0), ("limit", 10))
        )
    except ValueError:
        return None
    return slice(offset, offset + limit) if offset >= 0 and limit >= 0 else None


async def serve(
    simulator: Simulator, host: str = "127.0.0.1", port: int = 0
) -> tuple[web.AppRunner, int]:
    """Start answering; `await runner.cleanup()` stops it. Returns the port it listens on."""
    runner = web.AppRunner(simulator.app(), access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    return runner, runner.addresses[0][1]


@contextmanager
def run_in_thread(simulator: Simulator) -> Iterator[str]:
    """Answer from another thread; gives the address."""
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
