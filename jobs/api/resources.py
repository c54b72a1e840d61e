"""Jobs for programs."""

from typing import Any

from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.errors import BadRequest
from jobs.filters import FILTERS, filtered, page_of
from jobs.models import Job
from jobs.models.export import job_object, job_row

_PARAMETERS = [
    OpenApiParameter(name, OpenApiTypes.STR, many=name not in {"sort", "page_size", "cursor"})
    for name in (*FILTERS, "sort", "page_size", "cursor")
]


@extend_schema(responses=OpenApiTypes.OBJECT)
@api_view(["GET"])
def root(request: Request) -> Response:
    """Where things are."""
    base = request.build_absolute_uri
    return Response({"jobs": base("/api/jobs/"), "schema": base("/api/schema/"), "docs": base("/api/docs/")})


@extend_schema(operation_id="jobs_list", parameters=_PARAMETERS, responses=OpenApiTypes.OBJECT)
@api_view(["GET"])
def jobs(request: Request) -> Response:
    """Jobs, newest first; rows are the export's object without its files."""
    found, problems = filtered(request.GET, Job.objects.visible_to(request.user))
    page, more = page_of(request.GET, found)
    if problems or more:
        raise BadRequest(" ".join(problems + more))
    return Response(
        {
            "next": _link(request, page.next),
            "previous": _link(request, page.previous),
            "results": [job_row(job) for job in page.rows],
        }
    )


@extend_schema(operation_id="jobs_retrieve", responses=OpenApiTypes.OBJECT)
@api_view(["GET"])
def job(request: Request, pk: int) -> Response:
    """One job with its files: the export's object."""
    found = Job.objects.visible_to(request.user).select_related("graph", "project").prefetch_related("files")
    one = found.filter(pk=pk).first() if pk < 2**63 else None
    if one is None:
        raise Http404("There is no such job, or you may not see it.")
    return Response(job_object(one))


def _link(request: Request, cursor: str | None) -> Any:
    if cursor is None:
        return None
    query = request.GET.copy()
    query["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
