"""What the papers beside the code promise: locked packages, paths and commands that exist."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


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
    written = (ROOT / "requirements.lock").read_text()
    [export] = re.findall(r"^#    (uv export .*) -o requirements.lock$", written, re.MULTILINE)
    exported = subprocess.run(
        [*export.split(), "--frozen"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    kept, resolved = locked(written), locked(exported)
    assert kept.keys() == resolved.keys(), f"run `{export} -o requirements.lock`"
    # A wheel may be added to a release at any time, for a Python to come: then the index knows more hashes.
    assert [
        name for name, hashes in kept.items() if not hashes or not hashes <= resolved[name]
    ] == []
    assert "://" not in written
