"""Makes no migrations for labels, which only change what is shown."""

from django.core.management.commands import makemigrations
from django.db.migrations.state import ProjectState


# Imported by commands only: by then django-pgtrigger has replaced Django's autodetector.
class LabelFreeAutodetector(makemigrations.Command.autodetector):  # type: ignore[misc, valid-type]
    """Ignores verbose names, help texts and choices of the app jobs."""

    def __init__(self, from_state: ProjectState, to_state: ProjectState, *rest: object) -> None:
        for state in (from_state, to_state):
            _drop_labels(state)
        super().__init__(from_state, to_state, *rest)


def _drop_labels(state: ProjectState) -> None:
    for (app, _name), model in state.models.items():
        if app != "jobs":
            continue
        model.options.pop("verbose_name", None)
        model.options.pop("verbose_name_plural", None)
        for field in model.fields.values():
            field._verbose_name = None
            field.help_text = ""
            field.choices = None
