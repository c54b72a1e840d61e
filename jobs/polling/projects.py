"""The projects of the settings as rows."""

from django.conf import settings

from jobs.models import Project


def sync_projects() -> list[Project]:
    """The configured projects as rows, their addresses brought up to date."""
    return [
        Project.objects.update_or_create(
            project_id=one.project_id,
            defaults={"endpoint": one.endpoint, "credentials": one.name},
            create_defaults={
                "endpoint": one.endpoint,
                "credentials": one.name,
                "name": one.name if one.name != "env" else "",
            },
        )[0]
        for one in settings.GES_PROJECTS.values()
    ]
