"""A project's own page, for its owners: who belongs to it, which keys see it, and how long replies are kept."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jobs.lists.paging import invalid_value
from jobs.models import AccessKey, Membership, Project
from jobs.models.project import Keeping
from jobs.models.roles import Role

SHOWN = 500


@require_safe
def project(request: HttpRequest, pk: int) -> HttpResponse:
    """Members, keys, and how long replies are kept."""
    one = owned(request, pk)
    return page_of_project(request, one, {"keeps": one.keeps, "keep_days": str(one.keep_days)})


def page_of_project(
    request: HttpRequest, one: Project, typed: dict[str, str], *, wrong: str = "", counted: str = ""
) -> HttpResponse:
    """The page, with what was typed of the rule, what is wrong with it or what it would take away."""
    members = (
        Membership.objects.filter(project=one).select_related("user").order_by("user__username")
    )
    keys = (
        AccessKey.objects.filter(projects=one)
        .select_related("user")
        .order_by("user__username", "pk")
    )
    context: dict[str, Any] = {
        "project": one,
        "members": members[:SHOWN],
        "keys": keys[:SHOWN],
        "roles": Role.choices,
        "now": timezone.now(),
        "rules": Keeping.choices,
        "typed": typed,
        "wrong": wrong,
        "counted": counted,
        "pruned": one.prunings.aggregate(
            last=Max("made_at"), replies=Sum("replies"), size=Sum("size")
        ),
    }
    return render(request, "pages/project.html", context, status=400 if wrong else 200)


def owned(request: HttpRequest, pk: int) -> Project:
    """The project. Who may see it and does not own it is told so; to others there is no such project."""
    one = get_object_or_404(Project.objects.visible_to(request.user), pk=pk)
    if not one.is_owned_by(request.user):
        raise PermissionDenied
    return one


@require_POST
@transaction.atomic
def set_member(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a user a role, another role, or none any more; one owner stays, so that somebody can."""
    one = owned(request, pk)
    name, role = (
        request.POST.get("username", "").replace("\x00", "").strip(),
        request.POST.get("role", ""),
    )
    user = User.objects.filter(username=name, is_active=True).first() if name else None
    owners = set(
        Membership.objects.select_for_update()
        .filter(project=one, role="owner")
        .values_list("user", flat=True)
    )
    if user is None:
        messages.error(request, _("“%(who)s” is not a user who can sign in.") % {"who": name[:80]})
    elif role and role not in Role.values:
        messages.error(request, invalid_value("role", role, ", ".join(Role.values)))
    elif owners == {user.pk} and role != Role.OWNER:
        messages.error(
            request, _("%(who)s is the only owner; assign another owner first.") % {"who": user}
        )
    elif role:
        Membership.objects.update_or_create(project=one, user=user, defaults={"role": role})
        messages.success(request, _("%(who)s: %(role)s.") % {"who": user, "role": Role(role).label})
    else:
        Membership.objects.filter(project=one, user=user).delete()
        messages.success(request, _("%(who)s is no longer a member.") % {"who": user})
    return redirect("pages:project", pk=pk)


@require_POST
def shut_out_key(request: HttpRequest, pk: int, key_pk: int) -> HttpResponse:
    """Take this project away from a key; what else the key sees is its user's business."""
    one = owned(request, pk)
    key = get_object_or_404(AccessKey.objects.filter(projects=one), pk=key_pk)
    key.projects.remove(one)
    messages.success(
        request, _("The access key %(key)s can no longer access this project.") % {"key": key}
    )
    return redirect("pages:project", pk=pk)
