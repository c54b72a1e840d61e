"""GES's status endpoint, answered with the bytes that GES gave: from the store or live."""

from typing import Any, override

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponseBase
from django.utils import timezone
from django.utils.decorators import method_decorator
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from gesdash import logs
from jobs.api.authentication import KeyAuthentication
from jobs.api.errors import ApiError, Forbidden, NoAnswer, for_caller
from jobs.api.proxy.caching import Directives
from jobs.api.proxy.path import StatusPath
from jobs.api.proxy.responses import live_response, stored_response
from jobs.api.proxy.stored import StoredReply, stored_reply
from jobs.ges.errors import GesError
from jobs.models import Project
from jobs.models.call import CallKey
from jobs.polling import single_flight


@method_decorator(login_not_required, name="dispatch")
class Status(APIView):
    """All below /v1.0/ and /v2/; the status is at GES's address, without a slash at its end."""

    authentication_classes = [KeyAuthentication]
    permission_classes = [IsAuthenticated]
    http_method_names = ["get", "head"]
    has_ges_errors = True

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponseBase:
        """The status of a job."""
        path = StatusPath.read(request.path_info)
        with logs.about(project=path.project_id, graph=path.graph_id, job=path.job_id):
            return _respond(request, path)

    @override
    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")  # of an error
        return response


def _respond(request: Request, path: StatusPath) -> HttpResponseBase:
    directives = Directives.of(request.headers.get("Cache-Control", ""))
    since = timezone.now()
    stored = stored_reply(request.user, path)
    if stored is not None and directives.accept(stored.age(since), stored.lifetime(since)):
        return stored_response(request, stored, since)

    project = Project.objects.visible_to(request.user).filter(project_id=path.project_id).first()
    if project is None:
        raise Forbidden
    if directives.only_if_cached:
        raise NoAnswer("Only a stored reply was asked for, and none that will do is stored.")

    call = CallKey(project.pk, path.graph_id, path.job_id, path.version)
    try:
        answer = single_flight.request_shared(project, call, since)
    except GesError as error:
        return _stand_in(request, stored, directives, for_caller(error))
    return live_response(request, answer)


def _stand_in(
    request: Request, stored: StoredReply | None, directives: Directives, error: ApiError
) -> HttpResponseBase:
    """A stored reply in place of an error, if there is one and the caller accepts its age.

    Raises: the error.
    """
    now = timezone.now()
    if stored is None or not directives.accept_for_error(
        stored.age(now), stored.lifetime(now), settings.STALE_IF_ERROR
    ):
        raise error
    return stored_response(request, stored, now, f"{error.code} {error.detail}")
