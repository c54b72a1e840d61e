"""Errors as responses, in two shapes.

The proxy has the code under the names of v1 and of v2, which GES's clients read; the API has
problem details (RFC 9457).
"""

import re
from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework.response import Response
from rest_framework.views import exception_handler

from jobs.api.errors import ApiError, NotFound


def handle(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler."""
    if isinstance(exc, Http404):
        exc = NotFound()  # Django's own sentence names the model
    response = exception_handler(exc, context)
    if response is None:
        return None
    code = getattr(exc, "code", None) or f"GESDASH.{response.status_code:04}"
    message = _sentence(getattr(exc, "detail", "")) or str(exc)
    if getattr(context.get("view"), "has_ges_errors", False):
        response.data = _as_ges(code, message)
    else:
        response.data = _problem(response.status_code, code, message)
        response.content_type = "application/problem+json"
    return response


def _as_ges(code: str, message: str) -> dict[str, str]:
    return {"errorCode": code, "errorMessage": message, "error_code": code, "error_msg": message}


def _problem(status: int, code: str, message: str) -> dict[str, object]:
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": message,
        "code": code,
    }


def _sentence(detail: Any) -> str:
    if isinstance(detail, dict):
        return " ".join(f"{name}: {_sentence(inner)}" for name, inner in detail.items())
    if isinstance(detail, list):
        return " ".join(map(str, detail))
    return str(detail)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's own refusals: a host it does not serve, a body over the limit."""
    message = "The request is refused: its Host header or its size is not allowed."
    return _for_program(request, 400, message) or defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """No view has this address."""
    response = _for_program(request, 404, NotFound.default_detail)
    return response or defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of gesdash; its traceback is in the log."""
    return _for_program(request, 500, ApiError.default_detail) or defaults.server_error(request)


def _for_program(request: HttpRequest, status: int, message: str) -> HttpResponse | None:
    """The error in the shape of the proxy or of the API; None for an address of the pages."""
    code = f"GESDASH.{status:04}"
    if re.match(r"/(v1\.0|v2)/", request.path):
        return JsonResponse(_as_ges(code, message), status=status)
    if request.path.startswith("/api/"):
        return JsonResponse(
            _problem(status, code, message), status=status, content_type="application/problem+json"
        )
    return None
