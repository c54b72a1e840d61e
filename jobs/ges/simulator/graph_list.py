"""The simulated GES's graph list, in v1's keys."""

from datetime import datetime, timedelta
from typing import Any

from jobs.ges.simulator.plot import GraphPlot
from jobs.ges.simulator.replies import SimulatedJob, status_of


def graph_item(
    graph: GraphPlot, number: int, jobs: list[SimulatedJob], epoch: datetime, now: datetime
) -> dict[str, Any]:
    """One item; `number` makes graphs differ in age and version."""
    imports = [job for job in jobs if job.graph == graph.name and job.files]
    newest = next(job for job in imports if job.has_ended(now))
    is_importing = any(job.begin <= now and not job.has_ended(now) for job in imports)
    created = epoch - timedelta(days=90 + 31 * number)
    return {
        "id": graph.graph_id,
        "name": graph.name,
        "status": "202" if is_importing else "200",
        "actionProgress": None,
        **_files_of_graph(newest, now),
        "dataStoreVersion": ("2.4.2", "2.4.2", "2.3.17", "2.4.2", "2.2.13")[number],
        "graphSizeTypeIndex": "2",
        "regionCode": "cn-north-4",
        "azCode": "cn-north-4a",
        "createdBy": "graph-team",
        "created": f"{created:%Y-%m-%dT%H:%M:%S}",
        "updated": f"{newest.end:%Y-%m-%dT%H:%M:%S}",
        "replication": 1,
        "privateIp": f"192.168.0.{20 + number}",
        "publicIp": None,
        "arch": "x86_64",
        "enableFulltextIndex": False,
        "enableRBAC": False,
        "sys_tags": [],
    }


def _files_of_graph(newest: SimulatedJob, now: datetime) -> dict[str, list[dict[str, Any]]]:
    """The files of a graph's newest import, as the graph list has them."""
    detail = status_of(newest, now)["jobDetail"]
    words = {"partFailed": "partiallyFailed"}  # this list spells it as jobs do
    return {
        key: [
            {
                "path": file["path"],
                "jobId": newest.job_id,
                "status": words.get(file["status"], file["status"]),
            }
            for file in detail[key] or []
        ]
        for key in ("schemaPath", "edgesetPath", "vertexsetPath")
    }
