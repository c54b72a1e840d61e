"""What GES lists: new jobs without anybody naming them, the month it remembers, and the graphs that they belong to.

The order of GES's job list is not documented and new jobs shift its pages while they are read, so pages overlap, and one that
does not meet the page before is read again from further up. The newest pages are read at every look, the whole list in pieces
between looks: at first, and again every few hours. An item of the list is a job's whole state, as good as a poll.
"""

import logging
from collections.abc import Callable, Collection, Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.utils import timezone

from jobs.db.outage import surely
from jobs.ges.answer import Answer
from jobs.ges.client import Client
from jobs.ges.errors import GesError, NotAJobStatus, TooLarge
from jobs.ges.reply import parse_graph_page, parse_job_page
from jobs.ges.shapes import GraphReply, JobPage, JobReply
from jobs.models import Graph, Job, Project, Watch
from jobs.models.watch import new_lease
from jobs.polling import call_budget, outcomes, schedule
from jobs.polling.answers import observed
from jobs.polling.client import StatusRequest, ask, client_for, stopping, with_token
from jobs.polling.commit import finish
from jobs.polling.graph_names import GraphsByName
from jobs.polling.watches import watch_unfinished
from jobs.record import NotRecorded, Observation, find_jobs

log = logging.getLogger(__name__)
PAGE = 100
OVERLAP = 10  # items of a page that are read again with the next
MOST_BACK = 5  # times that one reading goes back because two pages did not meet
MOST_STALE = 3  # pages in a row with nothing new: GES does not turn the page
WORTH = 5  # polls that a page must save, to be read for their sake alone
SINCE = timedelta(hours=1)  # before the last look: what began then may still be new to us
HISTORY_SECONDS = 10.0  # of each look for the whole list, where it is still to be read
AGAIN = timedelta(hours=6)  # from one reading of the whole list to the next
MOST_WAIT = 5.0  # seconds a reading waits for the call budget between two pages
MOST_NAMED = (
    20  # jobs asked about in a look, because GES's graph list names them and its job list does not
)


@dataclass
class Look:
    """One look at a project."""

    project: Project
    client: Client
    graphs: GraphsByName
    since: datetime | None
    page: int = PAGE
    jobs: set[str] = field(default_factory=set)


def discover(project: Project) -> int:
    """Bring in what GES lists: every job's newest state, and watches for those not final. How many jobs were looked at.

    What goes wrong with GES is said on the project; what was read until then is kept.
    """
    began_at, problem, jobs = timezone.now(), "", set[str]()
    since = project.discovered_at - SINCE if project.discovered_at else None
    try:
        look = Look(project, client_for(project), GraphsByName(project), since, jobs=jobs)
        named = _read_graphs(look)
        _read_newest(look)
        Project.objects.filter(pk=project.pk).update(discovered_at=began_at)
        _read_history(look)
        _ask_about(look, named)
    except GesError as error:
        problem = str(error)[:2000]
        outcomes.note_no_list(project, error, timezone.now())
    Project.objects.filter(pk=project.pk).exclude(problem=problem).update(problem=problem)
    return len(jobs)


def _read_graphs(look: Look) -> dict[str, tuple[str, ...]]:
    """Bring the graphs up to date; the import jobs that each names, by graph id."""
    listed: dict[str, GraphReply] = {}
    offset = stale = 0
    while True:
        page, _ = _call(look, Client.graphs, (offset, PAGE), parse_graph_page)
        new = [one for one in page.graphs if one.graph_id not in listed]
        listed |= {one.graph_id: one for one in new}
        stale = 0 if new else stale + 1
        offset += max(len(page.graphs) - OVERLAP, 1)
        if len(listed) >= page.count or not page.graphs or stale >= MOST_STALE:
            look.graphs.bring_up_to_date(listed.values(), are_all=len(listed) >= page.count)
            return {one.graph_id: one.job_ids for one in listed.values()}


