"""The labels of pages in the description of the API, for names that readers know by other words."""

from functools import cache
from typing import Any

from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import override
from rest_framework import serializers


def shown_as(name: str, label: str | Promise) -> str:
    """A sentence with the English label, empty where it is the name."""
    with override("en"):
        text = str(label)
    return "" if text.casefold() == name.replace("_", " ") else f"Shown as “{text}”."


class Labelled(serializers.Serializer[Any]):
    """A shape of rows of `Meta.model`, whose labels it adds to its help texts.

    `label_names`: the model's name of a field that has another one here.
    """

    label_names: dict[str, str] = {}

    class Meta:
        model: type[Model]

    def get_fields(self) -> dict[str, Any]:
        """The fields, for the description and for the rows alike."""
        fields: dict[str, Any] = super().get_fields()
        for name, field in fields.items():
            if label := _label(self.Meta.model, self.label_names.get(name, name), name):
                field.help_text = f"{field.help_text or ''} {label}".strip()
        return fields


@cache
def _label(model: type[Model], model_name: str, name: str) -> str:
    names = {field.name: field for field in model._meta.fields}
    return shown_as(name, names[model_name].verbose_name) if model_name in names else ""
