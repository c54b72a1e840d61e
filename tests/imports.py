"""Imports as GES tells them, recorded: what the tests of the pages look at."""

import json
from datetime import timedelta

from jobs.record import find_graph, find_jobs, observe, record
from tests.factories import NOW

LISTS = {"schema": "schemaPath", "vertex": "vertexsetPath", "edge": "edgesetPath"}


def file(path, failed=0, loaded=10, kind="vertex", **fields):
    """One file of a job detail: its list and what GES says of it; `failed` None is not counted."""
    status = "success" if not failed else "partFailed" if loaded else "failed"
    counts = (
        {}
        if failed is None
        else {"totalLines": failed + loaded, "failedLines": failed, "successfulLines": loaded}
    )
    return LISTS[kind], {"path": path, "status": status, **counts, **fields}


def said(
    job_id,
    *files,
    begin=NOW - timedelta(hours=1),
    took=timedelta(minutes=5),
    status="success",
    **fields,
):
    """GES's bytes about a job."""
    told = {
        "jobId": job_id,
        "jobName": "ImportGraph",
        "jobType": "GraphManagement",
        "status": status,
    }
    if begin is not None:
        told["beginTime"] = f"{begin:%Y-%m-%dT%H:%M:%S}"
        if took is not None:
            told["endTime"] = f"{begin + took:%Y-%m-%dT%H:%M:%S}"
    if files:
        detail = {}
        for place, one in files:
            detail.setdefault(place, []).append(one)
        told["jobDetail"] = detail
    return json.dumps(told | fields).encode()


def tell(project, job_id, *files, graph="payments", at=NOW, source="poll", **fields):
    """Record one reply about a job, and the job as it stands then."""
    place = find_graph(project, f"id-of-{graph}", graph)
    job = find_jobs(project, [(place, job_id, at)])[job_id]
    record([observe(job, source, at, 200, said(job_id, *files, **fields))], now=at)
    job.refresh_from_db()
    return job


def tell_story(project, epoch=NOW):
    """All that the simulator's GES has to tell at its epoch: a month of nights, and one of each rarity."""
    from jobs.ges.simulator.story import Story

    story = Story(7, epoch)
    told = story.jobs(epoch)
    graphs = {
        graph["name"]: find_graph(project, graph["id"], graph["name"]) for graph in story.graphs()
    }
    for name in {job.graph for job in told} - set(graphs):
        graphs[name] = project.graphs.create(name=name, is_deleted=True)
    jobs = find_jobs(project, [(graphs[job.graph], job.job_id, epoch) for job in told])
    record(
        [
            observe(
                jobs[job.job_id],
                "list",
                epoch,
                200,
                json.dumps(story.state(job, epoch), ensure_ascii=False).encode(),
            )
            for job in told
        ]
    )
