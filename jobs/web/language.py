"""The reader's language: chosen, else the first of the browser's that we speak, else English."""

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

FOR_PROGRAMS = ("/api/", "/v1.0/", "/v2/")


class LanguageMiddleware(LocaleMiddleware):
    """Pages speak the reader's language; programs are always told in English."""

    def process_request(self, request: HttpRequest) -> None:
        """Switch to it, for this request."""
        if request.path.startswith(FOR_PROGRAMS):
            translation.activate(settings.LANGUAGE_CODE)
            request.LANGUAGE_CODE = settings.LANGUAGE_CODE
        else:
            super().process_request(request)
