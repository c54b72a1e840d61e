"""One PostgreSQL for a worker of the test run, one database and one simulated GES for a test."""

import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from jobs.ges.simulator.server import Simulator, run_in_thread
from tests.faults.site import Server, Site
from tests.faults.story import Steps
from tests.homes import DATABASE, copy_migrated


@pytest.fixture(scope="session")
def server():
    # Not among pytest's folders: run as root, the server has a user of its own, which must reach
    # its files.
    folder = Path(tempfile.mkdtemp(prefix="gesdash-faults-"))
    folder.chmod(0o711)
    copy_migrated(folder)
    server = Server(folder)
    yield server
    server.kill(signal.SIGQUIT)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def site(server, tmp_path):
    """Make a site of a story; all its processes have ended after the test."""
    sites, running = [], []

    def make(jobs=20, states=4, **shape):
        simulator = Simulator()
        simulator.story = Steps(jobs, states, **shape)
        context = run_in_thread(simulator)
        simulator.address = context.__enter__()
        running.append(context)
        sites.append(Site(server, server.copy_of(DATABASE), simulator, tmp_path))
        return sites[-1]

    yield make
    for started in sites:
        started.end()
    for context in running:
        context.__exit__(None, None, None)
