"""GES's status endpoint, answered by gesdash: the bytes GES gave, from the store or live."""

import hashlib
import re
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.decorators import method_decorator
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from gesdash import logs
from jobs.api.authentication import KeyAuthentication
from jobs.api.errors import ApiError, BadRequest, Forbidden, NoAnswer, NotFound, for_caller
from jobs.api.proxy.caching import FOR_EVER, Directives, cache_control
from jobs.db.prepared import Prepared
from jobs.export.job import rfc3339
from jobs.ges.answer import Answer
from jobs.ges.errors import GesError
from jobs.ges.reply import parse_reply
from jobs.ges.words import Verdict, meaning
from jobs.models import AccessKey, Project, Snapshot
from jobs.models.call import CallKey
from jobs.models.project import Viewer
from jobs.polling import schedule, single_flight, watches

_SHAPE = re.compile(r"/(v1\.0|v2)/(.*?)/graphs/(.*?)/jobs/(.*)/status", re.DOTALL)
# Django leaves bytes that are no UTF-8 percent-encoded, as if the caller had meant the percent sign.
_NO_UTF8 = re.compile("%[89A-F][0-9A-F]", re.IGNORECASE)


@method_decorator(login_not_required, name="dispatch")
class Status(APIView):
    """All that lies below /v1.0/ and /v2/: the status endpoint at the address GES has, without a slash at its end."""

    authentication_classes = [KeyAuthentication]
    permission_classes = [IsAuthenticated]
    http_method_names = ["get", "head"]
    has_ges_errors = True

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponseBase:
        """The status of a job."""
        project_id, graph_id, job_id, version = _ids(request)
        with logs.about(project=project_id, graph=graph_id, job=job_id):
            return self._answer(request, project_id, graph_id, job_id, version)

    def _answer(
        self, request: Request, project_id: str, graph_id: str, job_id: str, version: int
    ) -> HttpResponseBase:
        directives = Directives.of(request.headers.get("Cache-Control", ""))
        since = timezone.now()
        stored = _stored(request.user, project_id, graph_id, job_id, version)
        if stored is not None and directives.accept(
            _age(stored.last_seen_at, since), _lifetime(stored, since)
        ):
            return _from_store(request, stored, since)
        project = Project.objects.visible_to(request.user).filter(project_id=project_id).first()
        if project is None:
            raise Forbidden
        if directives.only_if_cached:
            raise NoAnswer("Only a stored reply was asked for, and none that will do is stored.")
        try:
            return _live(
                request,
                single_flight.request_shared(
                    project, CallKey(project.pk, graph_id, job_id, version), since
                ),
            )
        except GesError as wrong:
            return _stand_in(request, stored, directives, for_caller(wrong))

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """No error is kept by a cache on the way."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def _ids(request: Request) -> tuple[str, str, str, int]:
    """What the path names, percent-decoded once.

    Raises: BadRequest for ids GES could not have given, NotFound for any other address.
    """
    match = _SHAPE.fullmatch(request.path_info)
    if match is None:
        raise NotFound(
            "gesdash answers GES's job status only: /v1.0/{project_id}/graphs/{graph_id}/jobs/{job_id}/status"
        )
    for value, what in zip(match.groups()[1:], ("project id", "graph id", "job id"), strict=True):
        if _NO_UTF8.search(value):
            raise BadRequest(
                f"The {what} holds percent-encoded bytes that are not UTF-8; no id of GES does."
            )
        try:
            watches.check_id(value, what)
        except ValueError as wrong:
            raise BadRequest(str(wrong)) from wrong
    return match[2], match[3], match[4], 2 if match[1] == "v2" else 1


class StoredReply(NamedTuple):
    """What is needed of a stored reply, and no more: this is asked at every call."""

    body: bytes
    sha256: bytes
    content_type: str
    last_seen_at: datetime
    first_seen_at: datetime


def _stored(
    user: Viewer, project_id: str, graph_id: str, job_id: str, version: int
) -> StoredReply | None:
    """The newest stored reply, if this user may see it: one query."""
    limited: AccessKey | None = getattr(user, "access_key", None)
    shape = Shape(user.is_superuser, limited is not None and not limited.all_projects, version)
    who: dict[str, int] = {} if user.is_superuser else {"user": user.pk or 0}
    if limited and shape.is_limited:
        who["key"] = limited.pk
    rows = _newest.rows(shape, project_id=project_id, graph_id=graph_id, job_id=job_id, **who)
    return StoredReply(bytes(rows[0][0]), bytes(rows[0][1]), *rows[0][2:]) if rows else None


class Shape(NamedTuple):
    """What decides how the query for a stored reply looks, beside its values."""

    is_superuser: bool
    is_limited: bool
    version: int


def _newest_reply(
    shape: Shape, *, project_id: str, graph_id: str, job_id: str, user: int = 0, key: int = 0
) -> "QuerySet[Snapshot, Any]":
    viewer = User(pk=user, is_superuser=shape.is_superuser)
    if shape.is_limited:
        viewer.access_key = AccessKey(pk=key)  # type: ignore[attr-defined]
    return (
        Snapshot.objects.replies_to(shape.version)
        .filter(
            job__project__in=Project.objects.visible_to(viewer), job__project__project_id=project_id
        )
        .filter(job__graph__graph_id=graph_id, job__job_id=job_id)
        .values_list("body", "sha256", "content_type", "last_seen_at", "job__first_seen_at")[:1]
    )


_newest = Prepared(_newest_reply)


@lru_cache(10_000)
def _word(digest: bytes) -> list[Verdict]:
    """A place for what the reply with these bytes means, so that it is parsed once and not on each way out."""
    return []


def _verdict(stored: StoredReply) -> Verdict:
    """What the reply itself says; the job's verdict may come from a newer one, or from a correction."""
    place = _word(stored.sha256)
    if not place:
        try:
            place.append(meaning(parse_reply(stored.body).status))
        except GesError:
            place.append(Verdict.UNKNOWN)
    return place[0]


