"""Jobs for programs: the same filters and order as the pages, the same object as the export."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api import shapes
from jobs.api.errors import BadRequest, NotFound
from jobs.api.keyset import POSITION, text
from jobs.export.job import WITH_CORRECTIONS, job_object, job_row
from jobs.lists.filters import FILTERS, SORTS, filtered, page_of
from jobs.models import Job
from jobs.models.job import LedgerChoices, ReviewState, VerdictChoices

_EMPTY = {"type": "string", "maxLength": 0}  # asks nothing, as an empty field of a form
_TIME = [
    {"type": "string", "format": "date-time"},
    {"type": "string", "format": "date"},
    {
        "type": "string",
        "pattern": "^([0-9]{1,4}[hdw]|today|yesterday)$",
        "description": "So long ago, or the start of the day.",
    },
]
_TEXTS = ("project", "graph", "status", "job_name", "job_type", "job_id", "path", "cause")
_SCHEMAS: dict[str, Any] = {
    **{name: {"type": "array", "items": text(1024)} for name in _TEXTS},
    "cause_group": {
        "type": "array",
        "items": {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 2**63 - 1}, _EMPTY]},
    },
    "review": {"type": "string", "enum": ["", *ReviewState.values]},
    "verdict": {"type": "string", "enum": ["", *VerdictChoices.values]},
    "ledger": {"type": "string", "enum": ["", *LedgerChoices.values]},
    **{
        name: {"type": "string", "enum": ["", "yes", "no"]} for name in ("contradictions", "hidden")
    },
    "loss_over": {
        "anyOf": [
            {"type": "number", "minimum": 0, "maximum": 1},
            {"type": "string", "pattern": "^(100|[0-9]{1,2})%$"},
            _EMPTY,
        ]
    },
    "sort": {
        "type": "string",
        "enum": ["", *(f"{sign}{name}" for name in SORTS for sign in ("", "-"))],
    },
    **{
        name: {"anyOf": [*_TIME, _EMPTY]}
        for name in ("began_after", "began_before", "ended_after", "ended_before")
    },
}
_PARAMETERS = [
    *(OpenApiParameter(name, _SCHEMAS[name]) for name in FILTERS),
    OpenApiParameter("sort", _SCHEMAS["sort"]),
    *POSITION,
]


@extend_schema(operation_id="root", responses=shapes.ROOT)
@api_view(["GET"])
def root(request: Request) -> Response:
    """Where things are."""
    names = ("projects", "graphs", "jobs", "causes", "keys", "schema", "docs")
    return Response({name: request.build_absolute_uri(f"/api/{name}/") for name in names})


@extend_schema(
    operation_id="jobs_list",
    parameters=_PARAMETERS,
    responses=shapes.JOB_PAGE,
)
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


@extend_schema(operation_id="jobs_retrieve", responses=shapes.JobObjectShape)
@api_view(["GET"])
def job(request: Request, pk: int) -> Response:
    """One job with its files: the export's object."""
    found = (
        Job.objects.visible_to(request.user)
        .select_related("graph", "project")
        .prefetch_related("files", WITH_CORRECTIONS)
    )
    one = found.filter(pk=pk).first() if pk < 2**63 else None
    if one is None:
        raise NotFound("There is no such job, or you may not see it.")
    return Response(job_object(one))


def _link(request: Request, cursor: str | None) -> Any:
    if cursor is None:
        return None
    query = request.GET.copy()
    query["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
