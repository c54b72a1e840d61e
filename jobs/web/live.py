"""Live parts: every open tab asks every few seconds whether anything it shows has changed."""

from datetime import datetime

from django.db.models import F, Max, OuterRef, Subquery
from django.http import HttpRequest

from jobs.models import Job, Project
from jobs.models.project import ProjectQuerySet
from jobs.models.roles import Viewer
from jobs.web.rendering import is_part


def with_change(user: Viewer) -> ProjectQuerySet:
    """The projects this user may see, annotated with `changed`: when a job of each last changed.

    One index look-up a project.
    """
    newest = Job.objects.filter(project=OuterRef("pk")).order_by(
        F("changed_at").desc(nulls_last=True)
    )
    return Project.objects.visible_to(user).annotate(
        changed=Subquery(newest.values("changed_at")[:1])
    )


def newest_change(user: Viewer) -> datetime | None:
    """When any job this user may see last changed."""
    newest: datetime | None = with_change(user).aggregate(newest=Max("changed"))["newest"]
    return newest


def token(*facts: object) -> str:
    """The state a part was drawn from, as the text it sends back to ask for anything newer."""
    return "~".join(fact.isoformat() if isinstance(fact, datetime) else str(fact) for fact in facts)


def is_unchanged(request: HttpRequest, current_token: str) -> bool:
    """Whether the part that asks already shows the current state."""
    return is_part(request) and request.GET.get("seen") == current_token
