"""Speed and memory of `ingest`: 100,000 replies of three files each, new and then seen again, each in a process of its own.

uv run python bench/ingest.py [replies]
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
MANAGE = [sys.executable, str(ROOT / "manage.py")]


def write(path: Path, count: int) -> None:
    with path.open("w") as out:
        for number in range(count):
            data = [{"path": f"b/{number}/{kind}.csv", "status": "success", "totalLines": 9, "failedLines": 0, "successfulLines": 9}
                    for kind in ("vertex", "edge", "schema")]  # fmt: skip
            detail = {"vertexsetPath": data[:1], "edgesetPath": data[1:2], "schemaPath": data[2:]}
            body = {
                "jobId": f"job{number:08d}",
                "status": "success",
                "jobName": "ImportGraph",
                "jobDetail": detail,
            }
            row = {
                "project_id": "bench",
                "graph_id": f"g{number % 20}",
                "job_id": body["jobId"],
                "http_status": 200,
            }
            out.write(
                json.dumps({**row, "observed_at": "2026-01-01T00:00:00Z", "body": json.dumps(body)})
                + "\n"
            )


def run(*command: str) -> tuple[float, float]:
    """Seconds and peak MiB of this one process."""
    began = time.monotonic()
    process = subprocess.Popen([*MANAGE, *command])
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return time.monotonic() - began, used.ru_maxrss / 1024


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GESDASH_HOME"] = f"{folder}/home"
        write(Path(folder) / "in.jsonl", count)
        run("migrate", "-v0")
        first, _ = new = run("ingest", f"{folder}/in.jsonl")
        for what, (seconds, peak) in (
            ("new", new),
            ("seen again", run("ingest", f"{folder}/in.jsonl")),
        ):
            print(
                f"{count:,} {what}: {seconds:.1f} s ({seconds / first:.2f} of new), {count / seconds:,.0f} a second, peak {peak:.0f} MiB"
            )


if __name__ == "__main__":
    main()
