"""Addresses made from the one that was requested."""

from django.http import HttpRequest


def at_cursor(request: HttpRequest, cursor: str | None) -> str | None:
    """This address at another position; None where there is none."""
    if cursor is None:
        return None
    query = request.GET.copy()
    query.pop("seen", None)
    query["cursor"] = cursor
    return f"{request.path}?{query.urlencode()}"
