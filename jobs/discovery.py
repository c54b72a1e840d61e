"""What GES lists: new jobs without anybody naming them, and the graphs they belong to."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from asgiref.sync import async_to_sync, sync_to_async
from django.utils import timezone

from jobs import budget, outcomes
from jobs.asking import client_for
from jobs.finishing import watch_unfinished
from jobs.ges.errors import GesError
from jobs.ges.fields import MAX_ID
from jobs.ges.reply import GraphReply, JobReply, parse_graph_page, parse_job_page
from jobs.models import Graph, Project
from jobs.record import Observation, find_graph, find_jobs, record, tell_graph

BATCH = 200
LIST_PAGE = 100
MOST_WAIT = 5.0  # seconds a reading of the lists waits for the call budget between two pages


@dataclass
class _Listed:
    graphs: list[GraphReply]
    jobs: list[tuple[JobReply, bytes, datetime]]  # the last: when its page came
    observed_at: datetime


def discover(project: Project) -> int:
    """Bring in what the task centre lists: every job's newest state, and watches for those not final. How many jobs.

    The first time all pages are read; later the pages of jobs that began since the last look, and one more.
    """
    try:
        # Queries inside run in this thread, on its connection.
        listed = async_to_sync(_list)(project, only_newest=project.discovered_at is not None)
        budget.tell(project, [None], timezone.now())
    except GesError as error:
        if not isinstance(error, budget.Spent | budget.Resting):
            budget.tell(project, [error], timezone.now())
        outcomes.note_no_list(project, error, timezone.now())
        Project.objects.filter(pk=project.pk).update(problem=str(error)[:2000])
        return 0
    graphs = _graphs_by_name(project, listed.graphs)
    items = {reply.job_id: (reply, raw, at) for reply, raw, at in listed.jobs if reply.job_id}
    wanted = [(_graph_named(project, graphs, reply), job_id, at) for job_id, (reply, _, at) in items.items()]
    jobs = find_jobs(project, wanted)
    for start in range(0, len(items), BATCH):
        ids = list(items)[start : start + BATCH]
        known = [(jobs[i], *items[i]) for i in ids if i in jobs]
        told = [Observation(job, "list", at, 200, raw, reply=reply) for job, reply, raw, at in known]
        record(told, now=timezone.now())
        outcomes.note(told, timezone.now())
    watch_unfinished(jobs.values())
    Project.objects.filter(pk=project.pk).update(discovered_at=listed.observed_at, problem="")
    return len(items)


async def _list(project: Project, *, only_newest: bool) -> _Listed:
    graphs: list[GraphReply] = []
    jobs: list[tuple[JobReply, bytes, datetime]] = []
    async with client_for(project) as client:
        while True:
            await _draw(project)
            answer = await client.graphs(len(graphs), LIST_PAGE)
            page = parse_graph_page(answer.body, http_status=answer.http_status)
            graphs += page.graphs
            if not page.graphs or len(graphs) >= page.count:
                break
        observed_at, offset = timezone.now(), 0
        since = project.discovered_at - timedelta(hours=1) if project.discovered_at else None
        while True:
            await _draw(project)
            answer = await client.jobs(offset, LIST_PAGE)
            found = parse_job_page(answer.body, http_status=answer.http_status)
            jobs += [(reply, raw, answer.observed_at) for reply, raw in found.jobs]
            offset += len(found.jobs) + len(found.refused)
            oldest = min((reply.begin_time for reply, _ in found.jobs if reply.begin_time), default=None)
            reached = only_newest and since is not None and oldest is not None and oldest < since
            if not found.jobs or offset >= found.count or reached:
                return _Listed(graphs, jobs, observed_at)


async def _draw(project: Project) -> None:
    """Draw a call for the next page, waiting a little where the budget is just spent."""
    while True:
        try:
            return await sync_to_async(budget.take_one)(project, timezone.now())
        except budget.Spent as spent:
            if (wait := spent.retry_after or 0.0) > MOST_WAIT:
                raise
        await asyncio.sleep(wait)


def _graphs_by_name(project: Project, listed: Sequence[GraphReply]) -> dict[str, Graph]:
    for one in listed:
        find_graph(project, one.graph_id, one.name)
    ids = [one.graph_id for one in listed]
    gone = Graph.objects.filter(project=project, graph_id__isnull=False, is_deleted=False).exclude(graph_id__in=ids)
    for graph in gone:
        if not tell_graph(graph, "is_deleted", "yes"):
            Graph.objects.filter(pk=graph.pk).update(is_deleted=True)
    return {graph.name: graph for graph in Graph.objects.filter(project=project, graph_id__in=ids)}


def _graph_named(project: Project, graphs: dict[str, Graph], reply: JobReply) -> Graph:
    name = (reply.related_graph or "")[:MAX_ID]
    if name not in graphs:
        key = {"project": project, "graph_id": None, "name": name}
        bare, _made = Graph.objects.select_related("merged_into").get_or_create(**key, defaults={"is_deleted": True})
        graphs[name] = bare.merged_into or bare
    return graphs[name]
