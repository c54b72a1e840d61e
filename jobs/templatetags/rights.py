"""The reader's permissions, for templates."""

from typing import Any

from django import template

from jobs.models import Project
from jobs.models.roles import Viewer

register = template.Library()


@register.filter
def may_see_status(user: Viewer) -> bool:
    """Whether the user may see the polling of any project."""
    return (user.is_active and user.is_staff) or Project.objects.visible_ids(user) != []


@register.filter
def reviewable_by(project: Project, user: Any) -> bool:
    """Whether the user may review the project's imports and poll GES at once."""
    return project.may_be_reviewed_by(user)
