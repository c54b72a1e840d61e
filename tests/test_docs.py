"""README and docs are true: commands run, links and paths lead somewhere, tables are the code's."""

import argparse
import io
import itertools
import json
import re
import shlex
import subprocess
import sys
import tomllib
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import management
from django.core.management import call_command, find_commands, get_commands, load_command_class
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from jobs.api import errors
from jobs.audit.filters import FILTERS as AUDIT_FILTERS
from jobs.db import locks
from jobs.lists.jobs import FILTERS, SORTS
from jobs.lists.kinds import Choice, Text, Time
from jobs.models import AccessKey, Project
from jobs.models.roles import Role
from jobs.polling import call_budget, schedule
from jobs.proof.kept_checkpoint import as_file
from jobs.proof.seal import seal
from jobs.record import find_graph, find_jobs, observe, record
from tests.imports import file, reply_body
from tests.markdown import (
    PAGES,
    README,
    ROOT,
    TOP,
    anchors,
    blocks,
    first_column,
    links,
    named,
    prose,
    spans,
    table,
    text_of,
)
from tests.test_papers import recipes


def each(pages=PAGES):
    return pytest.mark.parametrize("page", pages, ids=lambda page: str(page.relative_to(ROOT)))


# Links and paths


@each()
def test_links_lead_somewhere(page):
    for target, anchor in links(page):
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), f"{target}#{anchor}"


def test_readme_leads_to_every_page_and_picture():
    reached, waiting = set(), [README]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        targets = {(page.parent / target).resolve() for target, _ in links(page) if target}
        waiting += [one for one in targets - reached if one.suffix == ".md"]
        reached |= {one for one in targets if one.suffix != ".md"}
    assert reached >= {*PAGES, *(ROOT / "static/pictures").iterdir()}


@each()
def test_named_paths_exist(page):
    for span in spans(page):
        first, slash, _rest = span.partition("/")
        if slash and first in TOP and re.fullmatch(r"[\w./-]+", span):
            assert (ROOT / span).exists(), span


def test_the_picture_names_what_there_is():
    picture = blocks("docs/architecture.md", "text")[1]
    for path in re.findall(r"[a-z_]+/(?:[a-z_]+/)*(?:[a-z_]+\.py)?", picture):
        assert (ROOT / "jobs" / path).exists(), path
    source = "".join(text_of(module) for module in ROOT.glob("jobs/**/*.py"))
    classes = set(re.findall(r"^class (\w+)", source, re.MULTILINE))
    assert set(re.findall(r"\b[A-Z][a-z]+\w*", picture)) <= classes


def test_readme_is_one_page():
    assert len(text_of(README).splitlines()) <= 70


def test_decisions_are_numbered_listed_and_whole():
    index = ROOT / "docs/decisions/README.md"
    records = [page for page in PAGES if page.parent == index.parent and page != index]
    assert [int(page.name[:4]) for page in records] == list(range(1, len(records) + 1))
    assert [target for target, _ in links(index)] == [page.name for page in records]
    for page in records:
        assert re.match(rf"# {page.name[:4]}: .+\n", text_of(page))
        parts = re.findall(r"^## (.+)$", text_of(page), re.MULTILINE)
        assert parts == ["Context", "Decision", "Consequences"]


# Commands


PROJECT = "0b4c9e2d8f7a41c6a5d3e1f2b7c80d9e"
GRAPH, JOB = "7c2ab5a1", "ff80808167f09aaa0167f19b35ec0305"
#: Only their options are read: they run until stopped, as these tests have them do, or ask.
ELSEWHERE = {
    "up": "tests/management/test_up.py",
    "work": "tests/management/test_work.py",
    "serve": "tests/servers.py",
    "createsuperuser": None,
}
#: Not run, and why.
TRUSTED = {
    "pip install uv": "it fetches from the network",
    "uv run --dev pytest": "this is what runs here",
}


