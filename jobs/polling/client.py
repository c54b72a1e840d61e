"""Calls to GES with a project's own credentials, renewed when GES refuses them; broken off when the process is to stop."""

import time
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from threading import Event
from typing import Any, NamedTuple

from django.conf import settings

from jobs.ges import event_loop
from jobs.ges.answer import Answer
from jobs.ges.client import Client
from jobs.ges.errors import GesError
from jobs.models import Job, Project
from jobs.models.watch import Claimed
from jobs.polling import credentials


class StatusRequest(NamedTuple):
    """What is asked about one job: its status, at the v1.0 or the v2 address, under the graph id it is known or named by."""

    job: Job | Claimed
    graph_id: str
    version: int = 1


#: Set when this process is to stop: rounds give back what they hold and end, readings of the lists break off.
stopping = Event()

type StatusOutcome = Answer | GesError | None  # None: it was not asked


def client_for(project: Project, *, refused: str = "") -> Client:
    """A client with the project's own credentials; it raises NoCredentials when the settings hold none.

    `refused`: the token of IAM's that GES took no more, so that another is got. Raises: what `tokens.token_for` does.
    """
    configured = settings.GES_PROJECTS.get(project.credentials)
    shown = configured.credentials if configured else None
    token = (
        credentials.token_for(project, shown, refused=refused)
        if shown and credentials.needs_one(shown)
        else ""
    )
    return Client(project.endpoint, project.project_id, shown, token)


def renewed(project: Project, client: Client) -> Client | None:
    """A client with another token, after GES refused this one's; None where there is no other."""
    other = client_for(project, refused=client.token) if client.token else client
    return other if other.token != client.token else None


def wait_for[T](call: Coroutine[Any, Any, T]) -> T:
    """What GES is asked in this call, while this thread waits.

    Raises: CancelledError when the process is to stop.
    """
    if stopping.is_set():
        call.close()
        raise CancelledError
    return event_loop.call(call)


def ask(project: Project, client: Client, question: StatusRequest) -> tuple[StatusOutcome, Client]:
    """One call about a job, while this thread waits; and the client to ask with next."""
    return with_token(project, client, lambda shown: ask_status(shown, question))


def with_token[T](
    project: Project, client: Client, call: Callable[[Client], Coroutine[Any, Any, T]]
) -> tuple[T, Client]:
    """What GES is asked in this call, once more where it takes IAM's token no longer and there is another; and that client."""
    said = wait_for(call(client))
    if isinstance(said, Answer) and said.http_status == 401 and (other := renewed(project, client)):
        return wait_for(call(other)), other
    return said, client


def stop() -> None:
    """Break off all calls to GES and make no more, as the process is to stop."""
    stopping.set()
    event_loop.break_off()


async def ask_status(client: Client, question: StatusRequest) -> StatusOutcome:
    """One call about a job; what fails is returned, since it is this call's alone."""
    begun = time.monotonic()
    try:
        return await client.status(question.graph_id, question.job.job_id, question.version)
    except GesError as error:
        error.seconds = time.monotonic() - begun
        return error
    except Exception as wrong:  # whatever it is, it is this call's alone
        return GesError(f"Asking GES failed: {type(wrong).__name__}: {wrong}")
