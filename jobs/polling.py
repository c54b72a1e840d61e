"""Claim, ask, record: used by the worker, the proxy and "poll now" alike. No transaction is open while GES is asked."""

import asyncio
import random
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from jobs import budget, schedule
from jobs.ges.client import Answer, Client
from jobs.ges.errors import ErrorReply, GesError
from jobs.ges.fields import MAX_ID
from jobs.ges.reply import GraphReply, JobReply, parse_graph_page, parse_job_page
from jobs.ges.words import Verdict
from jobs.models import Graph, Job, Project, Watch
from jobs.record import Observation, find_graph, find_jobs, observe, record, tell_graph

BATCH = 200
LIST_PAGE = 100
MOST_WAIT = 5.0  # seconds a reading of the lists waits for the call budget between two pages


def client_for(project: Project) -> Client:
    """A client with the project's own credentials; it raises NoCredentials when the settings hold none."""
    configured = settings.GES_PROJECTS.get(project.credentials)
    return Client(project.endpoint, project.project_id, configured.credentials if configured else None)


def sync_projects() -> list[Project]:
    """The configured projects as rows, their addresses brought up to date."""
    return [
        Project.objects.update_or_create(
            project_id=one.project_id,
            defaults={"endpoint": one.endpoint, "credentials": one.name},
            create_defaults={
                "endpoint": one.endpoint,
                "credentials": one.name,
                "name": one.name if one.name != "env" else "",
            },
        )[0]
        for one in settings.GES_PROJECTS.values()
    ]


def check_id(value: str, what: str) -> str:
    """The id, if GES could have given it.

    Raises: ValueError with a sentence.
    """
    if not value or len(value) > MAX_ID:
        said = {"what": what, "count": len(value), "most": MAX_ID}
        raise ValueError(gettext("The %(what)s has %(count)s characters; expected 1 to %(most)s.") % said)
    if not value.isprintable() or "/" in value or value in {".", ".."}:
        text = gettext("The %(what)s %(value)s holds a slash, only dots or unprintable characters; no id of GES does.")
        raise ValueError(text % {"what": what, "value": f"{value!r:.80}"})
    return value


def watch(project: Project, graph_id: str, job_id: str, now: datetime, graph_name: str = "") -> Job:
    """Start watching a job; watching it twice changes nothing.

    Raises: ValueError with a sentence when an id can't be one.
    """
    check_id(graph_id, gettext("graph id")), check_id(job_id, gettext("job id"))
    graph = find_graph(project, graph_id, graph_name)
    job = find_jobs(project, [(graph, job_id, now)])[job_id]
    if job.graph_id != graph.pk:
        said = {"job": job_id, "right": str(job.graph), "wrong": str(graph)}
        raise ValueError(gettext("Job %(job)s belongs to graph %(right)s, not to %(wrong)s.") % said)
    if not job.is_final:
        Watch.objects.get_or_create(job=job, defaults={"next_poll_at": now})
    return job


def watch_unfinished(jobs: Iterable[Job]) -> None:
    """Start watching those of these jobs that have no final word, where GES can be asked about them."""
    pks = {job.pk for job in jobs}
    found = Job.objects.unfinished().filter(pk__in=pks, graph__graph_id__isnull=False).exclude(project__endpoint="")
    now = timezone.now()
    Watch.objects.bulk_create([Watch(job=job, next_poll_at=now) for job in found], ignore_conflicts=True)


def claim(now: datetime, limit: int = BATCH, project: Project | None = None) -> list[Watch]:
    """Take up to `limit` due watches for this worker alone; the lease runs out by itself if it dies."""
    with transaction.atomic():
        wanted = Watch.objects.due(now)
        due = (
            (wanted if project is None else wanted.filter(job__project=project))
            .select_for_update(skip_locked=True, of=("self",))
            .select_related("job__graph", "job__project")
        )
        taken = list(due.order_by("next_poll_at")[:limit])
        Watch.objects.filter(pk__in=[one.pk for one in taken]).update(leased_until=now + schedule.LEASE)
    return taken


def poll_due(now: datetime, limit: int = BATCH) -> int:
    """One step of work: claim, ask, record, plan the next poll. How many jobs were asked about.

    What a project's call budget does not allow stays due.
    """
    watches: list[Watch] = []
    for project in Project.objects.filter(pk__in=Watch.objects.due(now).values("job__project")).order_by("?"):
        room = limit - len(watches)
        wanted = len(Watch.objects.due(now).filter(job__project=project).values_list("pk")[:room])
        if wanted and (granted := budget.take(project, wanted, now)):
            watches += claim(now, granted, project)
    if watches:
        _finish(watches, _ask([one.job for one in watches], "poll"))
    return len(watches)


def poll_now(job: Job) -> None:
    """Ask about one job at once.

    Raises: the GesError, after it was recorded, when GES gave no usable answer; budget.Spent or budget.Resting when it may
    not be asked.
    """
    now = timezone.now()
    budget.take_one(job.project, now)
    one, _ = Watch.objects.get_or_create(job=job, defaults={"next_poll_at": now})
    [(seen, _answer)] = _ask([job], "poll")
    _finish([one], [(seen, _answer)])
    if seen.error:
        raise seen.error


