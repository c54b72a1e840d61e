"""Addresses of pages, with their parameters."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from django import template
from django.http import QueryDict
from django.template.context import Context

from jobs.export.job import rfc3339
from jobs.models import Graph
from jobs.queries.job_files import FileGroup

register = template.Library()


@register.simple_tag(takes_context=True)
def url_with(context: Context, **changes: Any) -> str:
    """The address of this page with other parameters; an empty one is left out.

    A position in a list is left out too, since it has no meaning in another list.
    """
    query: QueryDict = context["request"].GET.copy()
    for name in ("cursor", "seen"):
        query.pop(name, None)

    for name, value in changes.items():
        query.pop(name, None)
        if value not in (None, ""):
            query[name] = str(value)
    return f"?{query.urlencode()}" if query else context["request"].path


@register.simple_tag(takes_context=True)
def group_url(context: Context, group: FileGroup) -> str:
    """The files of a group."""
    return url_with(context, group="", **{group.parameter: group.name})


@register.filter
def graph_filter(graph: Graph) -> str:
    """The value that finds this graph in a list: its id, or its name if it has none."""
    return graph.graph_id or graph.name


@register.filter
def time_parameter(value: datetime) -> str:
    """The time as the value of a parameter."""
    return quote(rfc3339(value) or "")
