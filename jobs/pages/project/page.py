"""A project's own page, for its owners: its members, access keys and retention rule."""

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

MAX_ROWS = 500  # members, and keys


@require_safe
def project(request: HttpRequest, pk: int) -> HttpResponse:
    """Members, keys, and how long responses are kept."""
    project = owned_project(request, pk)
    rule = {"keeps": project.keeps, "keep_days": str(project.keep_days)}
    return render_project(request, project, rule)


def render_project(
    request: HttpRequest,
    project: Project,
    rule: dict[str, str],
    *,
    problem: str = "",
    preview: str = "",
) -> HttpResponse:
    """The page, with the retention rule as typed, its problem, or what it would delete."""
    members = Membership.objects.filter(project=project).select_related("user")
    keys = AccessKey.objects.filter(projects=project).select_related("user")
    context: dict[str, Any] = {
        "project": project,
        "members": members.order_by("user__username")[:MAX_ROWS],
        "keys": keys.order_by("user__username", "pk")[:MAX_ROWS],
        "roles": Role.choices,
        "now": timezone.now(),
        "rules": Keeping.choices,
        "typed": rule,
        "wrong": problem,
        "counted": preview,
        "pruned": project.prunings.aggregate(
            last=Max("made_at"), replies=Sum("replies"), size=Sum("size")
        ),
    }
    return render(request, "pages/project/page.html", context, status=400 if problem else 200)


def owned_project(request: HttpRequest, pk: int) -> Project:
    """The project; 403 for its other members, 404 for everybody else."""
    project = get_object_or_404(Project.objects.visible_to(request.user), pk=pk)
    if not project.is_owned_by(request.user):
        raise PermissionDenied
    return project


@require_POST
@transaction.atomic
def set_member(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a user a role, or none any more; one owner must remain."""
    project = owned_project(request, pk)
    username = request.POST.get("username", "").replace("\x00", "").strip()
    role = request.POST.get("role", "")
    user = User.objects.filter(username=username, is_active=True).first() if username else None
    members = Membership.objects.select_for_update().filter(project=project)
    owners = set(members.filter(role=Role.OWNER).values_list("user", flat=True))
    if user is None:
        text = _("“%(who)s” is not a user who can sign in.")
        messages.error(request, text % {"who": username[:80]})
    elif role and role not in Role.values:
        messages.error(request, invalid_value("role", role, ", ".join(Role.values)))
    elif owners == {user.pk} and role != Role.OWNER:
        text = _("%(who)s is the only owner; assign another owner first.")
        messages.error(request, text % {"who": user})
    elif role:
        Membership.objects.update_or_create(project=project, user=user, defaults={"role": role})
        label = Role(role).label
        messages.success(request, _("%(who)s: %(role)s.") % {"who": user, "role": label})
    else:
        Membership.objects.filter(project=project, user=user).delete()
        messages.success(request, _("%(who)s is no longer a member.") % {"who": user})
    return redirect("pages:project", pk=pk)


@require_POST
def shut_out_key(request: HttpRequest, pk: int, key_pk: int) -> HttpResponse:
    """Take this project away from an access key; it keeps its other projects."""
    project = owned_project(request, pk)
    key = get_object_or_404(AccessKey.objects.filter(projects=project), pk=key_pk)
    key.projects.remove(project)
    text = _("The access key %(key)s can no longer access this project.")
    messages.success(request, text % {"key": key})
    return redirect("pages:project", pk=pk)
