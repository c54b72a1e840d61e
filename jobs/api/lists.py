"""The lists of the API that are plain rows: what the caller may see, the newest first. What they may not see is a 404."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.views import APIView

from jobs.api import shapes
from jobs.api.errors import BadRequest, NotFound
from jobs.api.keyset import POSITION, Keyset, text
from jobs.audit.entries import note_download
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

_PROJECT = OpenApiParameter("project", text(255), description="Only of this project (GES's id).")


class _List(ListAPIView):  # type: ignore[type-arg]
    pagination_class = Keyset
    filters: tuple[str, ...] = ()

    def rows(self) -> QuerySet[Any]:
        """What the caller may see."""
        raise NotImplementedError

    def get_queryset(self) -> QuerySet[Any]:
        """Limited to the asked project, where the list has that filter."""
        project = self.request.query_params.get("project", "") if "project" in self.filters else ""
        if "\x00" in project or len(project) > 255:
            raise BadRequest("project: expected the id of a project, at most 255 characters.")
        return self.rows().filter(project__project_id=project) if project else self.rows()


class _One(RetrieveAPIView):  # type: ignore[type-arg]
    """By our id; one that is too large for the database is not found either."""

    def get_object(self) -> Any:
        """The row, or a 404."""
        found = (
            self.get_queryset().filter(pk=self.kwargs["pk"]).first()
            if self.kwargs["pk"] < 2**63
            else None
        )
        if found is None:
            raise NotFound
        return found


class _OfJob(_List):
    """Rows of one job."""

    model: Any

    def rows(self) -> QuerySet[Any]:
        """Of a job the caller may see."""
        pk = self.kwargs["pk"]
        if pk >= 2**63 or not Job.objects.visible_to(self.request.user).filter(pk=pk).exists():
            raise NotFound("There is no such job, or you may not see it.")
        return self.model.objects.filter(job=pk)  # type: ignore[no-any-return]


@extend_schema_view(get=extend_schema(operation_id="projects_list", parameters=POSITION))
class Projects(_List):
    """The projects you may see."""

    serializer_class = shapes.ProjectShape

    def rows(self) -> QuerySet[Any]:
        """All of them."""
        return Project.objects.visible_to(self.request.user)


@extend_schema_view(get=extend_schema(operation_id="graphs_list", parameters=[_PROJECT, *POSITION]))
class Graphs(_List):
    """Graphs, also those whose id is not known."""

    serializer_class = shapes.GraphShape
    filters = ("project",)

    def rows(self) -> QuerySet[Any]:
        """All of them."""
        return Graph.objects.visible_to(self.request.user).select_related("project")


@extend_schema_view(get=extend_schema(operation_id="causes_list", parameters=[_PROJECT, *POSITION]))
class Causes(_List):
    """Causes of lost lines, with the team's notes."""

    serializer_class = shapes.CauseShape
    filters = ("project",)

    def rows(self) -> QuerySet[Any]:
        """All of them."""
        return Cause.objects.visible_to(self.request.user).select_related("project")


@extend_schema_view(get=extend_schema(operation_id="keys_list", parameters=POSITION))
class Keys(_List):
    """Your own access keys, without their secrets."""

    serializer_class = shapes.KeyShape

    def rows(self) -> QuerySet[Any]:
        """One's own."""
        return AccessKey.objects.of(self.request.user).prefetch_related("projects")  # type: ignore[arg-type]


@extend_schema_view(get=extend_schema(operation_id="job_files_list", parameters=POSITION))
class Files(_OfJob):
    """Files of a job."""

    serializer_class = shapes.FileShape
    model = ImportFile

    def get_serializer_context(self) -> dict[str, Any]:
        """With the corrections that stand over its files."""
        standing = Correction.objects.standing().filter(job=self.kwargs.get("pk")).exclude(kind="")
        return {**super().get_serializer_context(), "corrections": standing.select_related("actor")}


@extend_schema_view(get=extend_schema(operation_id="job_snapshots_list", parameters=POSITION))
class Snapshots(_OfJob):
    """Replies about a job, without their bodies."""

    serializer_class = shapes.SnapshotShape
    model = Snapshot

    def rows(self) -> QuerySet[Any]:
        """No body is read."""
        return super().rows().defer("body")


@extend_schema_view(get=extend_schema(operation_id="job_misses_list", parameters=POSITION))
class Misses(_OfJob):
    """Runs of polls about a job that got no usable answer."""

    serializer_class = shapes.MissShape
    model = Miss

    def rows(self) -> QuerySet[Any]:
        """No body is read."""
        return super().rows().defer("body")


@extend_schema_view(get=extend_schema(operation_id="job_reviews_list", parameters=POSITION))
class Reviews(_OfJob):
    """What was decided about a job."""

    serializer_class = shapes.ReviewShape
    model = Review

    def rows(self) -> QuerySet[Any]:
        """With who decided."""
        return super().rows().select_related("actor")


@extend_schema_view(get=extend_schema(operation_id="job_corrections_list", parameters=POSITION))
class Corrections(_OfJob):
    """Corrections of a job, also those undone."""

    serializer_class = shapes.CorrectionShape
    model = Correction

    def rows(self) -> QuerySet[Any]:
        """With who corrected."""
        return super().rows().select_related("actor")


@extend_schema_view(get=extend_schema(operation_id="graphs_retrieve"))
class OneGraph(_One):
    """A graph."""

    serializer_class = shapes.GraphShape

    def get_queryset(self) -> QuerySet[Any]:
        """What the caller may see."""
        return Graph.objects.visible_to(self.request.user).select_related("project")


@extend_schema_view(get=extend_schema(operation_id="projects_retrieve"))
class OneProject(_One):
    """A project."""

    serializer_class = shapes.ProjectShape

    def get_queryset(self) -> QuerySet[Any]:
        """What the caller may see."""
        return Project.objects.visible_to(self.request.user)


@extend_schema_view(get=extend_schema(operation_id="snapshots_retrieve"))
class OneSnapshot(_One):
    """A stored reply, without its body."""

    serializer_class = shapes.SnapshotShape

    def get_queryset(self) -> QuerySet[Any]:
        """What the caller may see."""
        return Snapshot.objects.filter(job__in=Job.objects.visible_to(self.request.user))


class SnapshotBody(APIView):
    """The very bytes of a stored reply."""

    @extend_schema(
        operation_id="snapshots_body",
        responses={
            (200, "application/json"): OpenApiResponse(
                {}, description="What GES sent, byte for byte."
            )
        },
    )
    def get(self, request: Request, pk: int) -> HttpResponse:
        """As received; its own content type is told by the snapshot."""
        visible = Snapshot.objects.filter(job__in=Job.objects.visible_to(request.user))
        found = visible.select_related("job").filter(pk=pk).first() if pk < 2**63 else None
        if found is None:
            raise NotFound
        note_download(request._request, request.user, found, found.job)
        response = HttpResponse(found.body, content_type="application/json")
        response["ETag"] = f'"{bytes(found.sha256).hex()}"'
        response["Content-Disposition"] = f'attachment; filename="reply-{found.pk}.json"'
        return response
