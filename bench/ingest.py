"""Memory and speed of `ingest`: 100,000 replies of three files each, in a process of its own.

uv run python bench/ingest.py [replies]
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent


def write(path: Path, count: int) -> None:
    with path.open("w") as out:
        for number in range(count):
            data = [{"path": f"b/{number}/{kind}.csv", "status": "success", "totalLines": 9, "failedLines": 0, "successfulLines": 9}
                    for kind in ("vertex", "edge", "schema")]  # fmt: skip
            detail = {"vertexsetPath": data[:1], "edgesetPath": data[1:2], "schemaPath": data[2:]}
            body = {"jobId": f"job{number:08d}", "status": "success", "jobName": "ImportGraph", "jobDetail": detail}
            row = {"project_id": "bench", "graph_id": f"g{number % 20}", "job_id": body["jobId"], "http_status": 200}
            out.write(json.dumps({**row, "observed_at": "2026-01-01T00:00:00Z", "body": json.dumps(body)}) + "\n")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GESDASH_HOME"] = f"{folder}/home"
        write(Path(folder) / "in.jsonl", count)
        command = [sys.executable, str(ROOT / "manage.py")]
        subprocess.run([*command, "migrate", "-v0"], check=True)
        began = time.monotonic()
        subprocess.run([*command, "ingest", f"{folder}/in.jsonl"], check=True)
        seconds = time.monotonic() - began
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"{count:,} replies in {seconds:.0f} s, {count / seconds:,.0f} a second; peak of any process {peak:.0f} MiB")


if __name__ == "__main__":
    main()
