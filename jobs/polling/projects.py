"""The projects of the settings as rows."""

from django.conf import settings

from jobs.models import Project


def sync_projects() -> list[Project]:
    """The configured projects as rows, made or brought up to date with the settings.

    A person may have renamed a project, so its name is only set when the row is made.
    """
    projects = []
    for configured in settings.GES_PROJECTS.values():
        address = {"endpoint": configured.endpoint, "credentials": configured.name}
        name = "" if configured.name == "env" else configured.name
        project, _ = Project.objects.update_or_create(
            project_id=configured.project_id,
            defaults=address,
            create_defaults={**address, "name": name},
        )
        projects.append(project)
    return projects
