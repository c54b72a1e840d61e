"""Calls to GES with a project's credentials.

IAM's token is renewed when GES refuses it, and calls are broken off when the process is to stop.
"""

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
    """A request for one job's status; `version` chooses GES's v1.0 or its v2 address."""

    job: Job | Claimed
    graph_id: str
    version: int = 1


type StatusOutcome = Answer | GesError

#: Set when this process is to stop: rounds give their claims back and end, and looks at GES's
#: lists break off. Process-wide, as a signal is; `reset` clears it between tests.
stop_requested = Event()


def stop() -> None:
    """Cancel all calls to GES and let none begin, as the process is to stop."""
    stop_requested.set()
    event_loop.cancel_calls()


def reset() -> None:
    """Let calls begin again."""
    stop_requested.clear()


def client_for(project: Project, *, refused_token: str = "") -> Client:
    """A client with the project's own credentials.

    `refused_token` is a token of IAM's that GES refused, so that another one is used.
    A project without credentials gets a client whose every call raises NoCredentials.
    Raises: as `credentials.token_for`.
    """
    configured = settings.GES_PROJECTS.get(project.credentials)
    project_credentials = configured.credentials if configured else None
    token = ""
    if project_credentials and credentials.needs_token(project_credentials):
        token = credentials.token_for(project, project_credentials, refused_token=refused_token)
    return Client(project.endpoint, project.project_id, project_credentials, token)


def client_with_new_token(project: Project, client: Client) -> Client | None:
    """A client with another token, after GES refused this one's; None where there is no other."""
    if not client.token:
        return None
    renewed = client_for(project, refused_token=client.token)
    return renewed if renewed.token != client.token else None


def call_and_wait[T](call: Coroutine[Any, Any, T]) -> T:
    """Make a call to GES while this thread waits for its result.

    Raises: CancelledError when the process is to stop.
    """
    if stop_requested.is_set():
        call.close()
        raise CancelledError
    return event_loop.call(call)


def call_with_token[T](
    project: Project, client: Client, make_call: Callable[[Client], Coroutine[Any, Any, T]]
) -> tuple[T, Client]:
    """Make a call, and make it once more if GES refuses the token and there is a new one.

    Returns the result, and the client to go on with.
    """
    result = call_and_wait(make_call(client))
    is_refused = isinstance(result, Answer) and result.http_status == 401
    if is_refused and (renewed := client_with_new_token(project, client)):
        return call_and_wait(make_call(renewed)), renewed
    return result, client


def request_status(
    project: Project, client: Client, request: StatusRequest
) -> tuple[StatusOutcome, Client]:
    """Request one job's status while this thread waits; `call_with_token` says what comes back."""
    return call_with_token(project, client, lambda used: send(used, request))


async def send(client: Client, request: StatusRequest) -> StatusOutcome:
    """Send one request; a failure is returned, since it concerns this request alone."""
    sent_at = time.monotonic()
    try:
        return await client.status(request.graph_id, request.job.job_id, request.version)
    except GesError as error:
        error.seconds = time.monotonic() - sent_at
        return error
    except Exception as error:  # whatever it is, it concerns this request alone
        return GesError(f"Asking GES failed: {type(error).__name__}: {error}")
