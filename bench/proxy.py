"""The proxy beside nginx's proxy_pass to the same simulated GES, and beside that GES itself, in one run.

uv run python bench/proxy.py [seconds] [server processes]

nginx comes from the system (apt-get install nginx-light); without it that column is left out. The numbers are of one machine
and one load generator (aiohttp, this process); what carries over is the ratios.
"""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import aiohttp

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
PROJECT, CONNECTIONS = "0b4c9e2d8f7a41c6a5d3e1f2b7c80d9e", 16
FINAL, RUNNING = {"success", "failed", "partiallyFailed"}, {"pending", "running"}
NGINX = """
worker_processes 2; daemon off; pid {folder}/nginx.pid; error_log stderr error;
events {{ worker_connections 512; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream ges {{ server 127.0.0.1:{ges}; keepalive 32; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://ges; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; }}
  }}
}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def started(stack: ExitStack, *command: str) -> None:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.terminate)


def wait_for(port: int) -> None:
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"Nothing listens on port {port}.")


async def load(
    address: str, token: str, seconds: float, rate: float | None = None
) -> tuple[float, float, int]:
    """Requests a second, p99 in milliseconds, and how many were not 200; at a rate, or as fast as it goes."""
    taken: list[float] = []
    bad = 0
    end = time.perf_counter() + seconds

    async def caller(session: aiohttp.ClientSession, number: int) -> None:
        nonlocal bad
        pause = CONNECTIONS / rate if rate else 0.0
        due = time.perf_counter() + pause * number / CONNECTIONS
        while due < end:
            if rate:
                # Open loop: counted from when it was due, so that a queue shows.
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
            began = due if rate else time.perf_counter()
            async with session.get(address) as answer:
                await answer.read()
                bad += answer.status != 200
            taken.append(time.perf_counter() - began)
            due = due + pause if rate else time.perf_counter()

    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(
        headers={"X-Auth-Token": token}, connector=connector
    ) as session:
        began = time.perf_counter()
        await asyncio.gather(*(caller(session, number) for number in range(CONNECTIONS)))
        took = time.perf_counter() - began
    taken.sort()
    return len(taken) / took, taken[int(len(taken) * 0.99)] * 1000, bad


def measured(name: str, address: str, token: str, seconds: float) -> tuple[float, float]:
    asyncio.run(load(address, token, 1.0))
    most, _, bad = asyncio.run(load(address, token, seconds))
    _, p99, more = asyncio.run(load(address, token, seconds, most / 2))
    print(
        f"{name:36} {most:7.0f} requests/s; at half of that p99 {p99:6.1f} ms"
        + (f"; {bad + more} not 200" if bad + more else "")
    )
    return most, p99


SESSION = """
from django.conf import settings
from django.contrib import auth
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
user, session = User.objects.get(username="bench"), SessionStore()
session[auth.SESSION_KEY], session[auth.HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
session[auth.BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
session.save()
print(f"{settings.SESSION_COOKIE_NAME}={session.session_key}")
"""  # of somebody signed in, so that pages can be asked for


async def pages_beside(web: str, cookie: str, token: str, callers: list[str]) -> None:
    """p95 in milliseconds of the list of jobs: alone, and while so many callers wait for a slow GES."""
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=timeout
    ) as session:

        async def look() -> float:
            taken = []
            for _ in range(40):
                began = time.perf_counter()
                async with session.get(
                    f"{web}/jobs/", headers={"Cookie": cookie}, allow_redirects=False
                ) as answer:
                    await answer.read()
                    assert answer.status == 200, answer.status
                taken.append((time.perf_counter() - began) * 1000)
            return sorted(taken)[37]

        async def call(path: str) -> None:
            async with session.get(
                web + path, headers={"X-Auth-Token": token, "Cache-Control": "no-cache"}
            ) as answer:
                await answer.read()

        alone = await look()
        waiting = [asyncio.create_task(call(path)) for path in callers]
        await asyncio.sleep(0.5)
        beside = await look()
        still = sum(not one.done() for one in waiting)
        await asyncio.gather(*waiting)
        print(
            f"the list of jobs, p95: {alone:.0f} ms alone; {beside:.0f} ms while {still} of {len(callers)} callers waited for a GES that takes 5 s"
        )


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
    processes = sys.argv[2] if len(sys.argv) > 2 else "1"
    ges, web, front = free_port(), free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        os.environ |= {
            "GESDASH_HOME": f"{folder}/home", "GES_ENDPOINT": f"http://127.0.0.1:{ges}", "GES_PROJECT_ID": PROJECT,
            "GES_AK": "SIMULATED", "GES_SK": "simulated-secret", "GESDASH_KEY_REQUESTS": "1000000", "GESDASH_LOG_LEVEL": "ERROR",
            "DJANGO_SUPERUSER_PASSWORD": "a long password",
        }  # fmt: skip
        from jobs.ges.simulator.plot import BY_NAME

        manage = [sys.executable, str(ROOT / "manage.py")]
        started(stack, *manage, "simulate_ges", "--port", str(ges))
        wait_for(ges)
        subprocess.run([*manage, "migrate", "-v0"], check=True)
        subprocess.run([*manage, "createsuperuser", "--noinput", "--username", "bench", "--email", "b@example.org"], check=True, stdout=subprocess.DEVNULL)  # fmt: skip
        token = json.loads(subprocess.check_output([*manage, "key", "bench"]))["token"]
        graph, final = BY_NAME["payments_graph"].graph_id, listed(ges, FINAL)
        subprocess.run(
            [*manage, "watch", PROJECT, graph, final], check=True, stdout=subprocess.DEVNULL
        )
        started(stack, *manage, "serve", "--port", str(web), "--processes", processes)
        wait_for(web)
        paths = {
            what: f"/v1.0/{PROJECT}/graphs/{graph}/jobs/{job}/status"
            for what, job in (("final", final), ("running", listed(ges, RUNNING)))
        }
        results = {
            "ges": measured(
                "the simulated GES itself",
                f"http://127.0.0.1:{ges}{paths['final']}",
                "simulated-token",
                seconds,
            )
        }
        if nginx := shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin"):
            Path(f"{folder}/nginx.conf").write_text(
                NGINX.format(folder=folder, ges=ges, port=front)
            )
            started(stack, nginx, "-c", f"{folder}/nginx.conf", "-p", folder)
            wait_for(front)
            results["nginx"] = measured(
                "nginx, proxy_pass to it",
                f"http://127.0.0.1:{front}{paths['final']}",
                "simulated-token",
                seconds,
            )
        for what, path in paths.items():
            results[what] = measured(
                f"gesdash, a stored {what} job", f"http://127.0.0.1:{web}{path}", token, seconds
            )
        slow = free_port()
        started(stack, *manage, "simulate_ges", "--port", str(slow), "--delay", "5")
        wait_for(slow)
        # The project's address is read from the settings by every command that starts polling.
        os.environ["GES_ENDPOINT"] = f"http://127.0.0.1:{slow}"
        subprocess.run(
            [*manage, "watch", PROJECT, graph, final], check=True, stdout=subprocess.DEVNULL
        )
        callers = [paths["final"].replace(final, f"{final}{number % 40}") for number in range(200)]
        cookie = subprocess.check_output(
            [*manage, "shell", "-v0", "-c", SESSION], text=True
        ).split()[-1]
        asyncio.run(pages_beside(f"http://127.0.0.1:{web}", cookie, token, callers))
        for beside in ("ges", "nginx"):
            for what in paths:
                if beside in results:
                    rate, p99 = (results[what][n] / results[beside][n] for n in (0, 1))
                    print(
                        f"ratio gesdash {what:7} / {beside:5}: rate {rate:.2f}, p99 at half rate {p99:.2f}"
                    )


def listed(ges: int, words: set[str]) -> str:
    """The id of an import into one graph that GES lists with one of these words."""
    asked = urllib.request.Request(
        f"http://127.0.0.1:{ges}/v1.0/{PROJECT}/graphs/jobs?limit=200",
        headers={"X-Auth-Token": "simulated-token"},
    )
    for _ in range(120):
        with urllib.request.urlopen(asked) as answer:
            jobs = json.load(answer)["jobList"]
        for job in jobs:
            if (
                job["status"] in words
                and job["jobName"] == "ImportGraph"
                and job["relatedGraph"] == "payments_graph"
            ):
                return job["jobId"]
        time.sleep(1)
    raise SystemExit(
        f"The simulated GES lists no import with one of the words {', '.join(sorted(words))}."
    )


if __name__ == "__main__":
    main()
