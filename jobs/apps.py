"""The one app of the site."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class JobsConfig(AppConfig):
    """Jobs of GES: what was observed, and what it means."""

    name = "jobs"
    verbose_name = gettext_lazy("GES jobs")

    def ready(self) -> None:
        """Sign-ins and new sessions of the database are told by Django's signals."""
        from jobs.audit import entries
        from jobs.db import outage

        entries.listen()
        outage.listen()
