"""Why GES gave no usable answer, in the reader's words."""

from django.utils.translation import gettext_lazy

from jobs.ges.errors import ErrorReply, GesError
from jobs.models import Miss

KINDS = {
    "not_a_status": gettext_lazy("GES answered, but not with a job status"),
    "wrong_job": gettext_lazy("GES answered about another job"),
    "too_large": gettext_lazy("GES's answer was over the limit of 8 MiB"),
    "error_reply": gettext_lazy("GES answered with an error"),
    "refused": gettext_lazy("GES refused gesdash's credentials: check them in the settings"),
    "throttled": gettext_lazy("GES asked to be asked less often"),
    "unreachable": gettext_lazy("GES could not be reached: check the network and the endpoint"),
    "timeout": gettext_lazy("GES did not answer in time"),
    "no_credentials": gettext_lazy("The project has no credentials in the settings"),
    "budget": gettext_lazy("The project's calls to GES are used up for the moment; try again later"),
    "breaker": gettext_lazy("GES has not been answering and is left alone for a while; try again later"),
    "crowded": gettext_lazy("Too many wait for GES already; try again later"),
}


def said_of_miss(miss: Miss) -> str:
    """What came of a run of failed polls."""
    return str(KINDS.get(miss.kind, miss.kind))


def said_of_error(error: GesError) -> str:
    """What came of asking just now; GES's own code and message stand beside it."""
    said = str(KINDS.get(error.kind, error))
    return f"{said} ({error})" if isinstance(error, ErrorReply) else said
