"""What people decide about an import that lost data: the form on the job's page, and what it sends."""

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
CHOICES = 20  # later imports offered
_TYPED = ("state", "note", "fixed_by", "assignee", "due_on")


def review_context(request: HttpRequest, one: Job) -> dict[str, Any]:
    """What the review section shows; nothing for a job that lost nothing."""
    if not one.review:
        return {"reviews": []}
    may_review = one.project.may_be_reviewed_by(request.user)
    reviews = list(one.reviews.select_related("actor", "assignee", "fixed_by").order_by("-pk")[:20])
    fix = (
        review.propose_fix(one)
        if one.review in {*ReviewState.open(), ReviewState.TOLERATED}
        else None
    )
    standing = reviews[0] if reviews else None
    context: dict[str, Any] = {
        "reviews": reviews,
        "proposed": fix,
        "may_review": may_review,
        "standing": standing,
    }
    if may_review:
        unsaved = _unsaved(request, one)
        context |= {
            "known": reviews[0].pk if reviews else 0,
            "decisions": [(state.value, state.label) for state in Review.DECISIONS],
            "typed": unsaved
            or recover_form(request, reverse("pages:decide", args=[one.pk]))
            or _standing(standing, fix),
            "wrong": {unsaved["field"]: unsaved["wrong"]} if unsaved else {},
        }
    return context


def _unsaved(request: HttpRequest, one: Job) -> dict[str, str] | None:
    """What could not be saved just now, with what was wrong with which field; it is shown once."""
    unsaved: dict[str, Any] | None = request.session.get("unsaved")
    if not unsaved or unsaved.get("job") != one.pk:
        return None
    del request.session["unsaved"]
    return {name: unsaved.get(name, "") for name in (*_TYPED, "field", "wrong")}


def _standing(standing: Review | None, fix: Job | None) -> dict[str, str]:
    """What stands in the form: the decision that stands, to be changed, and the job that could have fixed it."""
    proposed = fix.job_id if fix else ""
    if standing is None:
        return {"fixed_by": proposed}
    return {
        "state": standing.state,
        "note": standing.note,
        "assignee": standing.assignee.get_username() if standing.assignee else "",
        "due_on": standing.due_on.isoformat() if standing.due_on else "",
        "fixed_by": standing.fixed_by.job_id if standing.fixed_by else proposed,
    }


def _people(one: Job) -> list[User]:
    """Whom one may ask: the project's members, and those who see every project."""
    theirs = Q(membership__project=one.project_id) | Q(is_superuser=True)
    return list(User.objects.filter(theirs, is_active=True).order_by("username").distinct()[:200])


@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what becomes of an import that lost data; what can't be taken is said at its field, with all that was typed kept."""
    one = get_object_or_404(
        Job.objects.visible_to(request.user).select_related("graph", "project"), pk=pk
    )
    if not one.project.may_be_reviewed_by(request.user):
        raise PermissionDenied
    said = request.POST
    try:
        fixing = _line(said, "fixed_by") if said.get("state") == ReviewState.FIXED else ""
        review.decide(
            one,
            state=said.get("state", ""),
            actor=signed_in(request),
            now=timezone.now(),
            note=read_note(request),
            fixed_by=review.find_fix(one, fixing) if fixing else None,
            assignee=_assignee(_line(said, "assignee")),
            due_on=_day(_line(said, "due_on")),
            known=read_pk(said.get("known", "")),
        )
    except ValueError as wrong:
        if not one.review:  # there is no form to say it in
            messages.error(request, str(wrong))
            return redirect("pages:job", pk=pk)
        field = wrong.field if isinstance(wrong, InvalidDecision) else "form"
        typed = {name: said.get(name, "")[: 2 * MAX_NOTE] for name in _TYPED}
        request.session["unsaved"] = {"job": one.pk, "field": field, "wrong": str(wrong)} | typed
        # The browser goes to the field, and puts the focus into it.
        return redirect(reverse("pages:job", args=[pk]) + f"#review-{field}")
    waiting = Job.objects.filter(
        project__in=Project.objects.reviewable_by(request.user), review=ReviewState.WAITING
    )
    following = waiting.exclude(pk=one.pk).order_by("-begin_time", "-pk").first()
    messages.success(
        request, _("Saved. %(state)s.") % {"state": ReviewState(said["state"]).label.capitalize()}
    )
    if following is not None and "next" in said:
        return redirect("pages:job", pk=following.pk)
    return redirect("pages:job", pk=pk)


@require_safe
def later(request: HttpRequest, pk: int) -> HttpResponse:
    """The jobs that could have fixed this one and the people to ask, to choose from; a part, asked for when the form is entered."""
    one = get_object_or_404(Job.objects.visible_to(request.user).select_related("project"), pk=pk)
    people = _people(one) if one.project.may_be_reviewed_by(request.user) else []
    return render(
        request,
        "pages/job/later.html",
        {"later": review.later_imports(one)[:CHOICES], "people": people},
    )


def read_note(request: HttpRequest) -> str:
    """The note that was typed. Raises: Refused with a sentence when it is too long."""
    note = request.POST.get("note", "")
    if len(note) > MAX_NOTE:
        said = {"count": f"{len(note):,}", "most": f"{MAX_NOTE:,}"}
        raise InvalidDecision(
            _("The note has %(count)s characters; expected at most %(most)s.") % said, "note"
        )
    return note


def _line(said: QueryDict, name: str) -> str:
    return said.get(name, "").replace("\x00", "").strip()


def _assignee(name: str) -> User | None:
    if not name:
        return None
    found = User.objects.filter(username=name, is_active=True).first()
    if found is None:
        raise InvalidDecision(
            _("%(who)s does not have access to this project.") % {"who": name[:80]}, "assignee"
        )
    return found


def _day(value: str) -> date | None:
    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError as wrong:
        sentence = _("“%(value)s” is not a valid date; expected, for example, 2026-01-31.") % {
            "value": value[:40]
        }
        raise InvalidDecision(sentence, "due_on") from wrong
