"""Ties a request to the audit log: who changes something, and who was refused."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch

from jobs.audit import entries
from jobs.models import Cause, Graph, Job, Project

REFUSALS = {401, 403, 404}
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}
_MODELS = {"jobs/<int": Job, "graphs/<int": Graph, "causes/<int": Cause}
_MAX_PK = 2**63


class AuditContextMiddleware:
    """Gives changes of a request their context in the audit log; stands behind the sign-in.

    Reading costs nothing. The context is a setting of the transaction, so that the next user of
    the pool finds none of it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a change in its context, and note a refusal."""
        if request.method in _SAFE_METHODS:
            response = self.get_response(request)
        else:
            with entries.acting(request):
                response = self.get_response(request)
        match = request.resolver_match
        if response.status_code in REFUSALS and match is not None:
            entries.note_refusal(request, response.status_code, found=_place(match))
        return response


def _place(match: ResolverMatch) -> dict[str, int | None]:
    """The project of a refused request, so that its auditors see who tried; its job or graph."""
    pk = match.kwargs.get("pk")
    if not isinstance(pk, int) or pk >= _MAX_PK:
        return {}
    for part, model in _MODELS.items():
        if part in match.route:
            rows = model._default_manager.filter(pk=pk)
            project = rows.values_list("project", flat=True).first()
            if project and model is Job:
                return {"project_id": project, "job_id": pk}
            if project and model is Graph:
                return {"project_id": project, "graph_id": pk}
            return {"project_id": project}
    if "projects/<int" in match.route:
        return {"project_id": Project.objects.filter(pk=pk).values_list("pk", flat=True).first()}
    return {}
