"""GES's status endpoint, answered by gesdash: the bytes GES gave, from the store or live."""

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from jobs import polling, schedule
from jobs.api.authentication import KeyAuthentication
from jobs.api.errors import BadGateway, BadRequest, Forbidden, NoAnswer, SlowDown
from jobs.ges import errors as ges
from jobs.ges.words import Verdict
from jobs.models import Job, Project, Snapshot
from jobs.models.export import rfc3339


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the caller's Cache-Control asks for; ages in seconds."""

    fresh: bool
    stored_only: bool
    max_age: int | None

    @classmethod
    def of(cls, header: str) -> "Wanted":
        """Words that are not known are passed over, as RFC 9111 has it."""
        words = {word.strip().lower() for word in header.split(",")}
        ages = [int(m[1]) for word in words if (m := re.fullmatch(r"max-age=(\d{1,9})", word))]
        return cls("no-cache" in words, "only-if-cached" in words, ages[0] if ages else None)


@method_decorator(login_not_required, name="dispatch")
class Status(APIView):
    """GET only, at the address GES has; no slash at the end, no redirect."""

    authentication_classes = [KeyAuthentication]
    permission_classes = [IsAuthenticated]

    @extend_schema(exclude=True)
    def get(self, request: Request, version: str, project_id: str, graph_id: str, job_id: str) -> HttpResponse:
        """The status of a job."""
        for value, what in ((project_id, "project id"), (graph_id, "graph id"), (job_id, "job id")):
            try:
                polling.check_id(value, what)
            except ValueError as wrong:
                raise BadRequest(str(wrong)) from wrong
        project = Project.objects.visible_to(request.user).filter(project_id=project_id).first()
        if project is None:
            raise Forbidden
        number = 2 if version == "v2" else 1
        wanted = Wanted.of(request.headers.get("Cache-Control", ""))
        job = Job.objects.filter(project=project, graph__graph_id=graph_id, job_id=job_id).first()
        stored = _stored(job, number)
        now = timezone.now()
        if stored is not None and (wanted.stored_only or _is_fresh(stored, job, wanted, now)):
            return _from_store(stored, now)
        if wanted.stored_only:
            raise NoAnswer("Only a stored reply was asked for, and none is stored.")
        return _live(project, graph_id, job_id, number, stored)


def _stored(job: Job | None, version: int) -> Snapshot | None:
    if job is None:
        return None
    # An item of the job list is not a status reply: it never stands in for one.
    rows = Snapshot.objects.filter(job=job, version=version, http_status=200).exclude(source="list")
    return rows.order_by("-last_seen_at", "-pk").first()


def _is_fresh(stored: Snapshot, job: Job | None, wanted: Wanted, now: datetime) -> bool:
    if job is None or wanted.fresh or (stored.last_seen_at != job.observed_at and not job.is_final):
        return False
    age = (now - stored.last_seen_at).total_seconds()
    if wanted.max_age is not None:
        return age <= wanted.max_age
    interval = schedule.poll_interval(Verdict(job.verdict), now - job.first_seen_at)
    return interval is None or age < interval.total_seconds()


def _from_store(stored: Snapshot, now: datetime, problem: str = "") -> HttpResponse:
    response = _response(stored.http_status, bytes(stored.body), "application/json", "store", stored.last_seen_at, now)
    if problem:
        response["X-Gesdash-Upstream-Error"] = re.sub(r"[^ -~]", "?", problem)[:200]
    return response


def _live(project: Project, graph_id: str, job_id: str, version: int, stored: Snapshot | None) -> HttpResponse:
    try:
        answer = polling.ask_now(project, graph_id, job_id, version)
    except ges.Refused as wrong:
        raise BadGateway("GES refused gesdash's own credentials for this project.", cause=wrong) from wrong
    except ges.Throttled as wrong:
        raise SlowDown(cause=wrong, wait=wrong.retry_after or 5) from wrong
    except ges.ErrorReply as wrong:
        said = wrong.answer
        if said is None or said.http_status >= 500:
            return _stand_in(stored, wrong)
        return _response(said.http_status, said.body, said.content_type, "live", said.observed_at, said.observed_at)
    except ges.Unreachable as wrong:
        return _stand_in(stored, wrong)
    except ges.NoCredentials as wrong:
        raise BadRequest("gesdash holds no credentials for this project, so it can't ask GES.", cause=wrong) from wrong
    except ges.GesError as wrong:
        raise BadGateway(f"GES answered, but not with a job status. {wrong}") from wrong
    except ValueError as wrong:
        raise BadRequest(str(wrong)) from wrong
    content_type = answer.content_type or "application/json"
    return _response(answer.http_status, answer.body, content_type, "live", answer.observed_at, timezone.now())


def _stand_in(stored: Snapshot | None, wrong: ges.GesError) -> HttpResponse:
    if stored is None:
        raise NoAnswer(cause=wrong) from wrong
    return _from_store(stored, timezone.now(), str(wrong))


def _response(status: int, body: bytes, kind: str, source: str, observed_at: datetime, now: datetime) -> HttpResponse:
    response = HttpResponse(body, status=status, content_type=kind)
    response["X-Gesdash-Source"] = source
    response["Age"] = str(max(0, int((now - observed_at).total_seconds())))
    response["X-Gesdash-Observed-At"] = rfc3339(observed_at) or ""
    response["X-Request-Id"] = uuid4().hex
    return response
