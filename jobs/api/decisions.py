"""What programs may decide for their user: a review of an import, a correction with its reason, and its undoing."""

from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api import lists, shapes
from jobs.api.errors import BadRequest, Forbidden, NotFound
from jobs.decisions import corrections
from jobs.decisions.review import decide
from jobs.models import Correction, ImportFile, Job, Project, Review

MOST_TEXT = 10_000


class ReviewGiven(serializers.Serializer):  # type: ignore[type-arg]
    """A decision about an import that lost data."""

    state = serializers.ChoiceField([(state.value, state.label) for state in Review.DECISIONS])
    note = serializers.CharField(
        required=False, allow_blank=True, max_length=MOST_TEXT, help_text="Accepting needs one."
    )
    fixed_by = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=2**63 - 1,
        help_text="The id of the job that fixed it.",
    )
    assignee = serializers.CharField(
        required=False, allow_null=True, max_length=150, help_text="A user's name."
    )
    due_on = serializers.DateField(required=False, allow_null=True)
    known = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=2**63 - 1,
        help_text="The newest review's id you saw, 0 for none: refused if somebody decided since.",
    )


class CorrectionGiven(serializers.Serializer):  # type: ignore[type-arg]
    """A right value over what GES said, of a job (`kind` empty) or of one of its files."""

    kind = serializers.ChoiceField([("", ""), *ImportFile.Kind.choices], required=False, default="")
    position = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=2**31 - 1
    )
    field = serializers.CharField(max_length=20)
    corrected = serializers.CharField(
        required=False,
        allow_null=True,
        allow_blank=True,
        max_length=MOST_TEXT,
        help_text="As text; null is unknown.",
    )
    reason = serializers.CharField(max_length=MOST_TEXT)


class UndoGiven(serializers.Serializer):  # type: ignore[type-arg]
    """Why a correction is undone."""

    reason = serializers.CharField(max_length=MOST_TEXT)


class JobReviews(lists.Reviews):
    """What was decided about a job; deciding."""

    @extend_schema(
        operation_id="job_reviews_create", request=ReviewGiven, responses={201: shapes.ReviewShape}
    )
    def post(self, request: Request, pk: int) -> Response:
        """Decide, as a reviewer of its project."""
        job = _job(request, pk)
        if not job.project.may_be_reviewed_by(request.user):
            raise Forbidden("Your role in this project does not let you decide about imports.")
        given = _given(ReviewGiven, request)
        try:
            made = decide(
                job,
                state=given["state"],
                actor=_person(request),
                now=timezone.now(),
                note=given.get("note", ""),
                fixed_by=_fix(request, given.get("fixed_by")),
                assignee=_assignee(given.get("assignee")),
                due_on=given.get("due_on"),
                known=given.get("known"),
            )
        except ValueError as wrong:
            raise BadRequest(str(wrong)) from wrong
        return Response(shapes.ReviewShape(made).data, status=201)


class JobCorrections(lists.Corrections):
    """Corrections of a job; making one."""

    @extend_schema(
        operation_id="job_corrections_create",
        request=CorrectionGiven,
        responses={201: shapes.CorrectionShape},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Correct, as a fixer of its project with the permission to."""
        job = _job(request, pk)
        _must_correct(request, job.project)
        given = _given(CorrectionGiven, request)
        try:
            made = corrections.correct(
                job,
                kind=given["kind"],
                position=given.get("position"),
                field=given["field"],
                corrected=given.get("corrected"),
                reason=given["reason"],
                actor=_person(request),
                now=timezone.now(),
            )
        except ValueError as wrong:
            raise BadRequest(str(wrong)) from wrong
        return Response(shapes.CorrectionShape(made).data, status=201)


class Undo(APIView):
    """Undoing a correction: what GES said shows again, and the correction stays on record."""

    @extend_schema(
        operation_id="corrections_undo", request=UndoGiven, responses={200: shapes.CorrectionShape}
    )
    def post(self, request: Request, pk: int) -> Response:
        """Undo, as a fixer of its project with the permission to."""
        visible = Correction.objects.filter(
            job__in=Job.objects.visible_to(request.user)
        ).select_related("job__project")
        found = visible.filter(pk=pk).first() if pk < 2**63 else None
        if found is None or found.job is None:
            raise NotFound("There is no such correction, or you may not see it.")
        _must_correct(request, found.job.project)
        given = _given(UndoGiven, request)
        try:
            corrections.revert(
                found, reason=given["reason"], actor=_person(request), now=timezone.now()
            )
        except ValueError as wrong:
            raise BadRequest(str(wrong)) from wrong
        found.refresh_from_db()
        return Response(shapes.CorrectionShape(found).data)


def _given(shape: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    read = shape(data=request.data)
    read.is_valid(raise_exception=True)
    if extra := set(request.data) - set(read.fields):
        raise BadRequest(
            f"{min(extra)[:60]}: there is no such field; known are {', '.join(read.fields)}."
        )
    return dict(read.validated_data)


def _job(request: Request, pk: int) -> Job:
    visible = Job.objects.visible_to(request.user).select_related("project", "graph")
    job = visible.filter(pk=pk).first() if pk < 2**63 else None
    if job is None:
        raise NotFound("There is no such job, or you may not see it.")
    return job


def _fix(request: Request, pk: int | None) -> Job | None:
    if pk is None:
        return None
    if (job := Job.objects.visible_to(request.user).filter(pk=pk).first()) is None:
        raise BadRequest(f"fixed_by: there is no job {pk}, or you may not see it.")
    return job


def _assignee(name: str | None) -> User | None:
    if not name:
        return None
    if (user := User.objects.filter(username=name, is_active=True).first()) is None:
        raise BadRequest(f"assignee: {name:.60} may not see this project.")
    return user


def _must_correct(request: Request, project: Project) -> None:
    if not (
        request.user.has_perm("jobs.add_correction") and project.may_be_corrected_by(request.user)
    ):
        raise Forbidden("Your role in this project does not let you correct its jobs.")


def _person(request: Request) -> User:
    assert isinstance(request.user, User)  # noqa: S101  the permission class lets nobody else in
    return request.user
