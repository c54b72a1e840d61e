"""GES's job list: its newest pages at every look, and the month that GES remembers in pieces.

The whole list is read from where the last look came to: at first, and again every few hours. An
item of the list is a job's whole status, as good as a poll.
"""

import logging
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from time import monotonic
from typing import NamedTuple

from django.utils import timezone

from jobs.db.outage import retry_in_outage
from jobs.ges.shapes import JobReply
from jobs.models import Job, Project, Watch
from jobs.models.watch import new_lease
from jobs.polling import schedule
from jobs.polling.client import stop_requested
from jobs.polling.commit import record_and_plan
from jobs.polling.graph_names import GraphsByName
from jobs.polling.list_pages import ListedPage, ListReader
from jobs.polling.watches import watch_unfinished
from jobs.record import Observation, find_jobs

log = logging.getLogger(__name__)
MIN_SAVED_POLLS = 5  # that a page must save, to be read for their sake alone
HISTORY_SECONDS = 10.0  # of each look for the whole list, where it is still to be read
REREAD_AFTER = timedelta(hours=6)  # from one reading of the whole list to the next


class PageGain(NamedTuple):
    """The gain from reading a page: jobs that were not stored, and polls that it replaces."""

    new_jobs: int
    saved_polls: int


class JobList:
    """One project's job list during a look; `job_ids` are those read so far."""

    def __init__(self, reader: ListReader, graphs: GraphsByName, job_ids: set[str]) -> None:
        self._reader = reader
        self._project = reader.project
        self._graphs = graphs
        self._job_ids = job_ids

    def read_newest(self, since: datetime | None) -> None:
        """Read the pages of jobs that began since then, and on as long as a page saves polls.

        Without `since`, at the first look, one page is enough: the history brings the others.
        """
        for listed in self._reader.job_pages(0):
            gain = self._record(listed, skip_known=True)
            if since is None:
                return
            begins = [reply.begin_time for reply, _ in listed.jobs.jobs if reply.begin_time]
            is_newest_first = not begins or begins[0] >= begins[-1]
            is_past = not begins or min(begins) < since
            is_worthless = not gain.new_jobs and gain.saved_polls < MIN_SAVED_POLLS
            if is_newest_first and is_past and is_worthless:
                return

    def read_history(self) -> None:
        """Go on with the whole list, for HISTORY_SECONDS, if a reading is under way or due."""
        project = self._project
        if project.history_offset is None:
            read_at = project.history_read_at
            if read_at is not None and timezone.now() - read_at < REREAD_AFTER:
                return
            project.history_offset = 0

        deadline = monotonic() + HISTORY_SECONDS
        row = Project.objects.filter(pk=project.pk)
        for listed in self._reader.job_pages(project.history_offset):
            self._record(listed, skip_known=False)
            columns: dict[str, int | datetime | None] = {"history_offset": listed.next_offset}
            if listed.next_offset is None:
                columns["history_read_at"] = timezone.now()
            row.update(**columns)
            if monotonic() > deadline:
                return

    def _record(self, listed: ListedPage, *, skip_known: bool) -> PageGain:
        """Record a page, as soon as the database takes it.

        `skip_known` passes over final jobs of which the page says nothing new.
        """
        for refusal in listed.jobs.refused:
            log.warning("Project %s: %s", self._project.project_id, refusal)
        return retry_in_outage(
            lambda: self._record_once(listed, skip_known=skip_known), stop_requested
        )

    def _record_once(self, listed: ListedPage, *, skip_known: bool) -> PageGain:
        items = {reply.job_id: (reply, raw) for reply, raw in listed.jobs.jobs if reply.job_id}
        replies = {job_id: reply for job_id, (reply, _) in items.items()}
        stored_jobs = self._stored_jobs(replies)
        jobs = stored_jobs | self._new_jobs(replies, stored_jobs, listed.observed_at)
        observations = [
            Observation(
                jobs[job_id],
                "list",
                listed.observed_at,
                200,
                raw,
                reply=reply,
                graph_id=jobs[job_id].graph.graph_id or "",
            )
            for job_id, (reply, raw) in items.items()
            if not (skip_known and _is_known(stored_jobs.get(job_id), reply))
        ]
        saved_polls = _finish(self._project, observations)
        watch_unfinished(seen.job for seen in observations)
        self._job_ids.update(items)
        return PageGain(len(items) - len(stored_jobs), saved_polls)

    def _stored_jobs(self, replies: Mapping[str, JobReply]) -> dict[str, Job]:
        """Those of these jobs that are stored, moved to their graphs where those became known."""
        rows = Job.objects.filter(project=self._project, job_id__in=replies)
        jobs = {job.job_id: job for job in rows.select_related("graph", "project")}
        self._graphs.adopt([(job, replies[job_id]) for job_id, job in jobs.items()])
        return jobs

    def _new_jobs(
        self, replies: Mapping[str, JobReply], stored_jobs: Mapping[str, Job], now: datetime
    ) -> dict[str, Job]:
        """Store those of these jobs that are not stored yet."""
        wanted = [
            (self._graphs.of(reply), job_id, now)
            for job_id, reply in replies.items()
            if job_id not in stored_jobs
        ]
        return find_jobs(self._project, wanted) if wanted else {}


def _finish(project: Project, observations: Collection[Observation]) -> int:
    """Record these as polls are; how many polls were due, or would have been by the next look."""
    if not observations:
        return 0
    now, lease = timezone.now(), new_lease()
    pks = [seen.job.pk for seen in observations]
    due_soon = Watch.objects.free(now).filter(
        job__in=pks, next_poll_at__lte=now + schedule.BETWEEN_LOOKS
    )
    saved_polls = due_soon.count()
    claims = {claim.pk: claim for claim in Watch.objects.claim_of(project, pks, lease, now)}
    try:
        record_and_plan(list(observations), lease, claims)
    except BaseException:
        Watch.objects.give_back(lease, list(claims))
        raise
    return saved_polls


def _is_known(job: Job | None, reply: JobReply) -> bool:
    """Whether the job is final and the reply says nothing else, as far as a few columns tell."""
    if job is None or not job.is_final:
        return False
    stored = (job.status, job.begin_time, job.end_time, job.file_count)
    return stored == (reply.status[:255], reply.begin_time, reply.end_time, len(reply.files))
