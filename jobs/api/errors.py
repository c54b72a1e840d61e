"""What the API and the proxy answer when they can't: one table, and one shape."""

import logging
from typing import Any

from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

log = logging.getLogger(__name__)


class ApiError(exceptions.APIException):
    """An error with its own HTTP status and code; `cause` goes to the log only."""

    code = "GESDASH.0500"
    status_code = 500
    default_detail = "Something went wrong in gesdash."

    def __init__(self, message: str | None = None, *, cause: object = None, wait: float | None = None) -> None:
        super().__init__(message or self.default_detail)
        self.wait = wait
        if cause is not None:
            log.warning("%s: %s", self.code, cause)


class BadRequest(ApiError):
    """The request can't be understood."""

    status_code, code = 400, "GESDASH.0400"


class Forbidden(ApiError):
    """The caller may not see this project."""

    status_code, code = 403, "GESDASH.0403"
    default_detail = "Your key may not see this project, or there is none with this id."


class BadGateway(ApiError):
    """GES answered, but not with a job status, or it refused gesdash's own credentials."""

    status_code, code = 502, "GESDASH.0502"
    default_detail = "GES's answer is not a job status."


class SlowDown(ApiError):
    """GES throttles."""

    status_code, code = 503, "GESDASH.0503"
    default_detail = "GES asks to be asked less often; try again later."


class NoAnswer(ApiError):
    """GES did not answer in time and nothing stored fits, or only a stored reply was wanted and there is none."""

    status_code, code = 504, "GESDASH.0504"
    default_detail = "GES did not answer in time and nothing stored can stand in."


_CODES = {400: "GESDASH.0400", 401: "GESDASH.0401", 403: "GESDASH.0403", 404: "GESDASH.0404", 405: "GESDASH.0405"}


def handle(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: every error body carries the code under the names of v1 and of v2."""
    response = exception_handler(exc, context)
    if response is None:
        return None
    code = getattr(exc, "code", None) or _CODES.get(response.status_code, f"GESDASH.{response.status_code:04}")
    message = str(getattr(exc, "detail", "")) or str(exc)
    response.data = {"errorCode": code, "errorMessage": message, "error_code": code, "error_msg": message}
    return response
