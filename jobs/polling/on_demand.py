"""One job's status, requested and recorded at once: for the proxy and for "Refresh from GES".

No transaction is open while GES is called.
"""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext

from jobs.db.connections import release_connection
from jobs.ges.answer import Answer
from jobs.ges.errors import ErrorReply, GesError
from jobs.models import Graph, Job, Project, Watch
from jobs.models.watch import Claimed, new_lease
from jobs.polling import call_budget, outcomes
from jobs.polling.answers import clock_skews, observation_of
from jobs.polling.client import StatusOutcome, StatusRequest, client_for, request_status
from jobs.polling.commit import record_and_plan
from jobs.polling.watches import check_id
from jobs.record import Observation, find_graph, find_jobs


def poll_now(job: Job) -> None:
    """Poll a job ahead of all that is due; a quarantined job is polled again from then on.

    Raises: the GesError, after it was recorded, when GES gave no usable answer;
    BudgetSpent or CircuitOpen when GES may not be called now.
    """
    now = timezone.now()
    call_budget.draw_one(job.project, now)
    Watch.objects.start(job, now)
    request = StatusRequest(job, job.graph.graph_id or "")
    observation, _ = _request_and_record(job, request, "poll", now)
    if observation.error is not None:
        raise observation.error


def request_now(project: Project, graph_id: str, job_id: str, version: int = 1) -> Answer:
    """Request a job's status for a caller of the proxy, and record the answer.

    A job that is not stored yet is stored only if GES knows it.
    Raises: the GesError, where an ErrorReply carries the answer as `answer`;
    BudgetSpent or CircuitOpen when GES may not be called now; ValueError for an impossible id.
    """
    check_id(graph_id, gettext("graph ID"))
    check_id(job_id, gettext("job ID"))
    now = timezone.now()
    call_budget.draw_one(project, now)
    jobs = Job.objects.filter(project=project, job_id=job_id).select_related("graph", "project")
    job = jobs.first()
    if job is None:
        job = Job(project=project, graph=Graph(project=project, graph_id=graph_id), job_id=job_id)

    request = StatusRequest(job, graph_id, version)
    observation, outcome = _request_and_record(job, request, "proxy", now)
    if observation.error is not None:
        if isinstance(observation.error, ErrorReply) and isinstance(outcome, Answer):
            observation.error.answer = outcome
        raise observation.error
    assert isinstance(outcome, Answer)  # noqa: S101  a reply was read from it
    return outcome


def _request_and_record(
    job: Job, request: StatusRequest, source: str, now: datetime
) -> tuple[Observation, StatusOutcome]:
    """Request a status and record it.

    The job is claimed meanwhile, so that workers pass it over; a worker that already has the claim
    keeps it, and plans the next poll itself.
    """
    lease = new_lease()
    claims = [] if job.pk is None else Watch.objects.claim_of(job.project, [job.pk], lease, now)
    try:
        outcome = _request(job.project, request)
        observation = observation_of(request, outcome, source)
        call_budget.report(job.project, [observation.error], timezone.now())
        if observation.error is None and source == "proxy":
            if job.pk is None:
                job = _store(observation, request.graph_id)
            claims += _watch_proxied(job, observation.observed_at, lease)

        if job.pk is None:
            outcomes.note([observation], timezone.now())
        else:
            record_and_plan([observation], lease, {claim.pk: claim for claim in claims})
            claims = []
        job.project.note_clock(clock_skews([outcome]))
    finally:
        Watch.objects.give_back(lease, [claim.pk for claim in claims])
    return observation, outcome


def _request(project: Project, request: StatusRequest) -> StatusOutcome:
    """GES's answer; that IAM gives no token is an outcome too."""
    try:
        client = client_for(project)
        release_connection()
        return request_status(project, client, request)[0]
    except GesError as error:
        return error


def _store(observation: Observation, graph_id: str) -> Job:
    """Store a job that GES knows and we did not."""
    project = observation.job.project
    graph = find_graph(project, graph_id)
    job_id = observation.job.job_id
    job = find_jobs(project, [(graph, job_id, observation.observed_at)])[job_id]
    observation.job = job
    return job


def _watch_proxied(job: Job, now: datetime, lease: int) -> list[Claimed]:
    """Watch a job that was requested, where its project says so; the claim on a new watch."""
    if not job.project.watches_proxied:
        return []
    is_new = Watch.objects.start(job, now)
    return Watch.objects.claim_of(job.project, [job.pk], lease, now) if is_new else []
