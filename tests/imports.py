"""Imports as GES reports them, recorded: what the tests of the pages look at."""

import json
from datetime import timedelta

from jobs.ges.simulator.story import Story
from jobs.record import find_graph, find_jobs, observe, record
from tests.factories import NOW

LISTS = {"schema": "schemaPath", "vertex": "vertexsetPath", "edge": "edgesetPath"}


def file(path, failed=0, loaded=10, kind="vertex", **fields):
    """One file of a job detail: its list, and what GES reports; not counted if `failed` is None."""
    status = "success" if not failed else "partFailed" if loaded else "failed"
    counts = (
        {}
        if failed is None
        else {"totalLines": failed + loaded, "failedLines": failed, "successfulLines": loaded}
    )
    return LISTS[kind], {"path": path, "status": status, **counts, **fields}


def reply_body(
    job_id,
    *files,
    begin=NOW - timedelta(hours=1),
    took=timedelta(minutes=5),
    status="success",
    **fields,
):
    """GES's bytes about a job."""
    values = {
        "jobId": job_id,
        "jobName": "ImportGraph",
        "jobType": "GraphManagement",
        "status": status,
    }
    if begin is not None:
        values["beginTime"] = f"{begin:%Y-%m-%dT%H:%M:%S}"
        if took is not None:
            values["endTime"] = f"{begin + took:%Y-%m-%dT%H:%M:%S}"
    if files:
        detail = {}
        for file_list, fields_of_file in files:
            detail.setdefault(file_list, []).append(fields_of_file)
        values["jobDetail"] = detail
    return json.dumps(values | fields).encode()


def record_reply(project, job_id, *files, graph="payments", at=NOW, source="poll", **fields):
    """Record one reply about a job, and the job as it is then."""
    stored_graph = find_graph(project, f"id-of-{graph}", graph)
    job = find_jobs(project, [(stored_graph, job_id, at)])[job_id]
    record([observe(job, source, at, 200, reply_body(job_id, *files, **fields))], now=at)
    job.refresh_from_db()
    return job


def record_story(project, epoch=NOW):
    """All jobs of the simulator's GES at its epoch: a month of nights, and one of each rarity."""
    story = Story(7, epoch)
    story_jobs = story.jobs(epoch)
    graphs = {
        graph["name"]: find_graph(project, graph["id"], graph["name"]) for graph in story.graphs()
    }
    for name in {job.graph for job in story_jobs} - set(graphs):
        graphs[name] = project.graphs.create(name=name, is_deleted=True)
    jobs = find_jobs(project, [(graphs[job.graph], job.job_id, epoch) for job in story_jobs])
    record([_story_reply(story, jobs[job.job_id], job, epoch) for job in story_jobs])


def _story_reply(story, job, story_job, epoch):
    body = json.dumps(story.state(story_job, epoch), ensure_ascii=False).encode()
    return observe(job, "list", epoch, 200, body)
