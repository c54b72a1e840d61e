"""The fields with which a person corrects a value, of one row or of many."""

import zlib
from collections.abc import Iterable
from typing import Any, override

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import QuerySet
from django.utils.translation import gettext, gettext_lazy

from jobs.decisions import values
from jobs.models import Correction, Graph
from jobs.models.correction import field_label


class CorrectionForm(forms.Form):
    """The field, its corrected value and the reason."""

    field = forms.ChoiceField(label=gettext_lazy("Value to correct"))
    corrected = forms.CharField(
        label=gettext_lazy("Corrected value"),
        required=False,
        help_text=gettext_lazy(
            "Leave empty for unknown. Enter times as 2026-01-31T08:15:00Z, flags as "
            "yes or no, and a status by its code, such as partial."
        ),
    )
    graph = forms.ModelChoiceField(
        Graph.objects.none(), required=False, label=gettext_lazy("Corrected graph")
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(
        self,
        *args: Any,
        field_names: Iterable[str],
        file_kind: str,
        graphs: QuerySet[Graph],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.file_kind = file_kind
        set_choices(self.fields["field"], [(name, field_label(name)) for name in field_names])
        if file_kind:
            del self.fields["graph"]
        else:
            help_text = gettext("Only when the value to correct is the graph.")
            offer_graphs(self.fields["graph"], graphs, help_text)

    @override
    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if given.get("field") == "graph":
            given["corrected"] = str(given["graph"].pk) if given.get("graph") else ""
        if {"field", "corrected"} <= given.keys():
            try:
                values.check_value(given["field"], given["corrected"], self.file_kind)
            except ValueError as error:
                self.add_error("corrected", str(error))
        return given


def set_choices(field: forms.Field, choices: list[tuple[str, str]]) -> None:
    """Set the choices that depend on the row."""
    assert isinstance(field, forms.ChoiceField)  # noqa: S101  declared so by the form
    field.choices = choices


def offer_graphs(field: forms.Field, graphs: QuerySet[Graph], help_text: str) -> None:
    """Let a graph be found as its name is typed; a list of all would be long."""
    assert isinstance(field, forms.ModelChoiceField)  # noqa: S101  declared so by the form
    field.queryset, field.help_text = graphs, help_text
    field.widget = AutocompleteSelect(Correction._meta.get_field("graph"), admin.site)
    field.widget.choices = field.choices


def fingerprint(facts: object) -> str:
    """Whether what a person saw has changed since, without keeping it: an optimistic lock."""
    return str(zlib.crc32(repr(facts).encode()))
