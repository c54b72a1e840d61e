"""Claim, ask, record: used by the worker, the proxy and "poll now" alike. No transaction is open while GES is asked."""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext

from jobs.db.connections import release_connection
from jobs.ges.answer import Answer
from jobs.ges.errors import ErrorReply, GesError
from jobs.models import Graph, Job, Project, Watch
from jobs.models.watch import Claimed, new_lease
from jobs.polling import call_budget, outcomes
from jobs.polling.answers import clock_skews, observed
from jobs.polling.client import StatusOutcome, StatusRequest, ask, client_for
from jobs.polling.commit import finish
from jobs.polling.watches import check_id
from jobs.record import Observation, find_graph, find_jobs


def poll_now(job: Job) -> None:
    """Ask about one job at once, whatever waits; one that was set aside is taken up again.

    Raises: the GesError, after it was recorded, when GES gave no usable answer; budget.Spent or budget.Resting when it may
    not be asked.
    """
    now = timezone.now()
    call_budget.take_one(job.project, now)
    Watch.objects.get_or_create(job=job, defaults={"next_poll_at": now})
    seen, _ = _ask_alone(job, StatusRequest(job, job.graph.graph_id or ""), "poll", now)
    if seen.error is not None:
        raise seen.error


def ask_now(project: Project, graph_id: str, job_id: str, version: int = 1) -> Answer:
    """Ask GES about a job for the proxy and record what it said.

    Raises: the GesError; an ErrorReply carries the answer as `answer`. budget.Spent or budget.Resting when it may not be
    asked. A job that is not known yet is stored only if GES knows it, and watched where the project says so.
    """
    check_id(graph_id, gettext("graph ID")), check_id(job_id, gettext("job ID"))
    now = timezone.now()
    call_budget.take_one(project, now)
    job = (
        Job.objects.filter(project=project, job_id=job_id)
        .select_related("graph", "project")
        .first()
    )
    if job is None:
        job = Job(project=project, graph=Graph(project=project, graph_id=graph_id), job_id=job_id)
    seen, said = _ask_alone(job, StatusRequest(job, graph_id, version), "proxy", now)
    if seen.error is not None:
        if isinstance(seen.error, ErrorReply) and isinstance(said, Answer):
            seen.error.answer = said
        raise seen.error
    assert isinstance(said, Answer)  # noqa: S101  a reply was read from it
    return said


def _ask_alone(
    job: Job, question: StatusRequest, source: str, now: datetime
) -> tuple[Observation, StatusOutcome]:
    """Ask about one job and record it; the pollers pass it over meanwhile, and where one is at it already, it plans on."""
    lease = new_lease()
    claimed = [] if job.pk is None else Watch.objects.claim_of(job.project, [job.pk], lease, now)
    try:
        said = _ask_with_token(job.project, question)
        assert said is not None  # noqa: S101  it has no turn to wait for
        seen = observed(question, said, source)
        call_budget.tell(job.project, [seen.error], timezone.now())
        if job.pk is None and seen.error is None:
            claimed = _store(seen, question.graph_id, lease)
        elif (
            job.pk is not None
            and seen.error is None
            and source == "proxy"
            and job.project.watches_proxied
        ):
            _, is_new = Watch.objects.get_or_create(
                job=job, defaults={"next_poll_at": seen.observed_at}
            )
            claimed = (
                Watch.objects.claim_of(job.project, [job.pk], lease, seen.observed_at)
                if is_new
                else claimed
            )
        if seen.job.pk is not None:
            finish([seen], lease, {one.pk: one for one in claimed})
            claimed = []
        else:
            outcomes.note([seen], timezone.now())
        job.project.note_clock(clock_skews([said]))
    finally:
        Watch.objects.give_back(lease, [one.pk for one in claimed])
    return seen, said


def _ask_with_token(project: Project, question: StatusRequest) -> StatusOutcome:
    """Ask; that IAM gives no token is what came of it too."""
    try:
        client = client_for(project)
        release_connection()
        return ask(project, client, question)[0]
    except GesError as error:
        return error


def _store(seen: Observation, graph_id: str, lease: int) -> list[Claimed]:
    """A job that GES knows and we did not, watched where the project says so."""
    project = seen.job.project
    graph = find_graph(project, graph_id)
    seen.job = find_jobs(project, [(graph, seen.job.job_id, seen.observed_at)])[seen.job.job_id]
    if not project.watches_proxied:
        return []
    Watch.objects.get_or_create(job=seen.job, defaults={"next_poll_at": seen.observed_at})
    return Watch.objects.claim_of(project, [seen.job.pk], lease, seen.observed_at)
