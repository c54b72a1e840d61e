"""Cost and memory of sealing, verifying, pruning, moving and evidence, against ingesting the same replies; each a process of its own.

uv run python bench/proof.py [jobs]

Twice, the second time with four times the jobs: what takes constant memory shows the same peak.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.ingest import MANAGE, ROOT, run

CHECK = ROOT / "jobs/proof/check_evidence.py"
STEPS = ("pending", "running", "running", "running", "success")
SEAL = """
import django
django.setup()
from django.utils import timezone
from jobs.models import Project
from jobs.proof.seal import seal_all
assert seal_all(now=timezone.now()) == 1
Project.objects.update(keeps="changes", keep_days=0)
"""


def write(path: Path, jobs: int) -> None:
    with path.open("w") as out:
        for step, status in enumerate(STEPS):
            for number in range(jobs):
                body = {
                    "jobId": f"job{number:08d}",
                    "status": status,
                    "jobName": "ImportGraph",
                    "jobProgress": step,
                }
                if status == "success":
                    body["jobDetail"] = {
                        "vertexsetPath": [
                            {"path": f"b/{number}.csv", "status": "success", "totalLines": 9}
                        ]
                    }
                row = {
                    "project_id": "bench",
                    "graph_id": f"g{number % 20}",
                    "job_id": body["jobId"],
                    "http_status": 200,
                }
                at = f"2026-01-01T00:{step:02d}:00Z"
                out.write(json.dumps({**row, "observed_at": at, "body": json.dumps(body)}) + "\n")


def measure(jobs: int, folder: Path) -> None:
    os.environ["GESDASH_HOME"] = str(folder / f"home-{jobs}")
    write(folder / "in.jsonl", jobs)
    run("migrate", "-v0")
    seconds, peak = run("ingest", str(folder / "in.jsonl"))
    print(
        f"{jobs:,} jobs of {len(STEPS)} replies: ingested in {seconds:.1f} s, peak {peak:.0f} MiB"
    )
    done = {
        "seal": timed([sys.executable, "-c", SEAL]),
        "verify": timed([*MANAGE, "verify"]),
        "prune": timed([*MANAGE, "prune"]),
        "verify again": timed([*MANAGE, "verify"]),
        "export history": timed([*MANAGE, "export", "history"]),
        "evidence": timed([*MANAGE, "evidence", "-o", str(folder / "evidence.zip")]),
        "evidence verified": timed([sys.executable, str(CHECK), str(folder / "evidence.zip")]),
    }
    for what, (took, most) in done.items():
        print(f"  {what}: {took / seconds:.2f} of ingesting, peak {most:.0f} MiB")


def timed(command: list[str]) -> tuple[float, float]:
    """Seconds and peak MiB, as `bench.ingest.run`, of what need not be quiet."""
    began = time.monotonic()
    settings = {**os.environ, "DJANGO_SETTINGS_MODULE": "gesdash.settings"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT, env=settings)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command[1:])} ended with {process.returncode}")
    return time.monotonic() - began, used.ru_maxrss / 1024


def main() -> None:
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with tempfile.TemporaryDirectory() as folder:
        for count in (jobs, 4 * jobs):
            measure(count, Path(folder))


if __name__ == "__main__":
    main()
