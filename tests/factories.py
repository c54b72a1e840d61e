"""Values that tests of every kind begin with: a moment, and GES's bytes about a job."""

import json
from datetime import UTC, datetime

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def body(job_id="j1", status="success", **fields):
    return json.dumps(
        {"jobId": job_id, "status": status, "jobName": "ImportGraph", **fields}
    ).encode()
