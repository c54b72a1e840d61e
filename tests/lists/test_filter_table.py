"""One entry of the filter table makes the field, the parameter and the option of a new filter."""

import argparse
import re

import pytest
from django.core.management import load_command_class
from django.db.models import Q

from jobs.api.parameters import filter_parameters
from jobs.lists.filters import Filter, Place
from jobs.lists.jobs import FILTERS
from jobs.lists.kinds import Choice
from jobs.management.filter_options import query_of

SCRATCH = Filter(
    name="scratch_id",
    kind=Choice((("j1", "The first"), ("j2", "The second"))),
    label="Scratch label",
    description="Jobs of the scratch filter.",
    find=lambda word: Q(job_id=word),
)


@pytest.fixture(autouse=True)
def scratch(monkeypatch):
    monkeypatch.setitem(FILTERS, SCRATCH.name, SCRATCH)


def test_the_form_has_a_field_with_its_choices(client, admin):
    client.force_login(admin)
    page = " ".join(client.get("/jobs/?scratch_id=j2").content.decode().split())
    field = page[page.index('<select name="scratch_id"') :].partition("</select>")[0]
    assert "Scratch label" in page
    assert '<option value="j1" >The first</option>' in field
    assert '<option value="j2" selected>The second</option>' in field


def test_each_filter_has_one_field_in_its_place(client, admin):
    client.force_login(admin)
    page = client.get("/jobs/?job_id=j1&cause_group=1").content.decode()
    form = page[page.index('<form\n  class="filters') :].partition("</form>")[0]
    shown, folded = (
        re.findall(r'<(?:input|select)\s+name="(\w+)"', part)
        for part in form.split("<details open>")
    )
    assert shown == [name for name, each in FILTERS.items() if each.place is Place.OPEN]
    typed = [name for name, each in FILTERS.items() if each.place is Place.FOLDED]
    assert folded == [*typed, "cause_group"]  # and not `project`, which is not used


def test_the_api_describes_and_reads_a_parameter(client, imported, shown):
    described = {parameter.name: parameter for parameter in filter_parameters(FILTERS)}
    parameter = described["scratch_id"]
    assert parameter.type == {"type": "string", "enum": ["", "j1", "j2"]}
    assert parameter.description == "Jobs of the scratch filter. Shown as “Scratch label”."

    found = {
        word: len(client.get(f"/api/jobs/?scratch_id={word}", headers=shown).json()["results"])
        for word in ("j1", "j2")
    }
    assert found == {"j1": 1, "j2": 0}


@pytest.mark.parametrize("command", ["export", "evidence"])
def test_commands_have_an_option_with_its_help(command):
    parser = load_command_class("jobs", command).create_parser("manage.py", command)
    assert isinstance(parser, argparse.ArgumentParser)
    text = " ".join(parser.format_help().split())
    assert "--scratch-id" in text
    assert "Jobs of the scratch filter. Value: j1, j2." in text

    required = {"export": ["jobs"], "evidence": ["-o", "-"]}[command]
    options = vars(parser.parse_args([*required, "--scratch-id", "j1", "--scratch_id", "j2"]))
    assert query_of(options, FILTERS).getlist("scratch_id") == ["j1", "j2"]


@pytest.mark.parametrize("each", FILTERS.values(), ids=FILTERS)
def test_every_filter_is_described(each):
    assert each.description.endswith(".")
    assert each.label
    assert each.kind.expected