def _lifetime(stored: StoredReply, now: datetime) -> float:
    """Seconds for which a stored reply is fresh: until the job would be polled again."""
    interval = schedule.poll_interval(_verdict(stored), now - stored.first_seen_at)
    return FOR_EVER if interval is None else interval.total_seconds()


def _age(observed_at: datetime, now: datetime) -> float:
    return max(0.0, (now - observed_at).total_seconds())


def _from_store(
    request: Request, stored: StoredReply, now: datetime, problem: str = ""
) -> HttpResponseBase:
    response = HttpResponse(stored.body, content_type=stored.content_type or "application/json")
    lifetime = _lifetime(stored, now)
    headers = {
        "X-Gesdash-Source": "store",
        "Cache-Control": cache_control(lifetime, settings.STALE_IF_ERROR),
    }
    if problem:
        headers["X-Gesdash-Upstream-Error"] = re.sub(r"[^ -~]", "?", problem)[:200]
    return _sent(request, response, stored.sha256.hex(), stored.last_seen_at, now, headers)


def _live(request: Request, answer: Answer) -> HttpResponseBase:
    response = HttpResponse(
        answer.body,
        status=answer.http_status,
        content_type=answer.content_type or "application/json",
    )
    headers = {"X-Gesdash-Source": "live", "Cache-Control": "private, no-cache"}
    if answer.request_id and answer.request_id.isprintable():
        headers["X-Request-Id"] = answer.request_id
    return _sent(
        request,
        response,
        hashlib.sha256(answer.body).hexdigest(),
        answer.observed_at,
        timezone.now(),
        headers,
    )


def _stand_in(
    request: Request, stored: StoredReply | None, directives: Directives, error: ApiError
) -> HttpResponseBase:
    """A stored reply in the place of an error, if there is one and the caller takes one so old."""
    now = timezone.now()
    if stored is None:
        raise error
    if not directives.accept_for_error(
        _age(stored.last_seen_at, now), _lifetime(stored, now), settings.STALE_IF_ERROR
    ):
        raise error
    return _from_store(request, stored, now, f"{error.code} {error.detail}")


def _sent(
    request: Request,
    response: HttpResponse,
    digest: str,
    observed_at: datetime,
    now: datetime,
    headers: dict[str, str],
) -> HttpResponseBase:
    """The response, or 304 where the caller has these bytes."""
    response["ETag"] = f'"{digest}"'
    answer: HttpResponseBase = response
    if response.status_code == 200:
        answer = (
            get_conditional_response(request._request, etag=response["ETag"], response=response)
            or response
        )
    headers["Age"] = str(int(_age(observed_at, now)))
    headers["X-Gesdash-Observed-At"] = rfc3339(observed_at) or ""
    headers["Vary"] = "Authorization, X-Auth-Token"
    for name, value in headers.items():
        answer[name] = value
    return answer
