"""Jobs for programs: the filters and orders of the pages, the object of the export."""

from django.db.models import prefetch_related_objects
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api import shapes
from jobs.api.errors import BadRequest
from jobs.api.keyset import page_object
from jobs.api.parameters import POSITION, filter_parameters, sort_parameter
from jobs.api.visible import visible_job
from jobs.export.job import WITH_CORRECTIONS, job_object, job_row
from jobs.lists.jobs import FILTERS, SORTS, filtered, page_of
from jobs.models import Job

_PARAMETERS = [*filter_parameters(FILTERS), sort_parameter(SORTS), *POSITION]


@extend_schema(operation_id="root", responses=shapes.ROOT)
@api_view(["GET"])
def root(request: Request) -> Response:
    """The addresses of the lists."""
    names = ("projects", "graphs", "jobs", "causes", "keys", "schema", "docs")
    return Response({name: request.build_absolute_uri(f"/api/{name}/") for name in names})


@extend_schema(operation_id="jobs_list", parameters=_PARAMETERS, responses=shapes.JOB_PAGE)
@api_view(["GET"])
def list_jobs(request: Request) -> Response:
    """Jobs, newest first: the objects of the export without their files."""
    jobs, problems = filtered(request.GET, Job.objects.visible_to(request.user))
    jobs_page, page_problems = page_of(request.GET, jobs)
    if problems or page_problems:
        raise BadRequest(" ".join(problems + page_problems))
    return Response(page_object(request, jobs_page, [job_row(job) for job in jobs_page.rows]))


@extend_schema(operation_id="jobs_retrieve", responses=shapes.JobObjectShape)
@api_view(["GET"])
def retrieve_job(request: Request, pk: int) -> Response:
    """One job with its files: the object of the export."""
    job = visible_job(request, pk)
    prefetch_related_objects([job], "files", WITH_CORRECTIONS)
    return Response(job_object(job))