@pytest.fixture
def installation(admin, tmp_path, monkeypatch):
    """What the commands name: a user, a project, a graph, a job, and a checkpoint that was kept."""
    monkeypatch.chdir(tmp_path)
    admin.username = "admin"
    admin.save()
    project = Project.objects.create(project_id=PROJECT)
    now = timezone.now()
    job = find_jobs(project, [(find_graph(project, GRAPH, "payments"), JOB, now)])[JOB]
    failed = file("b/w.csv", 450, 1209, cause="column count")
    body = reply_body(JOB, file("b/v.csv"), failed, begin=now - timedelta(hours=1))
    record([observe(job, "poll", now, 200, body)])
    Path("checkpoint.json").write_text(json.dumps(as_file(seal(project, now=now))))
    return job


def commands(page):
    """The commands of a page's shell blocks."""
    lines = "".join(blocks(page, "sh")).splitlines()
    return [command for line in lines for command in line.split(" && ")]


@each([page for page in PAGES if blocks(page, "sh")])
def test_commands_run(page, installation, client, admin):
    client.token = AccessKey.issue(admin, now=timezone.now())[2]
    for command in commands(page):
        if command not in TRUSTED:
            wanted, _, output = command.partition(" > ")
            words = itertools.dropwhile(re.compile(r"[A-Z_]+=").match, shlex.split(wanted))
            printed = run(*words, client=client, job=installation)
            if output:
                assert printed, command
                Path(output).write_text(printed, encoding="utf-8")


def run(*words, client, job):
    """What a command prints."""
    match words:
        case ["uv", "run", "manage.py", name, *options]:
            return run_command(name, options)
        case ["uv", "run", *_] if "python" in words:
            return check_script(*words[words.index("python") + 1 :])
        case ["curl", *options]:
            return fetch(client, options, job)
        case ["python3", "verify.py", *options]:
            return verify(options)
        case ["just", recipe, *_]:
            assert recipe in recipes()
            return ""
        case ["export", *settings]:
            documented = first_column("docs/operate.md", "setting")
            assert {one.partition("=")[0] for one in settings} <= set(documented)
            return ""
    pytest.fail(f"nobody knows how to try {words}")


def run_command(name, options):
    printed = io.StringIO()
    if name not in ELSEWHERE:
        call_command(name, *options, stdout=printed)
        return printed.getvalue()
    command = load_command_class(get_commands()[name], name)
    command.create_parser("manage.py", name).parse_args(options)
    assert ELSEWHERE[name] is None or f'"{name}"' in text_of(ELSEWHERE[name])
    return ""


def check_script(script, *options):
    """What takes minutes is not run: it is there, it can be read, and it knows its options."""
    compile(source := text_of(script), script, "exec")
    for option in options:
        assert f'"{option}"' in source or option.isdigit(), option
    return ""


