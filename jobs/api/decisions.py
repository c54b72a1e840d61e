"""Decisions that programs make for their user: reviews, corrections, and undoing them."""

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
from jobs.api.visible import visible_job
from jobs.decisions import corrections
from jobs.decisions.review import decide
from jobs.lists.kinds import MAX_ID
from jobs.models import Correction, ImportFile, Job, Project, Review

MAX_TEXT = 10_000  # characters


class ReviewGiven(serializers.Serializer[Any]):
    """A decision about an import with failures."""

    state = serializers.ChoiceField([(state.value, state.label) for state in Review.DECISIONS])
    note = serializers.CharField(
        required=False, allow_blank=True, max_length=MAX_TEXT, help_text="Accepting needs one."
    )
    fixed_by = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MAX_ID,
        help_text="The id of the job that fixed it.",
    )
    assignee = serializers.CharField(
        required=False, allow_null=True, max_length=150, help_text="A username."
    )
    due_on = serializers.DateField(
        required=False, allow_null=True, help_text="Shown as “Due date”."
    )
    known = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=MAX_ID,
        help_text="The newest review's id you saw, 0 for none: refused if there is a newer one.",
    )


class CorrectionGiven(serializers.Serializer[Any]):
    """The right value over what GES gave, of a job (`kind` empty) or of one of its files."""

    kind = serializers.ChoiceField([("", ""), *ImportFile.Kind.choices], required=False, default="")
    position = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=2**31 - 1
    )
    field = serializers.CharField(max_length=20)
    corrected = serializers.CharField(
        required=False,
        allow_null=True,
        allow_blank=True,
        max_length=MAX_TEXT,
        help_text="As text; null is unknown.",
    )
    reason = serializers.CharField(max_length=MAX_TEXT)


class UndoGiven(serializers.Serializer[Any]):
    """The reason for undoing a correction."""

    reason = serializers.CharField(max_length=MAX_TEXT)


class Reviews(lists.Reviews):
    """Reviews of a job."""

    @extend_schema(
        operation_id="job_reviews_create", request=ReviewGiven, responses={201: shapes.ReviewShape}
    )
    def create(self, request: Request, pk: int) -> Response:
        """Review an import, as a reviewer of its project."""
        job = visible_job(request, pk)
        if not job.project.may_be_reviewed_by(request.user):
            raise Forbidden("Your role in this project does not let you decide about imports.")
        given = _given(ReviewGiven, request)
        try:
            review = decide(
                job,
                state=given["state"],
                actor=_signed_in(request),
                now=timezone.now(),
                note=given.get("note", ""),
                fixed_by=_fixing_job(request, given.get("fixed_by")),
                assignee=_assignee(given.get("assignee")),
                due_on=given.get("due_on"),
                known=given.get("known"),
            )
        except ValueError as error:
            raise BadRequest(str(error)) from error
        return Response(shapes.ReviewShape(review).data, status=201)


class Corrections(lists.Corrections):
    """Corrections of a job."""

    @extend_schema(
        operation_id="job_corrections_create",
        request=CorrectionGiven,
        responses={201: shapes.CorrectionShape},
    )
    def create(self, request: Request, pk: int) -> Response:
        """Correct a value, as a fixer of its project with the permission to."""
        job = visible_job(request, pk)
        _require_fixer(request, job.project)
        given = _given(CorrectionGiven, request)
        try:
            correction = corrections.correct(
                job,
                kind=given["kind"],
                position=given.get("position"),
                field=given["field"],
                corrected=given.get("corrected"),
                reason=given["reason"],
                actor=_signed_in(request),
                now=timezone.now(),
            )
        except ValueError as error:
            raise BadRequest(str(error)) from error
        return Response(shapes.CorrectionShape(correction).data, status=201)


class Undo(APIView):
    """Undoing a correction: GES's value shows again, and the correction stays on record."""

    @extend_schema(
        operation_id="corrections_undo", request=UndoGiven, responses={200: shapes.CorrectionShape}
    )
    def post(self, request: Request, pk: int) -> Response:
        """Undo, as a fixer of its project with the permission to."""
        visible = Correction.objects.filter(job__in=Job.objects.visible_to(request.user))
        correction = visible.select_related("job__project").filter(pk=pk).first()
        if correction is None or correction.job is None:
            raise NotFound("There is no such correction, or you may not see it.")

        _require_fixer(request, correction.job.project)
        reason = _given(UndoGiven, request)["reason"]
        try:
            corrections.revert(
                correction, reason=reason, actor=_signed_in(request), now=timezone.now()
            )
        except ValueError as error:
            raise BadRequest(str(error)) from error
        correction.refresh_from_db()
        return Response(shapes.CorrectionShape(correction).data)


def _given(shape: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    serializer = shape(data=request.data)
    serializer.is_valid(raise_exception=True)
    if unknown := set(request.data) - set(serializer.fields):
        known = ", ".join(serializer.fields)
        raise BadRequest(f"{min(unknown)[:60]}: there is no such field; known are {known}.")
    return dict(serializer.validated_data)


def _fixing_job(request: Request, pk: int | None) -> Job | None:
    if pk is None:
        return None
    if (job := Job.objects.visible_to(request.user).filter(pk=pk).first()) is None:
        raise BadRequest(f"fixed_by: there is no job {pk}, or you may not see it.")
    return job


def _assignee(username: str | None) -> User | None:
    if not username:
        return None
    if (user := User.objects.filter(username=username, is_active=True).first()) is None:
        raise BadRequest(f"assignee: {username:.60} may not see this project.")
    return user


def _require_fixer(request: Request, project: Project) -> None:
    if not (
        request.user.has_perm("jobs.add_correction") and project.may_be_corrected_by(request.user)
    ):
        raise Forbidden("Your role in this project does not let you correct its jobs.")


def _signed_in(request: Request) -> User:
    assert isinstance(request.user, User)  # noqa: S101  the permission class lets nobody else in
    return request.user
