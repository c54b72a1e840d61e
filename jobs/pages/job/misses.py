"""Why a poll brought no usable response, in the reader's words, and what to do about it."""

from django.utils.translation import gettext_lazy

from jobs.ges.errors import ErrorReply, GesError
from jobs.models import Miss

# By `GesError.kind`.
TEXTS = {
    "error": gettext_lazy("GES could not be queried: see the error shown with this message"),
    "not_a_status": gettext_lazy(
        "GES responded, but not with a job status: check the response; if this "
        "persists, contact GES support"
    ),
    "wrong_job": gettext_lazy(
        "GES returned a different job; the response was not recorded: if this "
        "persists, contact GES support"
    ),
    "too_large": gettext_lazy(
        "The GES response exceeded the limit of 8 MiB: import fewer files at a time"
    ),
    "html": gettext_lazy(
        "GES returned an HTML page: check that the endpoint is that of GES, and "
        "check any gateway or sign-in page in front of it"
    ),
    "cut": gettext_lazy(
        "The GES response was truncated: check the network and any gateway in front of GES"
    ),
    "encoding": gettext_lazy(
        "The GES response was not UTF-8, or was compressed without declaring it: "
        "check any gateway in front of GES"
    ),
    "redirect": gettext_lazy(
        "GES redirected to another address, which gesdash does not follow: "
        "correct the endpoint in the settings"
    ),
    "error_reply": gettext_lazy(
        "GES returned an error: see its error code; GES.8301 means that GES no longer knows the job"
    ),
    "server_error": gettext_lazy(
        "GES or the gateway in front of it had an internal error: no action is "
        "needed unless this persists"
    ),
    "refused": gettext_lazy("GES rejected the credentials of gesdash: check them in the settings"),
    "throttled": gettext_lazy(
        "GES is rate limiting requests: lower the API quota of the project if this continues"
    ),
    "unreachable": gettext_lazy("GES could not be reached: check the network and the endpoint"),
    "dns": gettext_lazy(
        "The host name of the endpoint could not be resolved: check its spelling "
        "in the settings, and the DNS server"
    ),
    "no_listener": gettext_lazy(
        "No service is listening at the endpoint: check its host and port in the "
        "settings, and the firewall"
    ),
    "tls": gettext_lazy(
        "The certificate of the endpoint is not trusted: check the endpoint, the "
        "clock, and the certificate authorities of this machine"
    ),
    "broken_connection": gettext_lazy(
        "The connection to GES was closed before a response arrived: check the "
        "network and any proxy in between"
    ),
    "not_http": gettext_lazy(
        "The server at the endpoint does not use HTTP: check the scheme and port in the settings"
    ),
    "broken_body": gettext_lazy(
        "The GES response was interrupted or corrupted in transit: check the "
        "network and any proxy in between"
    ),
    "timeout": gettext_lazy(
        "GES did not respond in time: no action is needed unless this persists"
    ),
    "stalled": gettext_lazy(
        "GES started to respond and then stalled: no action is needed unless this persists"
    ),
    "slow_body": gettext_lazy("The GES response was too slow to wait for: check the network"),
    "no_credentials": gettext_lazy(
        "The project has no credentials in the settings: add them and restart gesdash"
    ),
    "no_token": gettext_lazy(
        "IAM issued no token for the user in the settings and will be asked "
        "again later: check the password"
    ),
    "not_recorded": gettext_lazy(
        "The GES response could not be recorded, and the job is quarantined: "
        "check the worker log, then use “Refresh from GES” to resume polling"
    ),
    "budget": gettext_lazy("The API quota of the project is used up for now; try again later"),
    "breaker": gettext_lazy(
        "GES is not responding, so calls are paused for a while; try again later"
    ),
    "crowded": gettext_lazy("Too many requests are already waiting for GES; try again later"),
}


def miss_text(miss: Miss) -> str:
    """Why the polls of this run failed."""
    return str(TEXTS.get(miss.kind, miss.kind))


def error_text(error: GesError) -> str:
    """Why this call failed, with GES's own code and message if it sent any."""
    text = str(error if error.kind == GesError.kind else TEXTS.get(error.kind, error))
    return f"{text} ({error})" if isinstance(error, ErrorReply) else text
