"""The one app of the site."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Jobs of GES: what was observed, and what it means."""

    name = "jobs"
    verbose_name = "GES jobs"
