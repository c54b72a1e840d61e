"""The reader's language: as chosen, else as the browser prefers, else English."""

from typing import override

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

FOR_PROGRAMS = ("/api/", "/v1.0/", "/v2/")


class LanguageMiddleware(LocaleMiddleware):
    """Activates the reader's language for pages, and English for programs."""

    @override
    def process_request(self, request: HttpRequest) -> None:
        if request.path.startswith(FOR_PROGRAMS):
            translation.activate(settings.LANGUAGE_CODE)
            request.LANGUAGE_CODE = settings.LANGUAGE_CODE
        else:
            super().process_request(request)
