"""What the reader may do, where a template asks."""

from typing import Any

from django import template

from jobs.models import Project
from jobs.models.roles import Viewer

register = template.Library()


@register.filter
def may_see_status(user: Viewer) -> bool:
    """Whether there is a project whose polling this user may look at."""
    return (user.is_active and user.is_staff) or Project.objects.visible_ids(user) != []


@register.filter
def reviewable_by(project: Project, user: Any) -> bool:
    """Whether this user may decide about its imports and ask GES now."""
    return project.may_be_reviewed_by(user)
