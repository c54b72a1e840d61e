"""The review of an import with failures: the form on the job's page, and what it sends."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jobs.decisions import review
from jobs.decisions.review import InvalidDecision
from jobs.lists.paging import read_pk
from jobs.models import Job, Project, Review
from jobs.models.job import ReviewState
from jobs.web.form_recovery import recover_form
from jobs.web.signed_in import signed_in

MAX_NOTE = 10_000  # characters
MAX_REVIEWS = 20  # shown
MAX_LATER = 20  # later imports offered
MAX_PEOPLE = 200
_FIELDS = ("state", "note", "fixed_by", "assignee", "due_on")


def review_context(request: HttpRequest, job: Job) -> dict[str, Any]:
    """The context of the review section; a job without a review state has no reviews."""
    if not job.review:
        return {"reviews": []}
    rows = job.reviews.select_related("actor", "assignee", "fixed_by").order_by("-pk")
    reviews = list(rows[:MAX_REVIEWS])
    is_undecided = job.review in {*ReviewState.open(), ReviewState.TOLERATED}
    fix = review.propose_fix(job) if is_undecided else None
    context: dict[str, Any] = {
        "reviews": reviews,
        "proposed": fix,
        "may_review": job.project.may_be_reviewed_by(request.user),
        "standing": reviews[0] if reviews else None,
    }
    if context["may_review"]:
        context |= _form(request, job, context["standing"], fix)
    return context


def _form(
    request: HttpRequest, job: Job, current: Review | None, fix: Job | None
) -> dict[str, Any]:
    """The form as just refused, else as sent without a session, else the current review."""
    refused = _take_refused(request, job)
    typed = (
        refused
        or recover_form(request, reverse("pages:decide", args=[job.pk]))
        or _initial(current, fix)
    )
    return {
        "known": current.pk if current else 0,
        "decisions": [(state.value, state.label) for state in Review.DECISIONS],
        "typed": typed,
        "wrong": {refused["field"]: refused["wrong"]} if refused else {},
    }


def _take_refused(request: HttpRequest, job: Job) -> dict[str, str] | None:
    """The form that could not be saved just now, with its `wrong` field; removed once shown."""
    refused: dict[str, Any] | None = request.session.get("unsaved")
    if not refused or refused.get("job") != job.pk:
        return None
    del request.session["unsaved"]
    return {name: refused.get(name, "") for name in (*_FIELDS, "field", "wrong")}


def _keep_refused(request: HttpRequest, job: Job, error: ValueError) -> str:
    """Keep the form for `_take_refused`; the field at fault."""
    field = error.field if isinstance(error, InvalidDecision) else "form"
    typed = {name: request.POST.get(name, "")[: 2 * MAX_NOTE] for name in _FIELDS}
    request.session["unsaved"] = {"job": job.pk, "field": field, "wrong": str(error)} | typed
    return field


def _initial(current: Review | None, fix: Job | None) -> dict[str, str]:
    """The current review, to be changed, with the job that could have fixed the import."""
    proposed = fix.job_id if fix else ""
    if current is None:
        return {"fixed_by": proposed}
    return {
        "state": current.state,
        "note": current.note,
        "assignee": current.assignee.get_username() if current.assignee else "",
        "due_on": current.due_on.isoformat() if current.due_on else "",
        "fixed_by": current.fixed_by.job_id if current.fixed_by else proposed,
    }


@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Save a review; an invalid one is shown again with the error at its field."""
    visible = Job.objects.visible_to(request.user).select_related("graph", "project")
    job = get_object_or_404(visible, pk=pk)
    if not job.project.may_be_reviewed_by(request.user):
        raise PermissionDenied
    try:
        _save(request, job)
    except ValueError as error:
        if not job.review:  # there is no form to show it in
            messages.error(request, str(error))
            return redirect("pages:job", pk=pk)
        field = _keep_refused(request, job, error)
        # The browser goes to the field, and puts the focus into it.
        return redirect(reverse("pages:job", args=[pk]) + f"#review-{field}")

    state = ReviewState(request.POST["state"])
    messages.success(request, _("Saved. %(state)s.") % {"state": state.label.capitalize()})
    following = _next_waiting(request, job)
    if following is not None and "next" in request.POST:
        return redirect("pages:job", pk=following.pk)
    return redirect("pages:job", pk=pk)


def _save(request: HttpRequest, job: Job) -> None:
    """Save the review that was sent. Raises: ValueError, InvalidDecision for one field."""
    fields = request.POST
    is_fixed = fields.get("state") == ReviewState.FIXED
    fixing_id = _line(fields, "fixed_by") if is_fixed else ""
    review.decide(
        job,
        state=fields.get("state", ""),
        actor=signed_in(request),
        now=timezone.now(),
        note=read_note(request),
        fixed_by=review.find_fix(job, fixing_id) if fixing_id else None,
        assignee=_read_assignee(_line(fields, "assignee")),
        due_on=_read_date(_line(fields, "due_on")),
        known=read_pk(fields.get("known", "")),
    )


def _next_waiting(request: HttpRequest, job: Job) -> Job | None:
    """The newest other import that waits for this user's review."""
    waiting = Job.objects.filter(
        project__in=Project.objects.reviewable_by(request.user), review=ReviewState.WAITING
    )
    return waiting.exclude(pk=job.pk).order_by("-begin_time", "-pk").first()


@require_safe
def later(request: HttpRequest, pk: int) -> HttpResponse:
    """The jobs that may have fixed this one and the people to assign; a part of the form, loaded
    when the form is entered.
    """
    visible = Job.objects.visible_to(request.user).select_related("project")
    job = get_object_or_404(visible, pk=pk)
    people = _assignable(job) if job.project.may_be_reviewed_by(request.user) else []
    context = {"later": review.later_imports(job)[:MAX_LATER], "people": people}
    return render(request, "pages/job/later.html", context)


def _assignable(job: Job) -> list[User]:
    """The project's members, and those who see every project."""
    with_access = Q(membership__project=job.project_id) | Q(is_superuser=True)
    users = User.objects.filter(with_access, is_active=True)
    return list(users.order_by("username").distinct()[:MAX_PEOPLE])


def read_note(request: HttpRequest) -> str:
    """The note that was sent. Raises: InvalidDecision when it is too long."""
    note = request.POST.get("note", "")
    if len(note) > MAX_NOTE:
        text = _("The note has %(count)s characters; expected at most %(most)s.")
        counts = {"count": f"{len(note):,}", "most": f"{MAX_NOTE:,}"}
        raise InvalidDecision(text % counts, "note")
    return note


def _line(fields: QueryDict, name: str) -> str:
    return fields.get(name, "").replace("\x00", "").strip()


def _read_assignee(name: str) -> User | None:
    if not name:
        return None
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None:
        text = _("%(who)s does not have access to this project.")
        raise InvalidDecision(text % {"who": name[:80]}, "assignee")
    return user


def _read_date(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        sentence = _("“%(value)s” is not a valid date; expected, for example, 2026-01-31.")
        raise InvalidDecision(sentence % {"value": text[:40]}, "due_on") from error
