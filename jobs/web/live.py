"""Has anything changed that this reader may see? One cheap question, asked by every open tab."""

from datetime import datetime

from django.db.models import F, Max, OuterRef, Subquery
from django.http import HttpRequest

from jobs.models import Job, Project
from jobs.models.project import ProjectQuerySet
from jobs.models.roles import Viewer
from jobs.web.rendering import is_part


def with_change(user: Viewer) -> ProjectQuerySet:
    """The projects this user may see, with when a job of each last came to say something else; an index look-up each."""
    newest = Job.objects.filter(project=OuterRef("pk")).order_by(
        F("changed_at").desc(nulls_last=True)
    )
    return Project.objects.visible_to(user).annotate(
        changed=Subquery(newest.values("changed_at")[:1])
    )


def newest_change(user: Viewer) -> datetime | None:
    """When any job this user may see last came to say something else."""
    result: datetime | None = with_change(user).aggregate(newest=Max("changed"))["newest"]
    return result


def token(*facts: object) -> str:
    """What a part was drawn from, as the text it sends back to ask for anything newer."""
    return "~".join(fact.isoformat() if isinstance(fact, datetime) else str(fact) for fact in facts)


def is_unchanged(request: HttpRequest, now: str) -> bool:
    """Whether a part that asks for itself shows this already."""
    return is_part(request) and request.GET.get("seen") == now
