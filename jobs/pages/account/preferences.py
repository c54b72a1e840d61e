"""How one reader wants to see things; in cookies, since it is of a browser, not of an account."""

from zoneinfo import available_timezones

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from jobs.web.rendering import render_page
from jobs.web.time_zone import BROWSER_COOKIE, CHOSEN_COOKIE, read_zone

YEAR_SECONDS = 365 * 24 * 3600


@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    """Choose a time zone, or go back to the browser's."""
    if request.method == "POST":
        return _save(request)
    context = {
        "chosen": request.COOKIES.get(CHOSEN_COOKIE, ""),
        "browsers": request.COOKIES.get(BROWSER_COOKIE, ""),
        "zones": sorted(available_timezones()),
    }
    return render_page(request, "pages/account/preferences.html", "preferences", context)


def _save(request: HttpRequest) -> HttpResponse:
    name = request.POST.get("zone", "").strip()
    response = redirect("pages:preferences")
    if not name:
        response.delete_cookie(CHOSEN_COOKIE)
        messages.success(request, _("Times are shown in the time zone of the browser."))
    elif read_zone(name) is None:
        text = _("“%(name)s” is not a valid time zone; expected, for example, Asia/Shanghai.")
        messages.error(request, text % {"name": name[:60]})
    else:
        response.set_cookie(
            CHOSEN_COOKIE, name, max_age=YEAR_SECONDS, samesite="Lax", secure=request.is_secure()
        )
        messages.success(request, _("Times are shown in %(name)s.") % {"name": name})
    return response
