"""Page or part: the one place that knows what htmx asked for."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails


def is_part(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page; a boosted or restored page is a whole one."""
    htmx: HtmxDetails = vars(request)["htmx"]  # set by its middleware
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_page(
    request: HttpRequest, template: str, part: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """The whole page, or only this partial of it when htmx asks for a part."""
    for_htmx = is_part(request)
    response = render(
        request,
        f"{template}#{part}" if for_htmx else template,
        context | {"is_part": for_htmx},
        status=status,
    )
    patch_vary_headers(response, ["HX-Request", "HX-Boosted", "HX-History-Restore-Request"])
    return response
