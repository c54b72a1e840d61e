"""The one app of the site."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    """Jobs of GES: what was observed, and what it means."""

    name = "jobs"
    verbose_name = _("Jobs of GES")  # type: ignore[assignment]
    verbose_name = "GES jobs"