def ask_now(project: Project, graph_id: str, job_id: str, version: int = 1) -> Answer:
    """Ask GES about a job for the proxy and record what it said.

    Raises: the GesError; an ErrorReply carries the answer as `answer`. budget.Spent or budget.Resting when it may not be
    asked. A job that is not known yet is stored only if GES knows it, and watched where the project says so.
    """
    check_id(graph_id, gettext("graph id")), check_id(job_id, gettext("job id"))
    now = timezone.now()
    budget.take_one(project, now)
    job = Job.objects.filter(project=project, job_id=job_id).select_related("graph", "project").first()
    if job is None:
        job = Job(project=project, graph=Graph(project=project, graph_id=graph_id), job_id=job_id)
    else:
        # The poller passes it over meanwhile.
        free = Watch.objects.filter(Q(leased_until=None) | Q(leased_until__lte=now), job=job)
        free.update(leased_until=now + schedule.LEASE)
    [(seen, answer)] = _ask([job], "proxy", version=version, graph_id=graph_id)
    if seen.error is None and job.pk is None:
        graph = find_graph(project, graph_id)
        seen.job = job = find_jobs(project, [(graph, job_id, seen.observed_at)])[job_id]
    if seen.error is None and project.watches_proxied:
        Watch.objects.get_or_create(job=job, defaults={"next_poll_at": seen.observed_at})
    if job.pk is not None:
        _finish(list(Watch.objects.filter(job=job)), [(seen, answer)])
    if seen.error is not None:
        if isinstance(seen.error, ErrorReply) and answer is not None:
            seen.error.answer = answer
        raise seen.error
    assert answer is not None  # noqa: S101  a reply was read from it
    return answer


type Asked = tuple[Observation, Answer | None]


def release_connection() -> None:
    """Give the database connection back to the pool, so that whoever waits for GES keeps none from the others."""
    if not connection.in_atomic_block:
        connection.close()


def _ask(jobs: Sequence[Job], source: str, version: int = 1, graph_id: str | None = None) -> list[Asked]:
    """Ask about all of these at once, each project with its own client; in the order given.

    `graph_id` is what a caller named, where that may differ from the graph the job is known by.
    """

    # What the database knows is read before the event loop starts: no query may run inside it.
    clients = {job.project_id: client_for(job.project) for job in jobs}
    graph_ids = [graph_id or job.graph.graph_id or "" for job in jobs]
    release_connection()

    async def ask_all() -> list[Asked]:
        async with AsyncExitStack() as stack:
            opened = {pk: await stack.enter_async_context(client) for pk, client in clients.items()}
            asked = [
                _ask_one(opened[job.project_id], job, graph_id, source, version)
                for job, graph_id in zip(jobs, graph_ids, strict=True)
            ]
            return list(await asyncio.gather(*asked))

    asked = asyncio.run(ask_all())
    for project in {job.project_id: job.project for job in jobs}.values():
        budget.tell(project, [seen.error for seen, _ in asked if seen.job.project_id == project.pk], timezone.now())
    return asked


async def _ask_one(client: Client, job: Job, graph_id: str, source: str, version: int) -> Asked:
    try:
        answer = await client.status(graph_id, job.job_id, version)
    except GesError as error:
        return Observation(job, source, timezone.now(), None, None, error=error), None
    seen = observe(job, source, answer.observed_at, answer.http_status, answer.body)
    seen.content_type = answer.content_type
    if seen.reply is not None and source == "proxy":
        # What was asked, not what the keys look like: a bare {"status"} is the same in both.
        seen.reply = replace(seen.reply, version=version)
    if seen.error is not None:
        seen.error.retry_after = answer.retry_after
    return seen, answer


def _finish(watches: Sequence[Watch], asked: Sequence[Asked]) -> None:
    """Record the answers, then give the leases back with the time of the next poll; jobs of the proxy may have no watch."""
    record([seen for seen, _ in asked], now=timezone.now())
    verdicts = dict(Job.objects.filter(pk__in=[one.pk for one in watches]).values_list("pk", "verdict"))
    told = {seen.job.pk: seen for seen, _ in asked}
    for one in watches:
        seen = told[one.pk]
        now = seen.observed_at
        one.leased_until = None
        if seen.error is None:
            one.failures = 0
            one.next_poll_at = schedule.next_poll(Verdict(verdicts[one.pk]), first_seen_at=seen.job.first_seen_at, now=now)
        elif Verdict(verdicts[one.pk]).is_final:
            one.next_poll_at = None
        else:
            one.failures += 1
            wait = schedule.after_failure(one.failures, seen.error.retry_after, random.random())  # noqa: S311
            one.next_poll_at = now + wait
    Watch.objects.bulk_update(watches, ["leased_until", "failures", "next_poll_at"])


@dataclass
class _Listed:
    graphs: list[GraphReply]
    jobs: list[tuple[JobReply, bytes]]
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
        Project.objects.filter(pk=project.pk).update(problem=str(error)[:2000])
        return 0
    graphs = _graphs_by_name(project, listed.graphs)
    items = {reply.job_id: (reply, raw) for reply, raw in listed.jobs if reply.job_id}
    wanted = [(_graph_named(project, graphs, reply), job_id, listed.observed_at) for job_id, (reply, _) in items.items()]
    jobs = find_jobs(project, wanted)
    for start in range(0, len(items), BATCH):
        ids = list(items)[start : start + BATCH]
        told = [
            Observation(jobs[i], "list", listed.observed_at, 200, items[i][1], reply=items[i][0]) for i in ids if i in jobs
        ]
        record(told, now=timezone.now())
    watch_unfinished(jobs.values())
    Project.objects.filter(pk=project.pk).update(discovered_at=listed.observed_at, problem="")
    return len(items)


async def _list(project: Project, *, only_newest: bool) -> _Listed:
    graphs: list[GraphReply] = []
    jobs: list[tuple[JobReply, bytes]] = []
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
            jobs += found.jobs
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