def _read_newest(look: Look) -> None:
    """The pages of jobs that began since the last look, and on as long as a page saves enough polls; the first time one."""
    for _, page, at in _pages(look, 0):
        new, saved = _take(look, page, at, everything=False)
        begins = [reply.begin_time for reply, _ in page.jobs if reply.begin_time]
        if look.since is None:
            return
        is_newest_first = not begins or begins[0] >= begins[-1]
        is_past = not begins or min(begins) < look.since
        if is_newest_first and is_past and not new and saved < WORTH:
            return


def _read_history(look: Look) -> None:
    """Go on with the whole list, from where the last look came to."""
    project, until = look.project, monotonic() + HISTORY_SECONDS
    if project.history_offset is None:
        if project.history_read_at is not None and timezone.now() - project.history_read_at < AGAIN:
            return
        project.history_offset = 0
    row = Project.objects.filter(pk=project.pk)
    for after, page, at in _pages(look, project.history_offset):
        _take(look, page, at, everything=True)
        row.update(
            history_offset=after, **({"history_read_at": timezone.now()} if after is None else {})
        )
        if monotonic() > until:
            return


def _ask_about(look: Look, named: dict[str, tuple[str, ...]]) -> None:
    """Import jobs that only a graph's files name: asked about once, and kept in mind where GES knows them no more."""
    ids = {job_id for job_ids in named.values() for job_id in job_ids}
    known = set(
        Job.objects.filter(project=look.project, job_id__in=ids).values_list("job_id", flat=True)
    )
    left = MOST_NAMED
    for graph_id, job_ids in named.items():
        graph = look.graphs.by_id[graph_id]
        forgotten = [one for one in job_ids if one in graph.forgotten_jobs]
        for job_id in [one for one in job_ids if one not in known and one not in forgotten][:left]:
            left -= 1
            if _ask_about_one(look, graph, job_id):
                forgotten.append(job_id)
        if forgotten != graph.forgotten_jobs:
            graph.forgotten_jobs = forgotten
            graph.save(update_fields=["forgotten_jobs"])


def _ask_about_one(look: Look, graph: Graph, job_id: str) -> bool:
    """Ask about a job and keep it if GES knows it; whether GES answered and told nothing of it."""
    question = StatusRequest(
        Job(project=look.project, graph=graph, job_id=job_id), graph.graph_id or ""
    )
    _draw(look.project)
    said, look.client = ask(look.project, look.client, question)
    if said is None:
        return False
    seen = observed(question, said, "poll")

    def keep() -> None:
        call_budget.tell(look.project, [seen.error], timezone.now())
        if seen.reply is not None:
            seen.job = find_jobs(look.project, [(graph, job_id, seen.observed_at)])[job_id]
            finish([seen], new_lease(), {})
            watch_unfinished([seen.job])

    surely(keep, stopping)
    return seen.error is not None and (
        schedule.is_not_found(seen.error) or isinstance(seen.error, NotAJobStatus | NotRecorded)
    )