def fetch(client, options, job):
    """As curl would; job 1 of the page is this one."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-d")
    parser.add_argument("address")
    asked = parser.parse_args(options)
    headers = dict(header.replace("$TOKEN", client.token).split(": ") for header in asked.H)
    kind = {"content_type": headers.pop("Content-Type", "application/octet-stream")}
    path = asked.address.removeprefix("http://127.0.0.1:8000")
    path = path.replace("/jobs/1/", f"/jobs/{job.pk}/")
    method = "GET" if asked.d is None else "POST"
    response = client.generic(method, path, asked.d or "", headers=headers, **kind)
    assert response.status_code in {200, 201}, response.content
    return response.content.decode()


def verify(options):
    with zipfile.ZipFile("evidence.zip") as bundle:
        bundle.extract("verify.py")
    program = [sys.executable, "verify.py", *options]
    return subprocess.run(program, capture_output=True, text=True, check=True).stdout


def test_every_command_is_described():
    described = {named(row)[0].split()[0] for row in table("docs/operate.md", "command")}
    ours = find_commands(str(ROOT / "jobs/management"))
    assert described == {*ours} - {*find_commands(management.__path__[0])}


# Tables


def test_every_setting_is_described():
    source = "".join(path.read_text() for path in (ROOT / "gesdash").rglob("*.py"))
    read = set(re.findall(r'"((?:GES_|GESDASH_|DATABASE_)[A-Z_]+[A-Z])"', source))
    assert set(first_column("docs/operate.md", "setting")) == read - {"GESDASH_CHILD"}


@pytest.mark.parametrize("module", [schedule, call_budget], ids=["schedule", "call_budget"])
def test_the_tables_of_a_docstring_are_described(module):
    tables = re.findall(r"(?:^\|.*\n)+", module.__doc__, re.MULTILINE)
    assert tables
    for rows in tables:
        assert rows in text_of("docs/operate.md")


def filter_table():
    """The filters of the job list as the docs show them; the code is their one source."""
    lines = ["| filter | on pages | finds | value |", "|---|---|---|---|"]
    for name, each in FILTERS.items():
        match each.kind:
            case Choice():
                value = ", ".join(f"`{word}`" for word in each.kind.values)
            case Text():
                value = "text"
            case Time():
                value = "a time"
            case _:
                value = each.kind.expected
        lines.append(f"| `{name}` | {each.label} | {each.description} | {value} |")
    return "\n".join(lines)


def test_every_filter_and_order_is_described():
    assert filter_table() in text_of("docs/proxy-and-api.md")
    assert first_column("docs/proxy-and-api.md", "`sort`") == list(SORTS)


def test_the_filters_of_the_audit_log_are_described():
    text = text_of("docs/operate.md")
    [sentence] = re.findall(r"`export audit` also takes.*?\.\n", text, re.DOTALL)
    flags = {name.removeprefix("--") for name in named([sentence]) if name.startswith("--")}
    own = {name for name in AUDIT_FILTERS if name not in FILTERS}
    assert flags - {"of"} | {"what"} == own


def test_every_role_is_described():
    assert [row[0] for row in table("docs/operate.md", "role in a project")] == Role.values


def test_every_metric_is_described(admin, client, installation):
    client.force_login(admin)
    scraped = client.get("/metrics").content.decode()
    exposed = {family.name for family in text_string_to_metric_families(scraped)}
    assert {
        name.removesuffix("_total") for name in first_column("docs/operate.md", "metric")
    } == exposed


def test_every_error_of_the_proxy_is_described():
    codes = {kind.code for kind in errors.ApiError.__subclasses__()}
    assert codes <= set(re.findall(r"GESDASH\.\d{4}", prose("docs/proxy-and-api.md")))


def test_every_lock_is_described():
    rows = [row for row in table("docs/architecture.md", "number") if row[0]]
    described = {named(row)[1]: int(named(row)[0], 16) for row in rows}
    assert described == {name: vars(locks)[name] for name in vars(locks) if name.endswith("_LOCK")}


def test_what_is_global_is_there():
    for where, name, _is in table("docs/architecture.md", "where"):
        [where], [name] = named([where]), named([name])
        assert re.search(rf"^{name}\b.*=", text_of(where), re.MULTILINE), f"{name} in {where}"


def test_every_task_is_described():
    tasks = re.findall(r"@app\.task.*\n(?:async )?def (\w+)", text_of("jobs/tasks.py"))
    assert first_column("docs/architecture.md", "task (`jobs/tasks.py`)") == tasks


def tree():
    """The paths of the tree that architecture.md draws."""
    folders, paths = [], []
    for line in blocks("docs/architecture.md", "text")[0].splitlines():
        name = line.split()[0]
        depth = (len(line) - len(line.lstrip())) // 2
        folders[depth:] = [name]
        paths.append("".join(folders))
    return paths


def test_the_tree_names_every_folder_once():
    drawn = tree()
    assert len(drawn) == len(set(drawn))
    assert [path for path in drawn if not (ROOT / path).exists()] == []
    packages = {f"{module.parent.relative_to(ROOT)}/" for module in ROOT.glob("jobs/**/*.py")}
    assert packages == {path for path in drawn if path.startswith("jobs/") and path.endswith("/")}


def test_the_files_of_a_bundle_are_described(installation):
    call_command("evidence", "-o", "evidence.zip")
    with zipfile.ZipFile("evidence.zip") as bundle:
        assert set(first_column("docs/proof.md", "file")) == set(bundle.namelist())


def test_the_layers_are_those_of_the_contract():
    contract = tomllib.loads(text_of("pyproject.toml"))["tool"]["importlinter"]["contracts"][0]
    assert "\n".join(contract["layers"]) + "\n" in blocks("docs/architecture.md", "text")
