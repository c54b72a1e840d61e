"""Why GES gave no usable answer, in the reader's words."""

from django.utils.translation import gettext_lazy

from jobs.ges.errors import ErrorReply, GesError
from jobs.models import Miss

KINDS = {
    "error": gettext_lazy("GES could not be asked: what went wrong stands beside this"),
    "not_a_status": gettext_lazy("GES answered, but not with a job status: see what came; if it stays so, ask GES's support"),
    "wrong_job": gettext_lazy("GES answered about another job; it was not recorded: if it stays so, ask GES's support"),
    "too_large": gettext_lazy("GES's answer was over the limit of 8 MiB: import fewer files at a time"),
    "html": gettext_lazy("GES answered with an HTML page: check that the endpoint is GES's, and any gateway or sign-in before it"),
    "cut": gettext_lazy("GES's answer was cut short: check the network and any gateway before GES"),
    "encoding": gettext_lazy("GES's answer was not UTF-8, or packed unannounced: check any gateway before GES"),
    "redirect": gettext_lazy("GES sent gesdash to another address, which it does not follow: correct the endpoint in the settings"),
    "error_reply": gettext_lazy("GES answered with an error: its code says which; GES.8301 means it knows no such job any more"),
    "server_error": gettext_lazy("GES, or the gateway before it, had an error of its own: nothing to do unless it stays so"),
    "refused": gettext_lazy("GES refused gesdash's credentials: check them in the settings"),
    "throttled": gettext_lazy("GES asked to be asked less often: lower the project's call budget if this goes on"),
    "unreachable": gettext_lazy("GES could not be reached: check the network and the endpoint"),
    "dns": gettext_lazy("The endpoint's name has no address: check its spelling in the settings, and the name server"),
    "no_listener": gettext_lazy("Nothing listens at the endpoint: check its host and port in the settings, and the firewall"),
    "tls": gettext_lazy("The endpoint's certificate is not to be trusted: check the endpoint, the clock, and the certificate authorities of this machine"),
    "broken_connection": gettext_lazy("The connection to GES broke before an answer came: check the network and any proxy on the way"),
    "not_http": gettext_lazy("What answered at the endpoint does not speak HTTP: check its scheme and port in the settings"),
    "broken_body": gettext_lazy("GES's answer broke off or was garbled on its way: check the network and any proxy on the way"),
    "timeout": gettext_lazy("GES did not answer in time: nothing to do unless it stays so"),
    "stalled": gettext_lazy("GES began to answer and fell silent: nothing to do unless it stays so"),
    "slow_body": gettext_lazy("GES's answer came too slowly to wait for: check the network"),
    "no_credentials": gettext_lazy("The project has no credentials in the settings: add them and start again"),
    "no_token": gettext_lazy("IAM gave no token for the user in the settings, and is asked again in a while: check the password"),
    "not_recorded": gettext_lazy("GES's answer could not be recorded, and the job is set aside: see the worker's log, then poll it now to take it up again"),
    "budget": gettext_lazy("The project's calls to GES are used up for the moment; try again later"),
    "breaker": gettext_lazy("GES has not been answering and is left alone for a while; try again later"),
    "crowded": gettext_lazy("Too many wait for GES already; try again later"),
}  # fmt: skip


def said_of_miss(miss: Miss) -> str:
    """What came of a run of failed polls."""
    return str(KINDS.get(miss.kind, miss.kind))


def said_of_error(error: GesError) -> str:
    """What came of asking just now; GES's own code and message stand beside it."""
    said = str(error if error.kind == GesError.kind else KINDS.get(error.kind, error))
    return f"{said} ({error})" if isinstance(error, ErrorReply) else said