def _pages(look: Look, start: int) -> Iterator[tuple[int | None, JobPage, datetime]]:
    """The pages of the job list from an offset on, each with the next one's offset, None with the last, and when it came."""
    offset, before, read = start, set[str](), set[str]()
    back = stale = 0
    while True:
        try:
            page, at = _call(look, Client.jobs, (offset, look.page), parse_job_page)
        except TooLarge:
            if look.page == 1:
                log.warning(
                    "Job %s of project %s's list is over the limit; it is left out.",
                    offset,
                    look.project.project_id,
                )
                offset += 1
            look.page = max(look.page // 4, 1)
            continue
        ids = {reply.job_id for reply, _ in page.jobs if reply.job_id}
        if before and ids and not before & ids and back < MOST_BACK:
            back, offset = (
                back + 1,
                max(offset - look.page, 0),
            )  # what was listed has moved up, past the border
            continue
        size = len(page.jobs) + len(page.refused)
        overlap = min(OVERLAP, size // 2)
        stale = 0 if ids - read else stale + 1
        if not size or offset + size >= page.count or stale >= MOST_STALE:
            yield None, page, at
            return
        offset, before, read = offset + size - overlap, ids if overlap else set(), read | ids
        yield offset, page, at


def _take(look: Look, page: JobPage, at: datetime, *, everything: bool) -> tuple[int, int]:
    """Record a page, as soon as the database takes it: how many jobs are new, and how many polls it saves.

    Without `everything`, ended jobs of which the page says what is known are passed over.
    """
    for sentence in page.refused:
        log.warning("Project %s: %s", look.project.project_id, sentence)
    return surely(lambda: _record(look, page, at, everything=everything), stopping)


def _record(look: Look, page: JobPage, at: datetime, *, everything: bool) -> tuple[int, int]:
    project = look.project
    items = {reply.job_id: (reply, raw) for reply, raw in page.jobs if reply.job_id}
    stored = {
        job.job_id: job
        for job in Job.objects.filter(project=project, job_id__in=items).select_related(
            "graph", "project"
        )
    }
    wanted = [
        (look.graphs.of(reply), job_id, at)
        for job_id, (reply, _) in items.items()
        if job_id not in stored
    ]
    jobs = stored | (find_jobs(project, wanted) if wanted else {})
    look.graphs.adopt([(job, items[job_id][0]) for job_id, job in stored.items()])
    told = {
        job_id: Observation(
            jobs[job_id],
            "list",
            at,
            200,
            raw,
            reply=reply,
            graph_id=jobs[job_id].graph.graph_id or "",
        )
        for job_id, (reply, raw) in items.items()
        if everything or job_id not in stored or not _says_what_is_known(stored[job_id], reply)
    }
    due_soon = _finish(project, told.values())
    watch_unfinished(jobs[job_id] for job_id in told)
    look.jobs.update(items)
    return len(items) - len(stored), due_soon


def _finish(project: Project, told: Collection[Observation]) -> int:
    """Record these as polls are; how many polls were due, or would have been before the next look."""
    if not told:
        return 0
    now, lease = timezone.now(), new_lease()
    pks = [one.job.pk for one in told]
    soon = (
        Watch.objects.free(now)
        .filter(job__in=pks, next_poll_at__lte=now + schedule.BETWEEN_LOOKS)
        .count()
    )
    claimed = {one.pk: one for one in Watch.objects.claim_of(project, pks, lease, now)}
    try:
        finish(list(told), lease, claimed)
    except BaseException:
        Watch.objects.give_back(lease, list(claimed))
        raise
    return soon


def _says_what_is_known(job: Job, reply: JobReply) -> bool:
    known = (job.status, job.begin_time, job.end_time, job.file_count)
    return job.is_final and known == (
        reply.status[:255],
        reply.begin_time,
        reply.end_time,
        len(reply.files),
    )


def _call[Page](
    look: Look,
    ask_for: Callable[[Client, int, int], Coroutine[Any, Any, Answer]],
    place: tuple[int, int],
    parse: Callable[..., Page],
) -> tuple[Page, datetime]:
    """One page (offset, limit) and when it came, within the call budget, which is told what came of it."""
    error: GesError | None = None
    answer: Answer | None = None
    _draw(look.project)
    try:
        heard, look.client = with_token(
            look.project, look.client, lambda client: ask_for(client, *place)
        )
        answer = heard
        return parse(heard.body, http_status=heard.http_status), heard.observed_at
    except GesError as wrong:
        error = wrong
        if answer is not None:
            error.retry_after = answer.retry_after
        raise
    finally:
        if answer is not None or error is not None:
            surely(lambda: call_budget.tell(look.project, [error], timezone.now()), stopping)


def _draw(project: Project) -> None:
    """Draw a call for the next page, waiting a little where the budget is just spent."""
    while True:
        try:
            return call_budget.take_one(project, timezone.now())
        except call_budget.Spent as spent:
            if (wait := spent.retry_after or 0.0) > MOST_WAIT:
                raise
        stopping.wait(wait)
