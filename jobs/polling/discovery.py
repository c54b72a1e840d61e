"""A look at GES's lists: new jobs without anybody naming them, and the graphs they belong to."""

from collections.abc import Mapping
from datetime import timedelta

from django.utils import timezone

from jobs.db.outage import retry_in_outage
from jobs.ges.errors import GesError, NotAJobStatus
from jobs.models import Graph, Job, Project
from jobs.models.watch import new_lease
from jobs.polling import call_budget, outcomes, schedule
from jobs.polling.answers import observation_of
from jobs.polling.client import StatusRequest, client_for, stop_requested
from jobs.polling.commit import record_and_plan
from jobs.polling.graph_names import GraphsByName
from jobs.polling.job_list import JobList
from jobs.polling.list_pages import ListReader
from jobs.polling.watches import watch_unfinished
from jobs.record import NotRecorded, find_jobs

OVERLAP_BEFORE = timedelta(hours=1)  # what began so long before the last look may be new to us
#: Jobs requested in a look because GES's graph list names them and its job list does not.
MAX_NAMED_JOBS = 20


def discover(project: Project) -> int:
    """Record the newest status of every listed job, and watch those that are not final.

    1. Read the graph list, so that job names lead to graphs.
    2. Read the newest pages of the job list.
    3. Go on with the whole job list, from where the last look came to.
    4. Request the jobs that only the graph list names.

    A failure of GES is kept on the project as its `problem`, beside what was read until then.
    Returns how many jobs were read from the job list.
    """
    began_at, problem = timezone.now(), ""
    since = project.discovered_at - OVERLAP_BEFORE if project.discovered_at else None
    job_ids: set[str] = set()
    try:
        reader = ListReader(project, client_for(project))
        graphs = GraphsByName(project)
        job_list = JobList(reader, graphs, job_ids)
        named_jobs = _read_graphs(reader, graphs)
        job_list.read_newest(since)
        Project.objects.filter(pk=project.pk).update(discovered_at=began_at)
        job_list.read_history()
        _request_named_jobs(reader, graphs, named_jobs)
    except GesError as error:
        problem = str(error)[:2000]
        outcomes.note_failed_look(project, error, timezone.now())
    Project.objects.filter(pk=project.pk).exclude(problem=problem).update(problem=problem)
    return len(job_ids)


def _read_graphs(reader: ListReader, graphs: GraphsByName) -> dict[str, tuple[str, ...]]:
    """Bring the graphs up to date; the import jobs that each graph's files name, by graph id."""
    listed, is_whole = reader.graphs()
    graphs.bring_up_to_date(listed.values(), is_whole=is_whole)
    return {graph_id: graph.job_ids for graph_id, graph in listed.items()}


def _request_named_jobs(
    reader: ListReader, graphs: GraphsByName, named_jobs: Mapping[str, tuple[str, ...]]
) -> None:
    """Request each named job that is not stored once; those GES no longer knows are remembered."""
    ids = {job_id for job_ids in named_jobs.values() for job_id in job_ids}
    rows = Job.objects.filter(project=reader.project, job_id__in=ids)
    stored_ids = set(rows.values_list("job_id", flat=True))
    requests_left = MAX_NAMED_JOBS
    for graph_id, job_ids in named_jobs.items():
        graph = graphs.by_id[graph_id]
        forgotten = [job_id for job_id in job_ids if job_id in graph.forgotten_jobs]
        unknown = [
            job_id for job_id in job_ids if job_id not in stored_ids and job_id not in forgotten
        ]
        for job_id in unknown[:requests_left]:
            requests_left -= 1
            if not _store_if_ges_knows(reader, graph, job_id):
                forgotten.append(job_id)
        if forgotten != graph.forgotten_jobs:
            graph.forgotten_jobs = forgotten
            graph.save(update_fields=["forgotten_jobs"])


def _store_if_ges_knows(reader: ListReader, graph: Graph, job_id: str) -> bool:
    """Request a job and store it if GES knows it; False if GES answered and does not know it."""
    project = reader.project
    job = Job(project=project, graph=graph, job_id=job_id)
    request = StatusRequest(job, graph.graph_id or "")
    observation = observation_of(request, reader.request_status(request), "poll")

    def keep() -> None:
        call_budget.report(project, [observation.error], timezone.now())
        if observation.reply is not None:
            wanted = [(graph, job_id, observation.observed_at)]
            observation.job = find_jobs(project, wanted)[job_id]
            record_and_plan([observation], new_lease(), {})
            watch_unfinished([observation.job])

    retry_in_outage(keep, stop_requested)
    error = observation.error
    is_forgotten = schedule.is_not_found(error) or isinstance(error, NotAJobStatus | NotRecorded)
    return not is_forgotten
