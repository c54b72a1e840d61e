"""Errors of the API and of the proxy, each with its HTTP status, code and public words."""

import logging

from rest_framework import exceptions

from jobs.ges import errors as ges
from jobs.polling import call_budget, single_flight

log = logging.getLogger(__name__)


class ApiError(exceptions.APIException):
    """An error with its own HTTP status and code; `cause` goes to the log only."""

    code = "GESDASH.0500"
    status_code = 500
    default_detail = "Something went wrong in gesdash."

    def __init__(
        self, message: str | None = None, *, cause: object = None, wait: float | None = None
    ) -> None:
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


class NotFound(ApiError):
    """Nothing is at this address, or nothing the caller may see."""

    status_code, code = 404, "GESDASH.0404"
    default_detail = "There is no such thing, or you may not see it."


class BadGateway(ApiError):
    """GES answered, but not with a job status, or it refused gesdash's own credentials."""

    status_code, code = 502, "GESDASH.0502"
    default_detail = "GES's answer is not a job status."


class SlowDown(ApiError):
    """GES throttles, or the API quota is used up."""

    status_code, code = 503, "GESDASH.0503"
    default_detail = "GES limits the rate of requests; try again later."


class NoAnswer(ApiError):
    """GES did not answer in time, or only a stored reply was wanted, and nothing stored fits."""

    status_code, code = 504, "GESDASH.0504"
    default_detail = "GES did not answer in time and nothing stored can stand in."


def for_caller(error: ges.GesError) -> ApiError:
    """The error that a caller of the proxy gets for a failed request to GES."""
    match error:
        case ges.CredentialsRefused():
            return BadGateway(
                "GES refused gesdash's own credentials for this project.", cause=error
            )
        case ges.Throttled():
            return SlowDown(cause=error, wait=error.retry_after or call_budget.DEFAULT_PAUSE)
        case call_budget.BudgetSpent() | single_flight.TooManyWaiting():
            return SlowDown(f"{error} Try again later.", wait=error.retry_after)
        case call_budget.CircuitOpen():
            return NoAnswer(f"{error} Nothing stored can stand in.", wait=error.retry_after)
        case ges.ErrorReply() | ges.Unreachable():
            return NoAnswer(cause=error)
        case ges.NoCredentials():
            return BadRequest(
                "gesdash holds no credentials for this project, so it can't ask GES.", cause=error
            )
    return BadGateway(f"GES answered, but not with a job status. {error}", cause=error)
