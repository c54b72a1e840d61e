"""Rows as they are stored, the newest first: what the caller may see; anything else is a 404."""

from collections.abc import Callable, Mapping
from typing import Any, override

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.viewsets import GenericViewSet

from jobs.api import shapes
from jobs.api.keyset import Keyset
from jobs.api.parameters import POSITION, filter_parameters
from jobs.api.visible import visible_job
from jobs.audit.entries import note_download
from jobs.lists.filters import Filter, by_name
from jobs.lists.kinds import Text
from jobs.models import (
    AccessKey,
    Cause,
    Correction,
    Graph,
    ImportFile,
    Job,
    Miss,
    Project,
    Review,
    Snapshot,
)

OF_PROJECT = by_name(
    Filter(
        name="project",
        kind=Text(255, "the ID of a project, at most 255 characters"),
        label="Project",
        description="Only of this project, by its ID in GES.",
        find=lambda text: Q(project__project_id=text),
    )
)


def _described[View: type[GenericViewSet[Any]]](name: str, row: str = "") -> Callable[[View], View]:
    """The operation ids of a view set, the parameters of its list, and what one `row` is."""

    def describe(view: View) -> View:
        operations = {}
        if hasattr(view, "list"):
            parameters = [
                *filter_parameters(getattr(view, "filters", {}), is_repeated=False),
                *POSITION,
            ]
            operations["list"] = extend_schema(operation_id=f"{name}_list", parameters=parameters)
        if hasattr(view, "retrieve"):
            operations["retrieve"] = extend_schema(operation_id=f"{name}_retrieve", description=row)
        return extend_schema_view(**operations)(view)

    return describe


class _List(ListModelMixin, GenericViewSet[Any]):
    pagination_class = Keyset
    filters: Mapping[str, Filter] = {}


class _ListOfVisible(_List):
    @override
    def get_queryset(self) -> QuerySet[Any]:
        rows: Any = super().get_queryset()
        visible: QuerySet[Any] = rows.visible_to(self.request.user)
        return visible


class _ListOfJob(_List):
    @override
    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().filter(job=visible_job(self.request, self.kwargs["pk"]))


@_described("projects", "A project.")
class Projects(RetrieveModelMixin, _ListOfVisible):
    """The projects you may see."""

    queryset = Project.objects.all()
    serializer_class = shapes.ProjectShape


@_described("graphs", "A graph.")
class Graphs(RetrieveModelMixin, _ListOfVisible):
    """Graphs, including those whose ID is not known."""

    queryset = Graph.objects.select_related("project")
    serializer_class = shapes.GraphShape
    filters = OF_PROJECT


@_described("causes")
class Causes(_ListOfVisible):
    """Failure reasons, with the team's notes."""

    queryset = Cause.objects.select_related("project")
    serializer_class = shapes.CauseShape
    filters = OF_PROJECT


@_described("keys")
class Keys(_List):
    """Your own access keys, without their secrets."""

    queryset = AccessKey.objects.prefetch_related("projects")
    serializer_class = shapes.KeyShape

    @override
    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().filter(user=self.request.user)


@_described("job_files")
class Files(_ListOfJob):
    """Files of a job."""

    queryset = ImportFile.objects.all()
    serializer_class = shapes.FileShape

    @override
    def get_serializer_context(self) -> dict[str, Any]:
        corrections = Correction.objects.standing().filter(job=self.kwargs.get("pk"))
        of_files = corrections.exclude(kind="").select_related("actor")
        return {**super().get_serializer_context(), "corrections": of_files}


@_described("job_snapshots")
class Snapshots(_ListOfJob):
    """Responses about a job, without their bodies."""

    queryset = Snapshot.objects.defer("body")
    serializer_class = shapes.SnapshotShape


@_described("job_misses")
class Misses(_ListOfJob):
    """Failed polls of a job, in runs of equal ones."""

    queryset = Miss.objects.defer("body")
    serializer_class = shapes.MissShape


@_described("job_reviews")
class Reviews(_ListOfJob):
    """Reviews of a job."""

    queryset = Review.objects.select_related("actor")
    serializer_class = shapes.ReviewShape


@_described("job_corrections")
class Corrections(_ListOfJob):
    """Corrections of a job, including undone ones."""

    queryset = Correction.objects.select_related("actor")
    serializer_class = shapes.CorrectionShape


@_described("snapshots", "A stored response, without its body.")
class OneSnapshot(RetrieveModelMixin, GenericViewSet[Any]):
    """A stored response, without its body."""

    queryset = Snapshot.objects.select_related("job")
    serializer_class = shapes.SnapshotShape

    @override
    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().filter(job__in=Job.objects.visible_to(self.request.user))

    @extend_schema(
        operation_id="snapshots_body",
        responses={
            (200, "application/json"): OpenApiResponse(
                {}, description="What GES sent, byte for byte."
            )
        },
    )
    def body(self, request: Request, pk: int) -> HttpResponse:
        """The bytes of a stored response as received; the snapshot names its content type."""
        snapshot = self.get_object()
        note_download(request._request, request.user, snapshot, snapshot.job)
        response = HttpResponse(snapshot.body, content_type="application/json")
        response["ETag"] = f'"{bytes(snapshot.sha256).hex()}"'
        response["Content-Disposition"] = f'attachment; filename="reply-{snapshot.pk}.json"'
        return response
