"""How long an audited correction of 1,000 rows takes, with what it is compared to: reading the same jobs' rows anew.

Run: uv run python bench/corrections.py [ROWS]. The database is one of its own, in a folder that is removed after.
"""

import atexit
import os
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime

HOME = tempfile.mkdtemp(prefix="gesdash-bench-")
os.environ |= {"GESDASH_HOME": HOME, "DJANGO_SETTINGS_MODULE": "gesdash.settings"}
os.environ.pop("DATABASE_URL", None)
atexit.register(
    shutil.rmtree, HOME, ignore_errors=True
)  # before the database registers its stop, so that it comes after
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def main(rows: int) -> None:
    """Record so many imports of four files, correct one file of each, undo it, and say what each took."""
    import json

    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from jobs.decisions.corrections import NewCorrection, correct_all, revert_all
    from jobs.models import AuditEntry, Correction, Project
    from jobs.record import find_graph, find_jobs, observe, rebuild, record

    call_command("migrate", verbosity=0)
    actor = User.objects.create(username="bench")
    project = Project.objects.create(project_id="bench")
    graph = find_graph(project, "g1", "bench")
    jobs = list(find_jobs(project, [(graph, f"j{n}", NOW) for n in range(rows)]).values())
    file = {"status": "partFailed", "totalLines": 100, "failedLines": 5, "successfulLines": 95}
    files = [
        file | {"path": f"bucket/part-{n}.csv", "cause": f"line {n}: wrong column"}
        for n in range(4)
    ]
    told = [
        observe(
            job,
            "poll",
            NOW,
            200,
            json.dumps(
                {"jobId": job.job_id, "status": "success", "jobDetail": {"vertexsetPath": files}}
            ).encode(),
        )
        for job in jobs
    ]
    record(told)
    changes = [NewCorrection(job, "failed_lines", "4", "vertex", 0) for job in jobs]

    def timed(name, act):
        with CaptureQueriesContext(connection) as asked:
            begun = time.perf_counter()
            act()
            took = time.perf_counter() - begun
        print(f"{name}: {took:.2f} s, {len(asked)} queries")
        return took

    base = timed(f"read {rows:,} jobs anew", lambda: rebuild(jobs, now=NOW))
    made = timed(
        f"correct {rows:,} rows", lambda: correct_all(changes, reason="bench", actor=actor, now=NOW)
    )
    undone = timed(
        f"undo {rows:,} rows",
        lambda: revert_all(
            list(Correction.objects.standing()), reason="seen again", actor=actor, now=NOW
        ),
    )
    print(f"relative to reading anew: correct {made / base:.1f}, undo {undone / base:.1f}")
    assert AuditEntry.objects.filter(what="correction").count() == 2 * rows


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)
