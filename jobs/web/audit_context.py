"""What the trail says of a request: who changed something, and who was refused."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from jobs.audit import entries
from jobs.models import Cause, Graph, Job, Project

REFUSALS = {401, 403, 404}
_SAFE = {"GET", "HEAD", "OPTIONS", "TRACE"}


class TraceMiddleware:
    """Stands behind the sign-in. Reading costs nothing; a change is made in a context that ends with the request.

    The context is a setting of the transaction, so the pool's next user finds none of it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """A change in its context, and a refusal noted."""
        if request.method in _SAFE:
            response = self.get_response(request)
        else:
            with entries.acting(request):
                response = self.get_response(request)
        if response.status_code in REFUSALS and request.resolver_match is not None:
            entries.note_refusal(request, response.status_code, found=_found(request))
        return response


def _found(request: HttpRequest) -> dict[str, Any]:
    """The project (and the job or the graph) of what was asked for, so that its auditors see who tried."""
    match = request.resolver_match
    pk = match.kwargs.get("pk") if match else None
    if match is None or not isinstance(pk, int) or pk >= 2**63:
        return {}
    for part, model, name in (
        ("jobs/<int", Job, "job_id"),
        ("graphs/<int", Graph, "graph_id"),
        ("causes/<int", Cause, ""),
    ):
        if part in match.route:
            project = model._default_manager.filter(pk=pk).values_list("project", flat=True).first()
            return {"project_id": project, **({name: pk} if name and project else {})}
    if "projects/<int" in match.route:
        return {"project_id": Project.objects.filter(pk=pk).values_list("pk", flat=True).first()}
    return {}
