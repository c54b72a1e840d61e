"""GES's lists, read page by page within the project's call budget.

The order of the job list is not documented, and new jobs shift its pages while they are read. So
pages overlap, and a page that does not meet the one before is read again from further up.
"""

import logging
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.utils import timezone

from jobs.db.outage import retry_in_outage
from jobs.ges.answer import Answer
from jobs.ges.client import Client
from jobs.ges.errors import GesError, TooLarge
from jobs.ges.reply import parse_graph_page, parse_job_page
from jobs.ges.shapes import GraphReply, JobPage
from jobs.models import Project
from jobs.polling import call_budget
from jobs.polling.client import (
    StatusOutcome,
    StatusRequest,
    call_with_token,
    request_status,
    stop_requested,
)

log = logging.getLogger(__name__)
PAGE_SIZE = 100
OVERLAP = 10  # items of a page that are read again with the next
MAX_STEPS_BACK = 5  # times that one reading goes back because two pages did not meet
MAX_STALE_PAGES = 3  # in a row with nothing new: GES does not turn the page
MAX_WAIT = 5.0  # seconds a reading waits for the call budget between two pages


class ListedPage(NamedTuple):
    """A page of the job list, when it came, and the next one's offset; None after the last."""

    jobs: JobPage
    observed_at: datetime
    next_offset: int | None


@dataclass
class _Position:
    """Where one reading of the job list is."""

    offset: int
    previous_ids: set[str] = field(default_factory=set)  # of the page that this one overlaps
    read_ids: set[str] = field(default_factory=set)
    steps_back: int = 0
    stale_pages: int = 0

    def has_missed_jobs(self, page: JobPage) -> bool:
        """Whether the page does not meet the one before: its jobs have moved up past the border."""
        ids = _ids(page)
        do_not_meet = bool(self.previous_ids and ids and not self.previous_ids & ids)
        return do_not_meet and self.steps_back < MAX_STEPS_BACK

    def step_back(self, page_size: int) -> None:
        self.steps_back += 1
        self.offset = max(self.offset - page_size, 0)

    def turn(self, page: JobPage) -> int | None:
        """Go on to the next page; its offset, None if this was the last."""
        ids, size = _ids(page), len(page.jobs) + len(page.refused)
        self.stale_pages = 0 if ids - self.read_ids else self.stale_pages + 1
        is_last = not size or self.offset + size >= page.count
        if is_last or self.stale_pages >= MAX_STALE_PAGES:
            return None
        overlap = min(OVERLAP, size // 2)
        self.offset += size - overlap
        self.previous_ids = ids if overlap else set()
        self.read_ids |= ids
        return self.offset


def _ids(page: JobPage) -> set[str]:
    return {reply.job_id for reply, _ in page.jobs if reply.job_id}


class ListReader:
    """One project's GES during a look at its lists; each call is drawn from the call budget.

    Raises, from every call: the GesError, after the budget was told; BudgetSpent when a call would
    have to wait for longer than MAX_WAIT; CircuitOpen.
    """

    def __init__(self, project: Project, client: Client) -> None:
        self.project = project
        self._client = client
        self._page_size = PAGE_SIZE

    def graphs(self) -> tuple[dict[str, GraphReply], bool]:
        """The graph list by GES's ids, and whether it was read whole."""
        graphs: dict[str, GraphReply] = {}
        offset = stale_pages = 0
        while True:
            page, _ = self._page(Client.graphs, offset, PAGE_SIZE, parse_graph_page)
            new_graphs = [graph for graph in page.graphs if graph.graph_id not in graphs]
            graphs |= {graph.graph_id: graph for graph in new_graphs}
            stale_pages = 0 if new_graphs else stale_pages + 1
            offset += max(len(page.graphs) - OVERLAP, 1)
            is_whole = len(graphs) >= page.count
            if is_whole or not page.graphs or stale_pages >= MAX_STALE_PAGES:
                return graphs, is_whole

    def job_pages(self, offset: int) -> Iterator[ListedPage]:
        """The pages of the job list from an offset on."""
        position = _Position(offset)
        while True:
            try:
                page, observed_at = self._page(
                    Client.jobs, position.offset, self._page_size, parse_job_page
                )
            except TooLarge:
                self._shrink_page(position)
                continue
            if position.has_missed_jobs(page):
                position.step_back(self._page_size)
                continue
            next_offset = position.turn(page)
            yield ListedPage(page, observed_at, next_offset)
            if next_offset is None:
                return

    def request_status(self, request: StatusRequest) -> StatusOutcome:
        """Request one job's status; the caller tells the budget, once it has read the answer."""
        self._draw_call()
        outcome, self._client = request_status(self.project, self._client, request)
        return outcome

    def _shrink_page(self, position: _Position) -> None:
        """Make pages that are over the limit smaller; leave out a single job that is."""
        if self._page_size == 1:
            log.warning(
                "Job %s of project %s's list is over the limit; it is left out.",
                position.offset,
                self.project.project_id,
            )
            position.offset += 1
        self._page_size = max(self._page_size // 4, 1)

    def _page[Page](
        self,
        request_page: Callable[[Client, int, int], Coroutine[Any, Any, Answer]],
        offset: int,
        limit: int,
        parse: Callable[..., Page],
    ) -> tuple[Page, datetime]:
        """One page and when it came."""
        self._draw_call()
        try:
            answer, self._client = call_with_token(
                self.project, self._client, lambda client: request_page(client, offset, limit)
            )
        except GesError as error:
            self._report(error)
            raise
        try:
            page = parse(answer.body, http_status=answer.http_status)
        except GesError as error:
            error.retry_after = answer.retry_after
            self._report(error)
            raise
        self._report(None)
        return page, answer.observed_at

    def _report(self, error: GesError | None) -> None:
        retry_in_outage(
            lambda: call_budget.report(self.project, [error], timezone.now()), stop_requested
        )

    def _draw_call(self) -> None:
        """Draw a call, waiting a little where the budget is just spent."""
        while True:
            try:
                return call_budget.draw_one(self.project, timezone.now())
            except call_budget.BudgetSpent as error:
                wait = error.retry_after or 0.0
                if wait > MAX_WAIT:
                    raise
            stop_requested.wait(wait)
