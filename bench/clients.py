"""HTTP clients against the simulated GES, 50 requests at a time: requests a second, and CPU time a request.

uv run --with httpx --with niquests --with pyreqwest python bench/clients.py [requests]

The simulator runs in a process of its own. Every client asks for the same jobs in turn, reuses its connections, reads the whole
body, and gets its answers checked. Compare the ratios: the absolute numbers are this machine's.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from jobs.ges.simulator.server import PROJECT  # noqa: E402

TOKEN = {"X-Auth-Token": "simulated-token"}
AT_ONCE = 50
Get = Callable[[str], Awaitable[bytes]]


@asynccontextmanager
async def aiohttp_client():
    import aiohttp

    connector = aiohttp.TCPConnector(limit=AT_ONCE)
    async with aiohttp.ClientSession(connector=connector, headers=TOKEN) as session:

        async def get(url: str) -> bytes:
            async with session.get(url) as answer:
                return await answer.read()

        yield get


@asynccontextmanager
async def httpx_client():
    import httpx

    limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    async with httpx.AsyncClient(limits=limits, headers=TOKEN, timeout=60) as session:

        async def get(url: str) -> bytes:
            return (await session.get(url)).content

        yield get


@asynccontextmanager
async def niquests_client():
    import niquests

    async with niquests.AsyncSession(pool_connections=AT_ONCE, pool_maxsize=AT_ONCE) as session:

        async def get(url: str) -> bytes:
            return (await session.get(url, headers=TOKEN)).content or b""

        yield get


@asynccontextmanager
async def pyreqwest_client():
    from pyreqwest.client import ClientBuilder

    async with ClientBuilder().default_headers(TOKEN).max_connections(AT_ONCE).build() as session:

        async def get(url: str) -> bytes:
            return bytes(await (await session.get(url).build().send()).bytes())

        yield get


CLIENTS = {
    "aiohttp": aiohttp_client, "httpx": httpx_client, "niquests": niquests_client, "pyreqwest": pyreqwest_client,
}  # fmt: skip


async def measure(client, urls: list[str]) -> tuple[float, float]:
    """Requests a second, and seconds of this process's CPU a request."""
    async with client() as get:
        left = iter(urls)

        async def ask() -> None:
            for url in left:
                body = await get(url)
                assert b'"status"' in body, body[:200]

        await asyncio.gather(
            *(get(url) for url in urls[:AT_ONCE])
        )  # connections are open, code is warm
        began, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
        return len(urls) / (time.perf_counter() - began), (time.process_time() - cpu) / len(urls)


async def addresses(root: str, count: int) -> list[str]:
    import json

    async with aiohttp_client() as get:
        listed = json.loads(await get(f"{root}/v1.0/{PROJECT}/graphs/jobs?limit=300"))["jobList"]
    small = [
        job["jobId"] for job in listed if "jobDetail" not in job
    ]  # the clients' work, not the simulator's
    return [
        f"{root}/v1.0/{PROJECT}/graphs/g/jobs/{small[n % len(small)]}/status" for n in range(count)
    ]


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, str(ROOT / "manage.py"), "simulate_ges", "--port", "0"]
        env = {**os.environ, "GESDASH_HOME": home, "PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=env, text=True) as simulator:
            try:
                root = simulator.stdout.readline().split(" at ")[1].split(",")[0]
                urls = asyncio.run(addresses(root, count))
                results = {
                    name: asyncio.run(measure(client, urls)) for name, client in CLIENTS.items()
                }
            finally:
                simulator.terminate()
    rate, cpu = results["aiohttp"]
    print(f"{count:,} requests each, {AT_ONCE} at a time")
    print(f"{'client':<12}{'a second':>10}{'of aiohttp':>12}{'us CPU each':>13}{'of aiohttp':>12}")
    for name, (per_second, each) in results.items():
        print(
            f"{name:<12}{per_second:>10,.0f}{per_second / rate:>11.2f}x{each * 1e6:>13,.0f}{each / cpu:>11.2f}x"
        )


if __name__ == "__main__":
    main()
