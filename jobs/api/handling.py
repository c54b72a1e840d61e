"""How errors leave: a shape for each of the two doors.

The proxy carries the code under the names of v1 and of v2, as GES's clients read it; the API sends problem details (RFC 9457).
"""

import re
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework.response import Response
from rest_framework.views import exception_handler

from jobs.api.errors import ApiError, NotFound


def handle(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler."""
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
        return " ".join(f"{name}: {_sentence(said)}" for name, said in detail.items())
    return " ".join(str(one) for one in detail) if isinstance(detail, list) else str(detail)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's own refusals (a host it does not serve, a body over the limit), in the shape of the place they came to."""
    return _plain(
        request, 400, "The request is refused: its Host header or its size won't do."
    ) or defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address below /api/ that is none."""
    return _plain(request, 404, NotFound.default_detail) or defaults.page_not_found(
        request, exception
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """A failure of ours; its traceback is in the log."""
    return _plain(request, 500, ApiError.default_detail) or defaults.server_error(request)


def _plain(request: HttpRequest, status: int, message: str) -> HttpResponse | None:
    code = f"GESDASH.{status:04}"
    if re.match(r"/(v1\.0|v2)/", request.path):
        return JsonResponse(_as_ges(code, message), status=status)
    if request.path.startswith("/api/"):
        return JsonResponse(
            _problem(status, code, message), status=status, content_type="application/problem+json"
        )
    return None
