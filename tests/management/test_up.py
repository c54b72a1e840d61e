"""The whole product as a process, seen through a real browser."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid

import psutil
import pytest

from tests.homes import ROOT, copy_migrated
from tests.servers import free_port, get

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Up:
    """A running `up`; what it says goes to a file, which is shown when a test fails."""

    def __init__(self, home, *options, root=ROOT, **env):
        home.parent.mkdir(exist_ok=True)
        self.home, self.log = home, home.parent / f"{home.name}-{uuid.uuid4()}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(root / "manage.py"), "up", *options],
                env={**os.environ, "GESDASH_HOME": str(home), "PYTHONUNBUFFERED": "1", **env},
                stdout=log, stderr=subprocess.STDOUT, cwd=root,
            )  # fmt: skip

    @property
    def said(self):
        return self.log.read_text()

    def wait_until_it_says(self, word, seconds=180):
        give_up = time.monotonic() + seconds
        while word not in self.said and self.process.poll() is None and time.monotonic() < give_up:
            time.sleep(0.1)
        assert word in self.said
        return self.said

    def refused(self):
        """What it says when it does not start: one sentence, no traceback, exit 1."""
        assert self.process.wait(60) == 1, self.said
        assert "Traceback" not in self.said
        return self.said.strip().splitlines()[-1]

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
        for one in belonging_to(self.home):
            one.kill()
        sys.stdout.write(self.said)  # pytest shows it when the test failed


@pytest.fixture
def start(tmp_path):
    """Start `up`; all that a test started has ended after it."""
    started = []

    def begin(*options, home="home", **env):
        started.append(Up(tmp_path / home, *options, **env))
        return started[-1]

    yield begin
    for one in reversed(started):
        one.end()


def belonging_to(home):
    found = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        try:
            if str(home) in " ".join(process.info["cmdline"] or []) or process.environ().get(
                "GESDASH_HOME"
            ) == str(home):
                found.append(process)
        except psutil.Error:
            continue
    return [one for one in found if one.pid != os.getpid()]


def is_ours(process):
    try:
        return "manage.py" in " ".join(process.cmdline())
    except psutil.Error:  # it ended while we looked
        return False


@pytest.mark.browser
def test_a_new_user_sees_a_partial_import_file_by_file_and_stops_it_all(start, tmp_path):
    if CHROMIUM is None:
        assert "GESDASH_REQUIRE_BROWSER" not in os.environ, (
            "there is no Chromium; install it (apt-get install chromium)"
        )
        pytest.skip("there is no Chromium on this machine (apt-get install chromium)")
    port = free_port()
    up = start("--demo", "--port", str(port))
    password = re.search(r"password (\S+)", up.wait_until_it_says("Ctrl-C stops it"))[1]
    page_text = reviewed(f"http://127.0.0.1:{port}/", password, tmp_path)
    assert re.search(
        r"(At least )?[\d,]+ of (at least )?[\d,]+ lines failed, in [\d,]+ of [\d,]+ files\.",
        page_text,
    )
    assert "partFailed" in page_text
    assert up.home.stat().st_mode & 0o777 == 0o700

    second = start("--demo", "--port", str(free_port()))
    assert "already running" in second.refused()

    stopping = time.monotonic()
    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(20) == 0
    assert time.monotonic() - stopping < 10
    assert belonging_to(up.home) == []


def reviewed(address, password, folder):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            str(folder / "profile"), executable_path=CHROMIUM, args=FLAGS, headless=True
        )
        page = browser.new_page()
        complaints = []
        page.on(
            "console",
            lambda message: complaints.append(message.text) if message.type == "error" else None,
        )
        page.goto(address)
        page.fill("[name=username]", "admin")
        page.fill("[name=password]", password)
        page.click("button.primary")
        # The overview fills itself in: nothing is reloaded here.
        page.locator("main .partial").first.wait_for(timeout=60_000)
        page.goto(f"{address}jobs/?verdict=partial")
        page.locator(".rows tbody a[href^='/jobs/']").first.click()
        page.locator(".files .verdict.partial").first.wait_for()
        text = page.inner_text("main")
        page.goto(f"{address}admin/jobs/importfile/?verdict__exact=partial")
        page.locator("#result_list tbody th a").first.click()
        page.get_by_text("Correct a value").click()
        page.locator("[name=corrected]").wait_for()
        browser.close()
    assert complaints == []
    return text


@pytest.fixture
def migrated(tmp_path):
    """The home that `start` takes, as a first start leaves its database."""
    copy_migrated(tmp_path / "home")
    return tmp_path / "home"


def test_start_works_after_a_kill_and_a_taken_port_is_reported(start, migrated):
    port = free_port()
    first = start("--port", str(port))
    assert (
        "nothing yet: set GES_ENDPOINT, GES_PROJECT_ID and GES_AK with GES_SK"
        in first.wait_until_it_says("Ctrl-C stops it")
    )
    first.process.kill()
    first.process.wait(5)
    give_up = time.monotonic() + 10
    while (
        any(is_ours(process) for process in belonging_to(first.home)) and time.monotonic() < give_up
    ):
        time.sleep(0.2)
    second = start("--port", str(port))
    second.wait_until_it_says("Ctrl-C stops it")
    third = start("--port", str(port), home="other")
    assert f"Port {port} on 127.0.0.1 can't be used" in third.refused()


def test_a_home_whose_database_can_not_start_is_one_sentence(start, migrated):
    (migrated / "postgres" / "global" / "pg_control").write_bytes(b"")
    assert (
        start("--port", str(free_port()))
        .refused()
        .startswith("The PostgreSQL in GESDASH_HOME did not start; its log, ")
    )


@pytest.mark.parametrize(
    ("env", "options", "sentence"),
    [({"GES_ENDPOINT": "http://h", "GES_PROJECT_ID": "p", "GES_AK": "a"}, [], "GES_SK is missing"),
     ({}, ["--port", "99999"], "Port 99999 on 127.0.0.1 can't be used"),
     ({"GESDASH_TLS": "yes"}, ["--reload"], "--reload is for development"),
     ({}, ["--host", "no.such.host.invalid"], "on no.such.host.invalid can't be used")],
)  # fmt: skip
def test_a_wrong_setting_or_option_stops_the_start_with_one_sentence(start, env, options, sentence):
    up = start(*options, **env)
    assert sentence in up.refused()
    assert len(up.said.splitlines()) == 1


@pytest.mark.parametrize(
    ("url", "sentence"),
    [("mysql://root:hidden@db/ges", "DATABASE_URL has 'mysql'; gesdash needs PostgreSQL"),
     ("postgresql://ges:hidden@127.0.0.1:1/ges", "The database can't be reached (connection failed")],
)  # fmt: skip
def test_invalid_database_is_reported_in_one_sentence(start, url, sentence):
    up = start("--port", str(free_port()), DATABASE_URL=url)
    assert sentence in up.refused()
    assert len(up.said.splitlines()) <= 2  # it, and that the database is being prepared
    assert "hidden" not in up.said


def test_it_starts_while_ges_is_down_and_says_so(start, migrated):
    ges = {
        "GES_ENDPOINT": f"http://127.0.0.1:{free_port()}",
        "GES_PROJECT_ID": "p1",
        "GES_TOKEN": "hidden",
    }
    up = start("--port", str(free_port()), **ges)
    up.wait_until_it_says("Ctrl-C stops it")
    said = up.wait_until_it_says("Project p1: ")
    assert "Traceback" not in said
    assert "hidden" not in said


@pytest.fixture
def checkout(tmp_path):
    """A copy of the program, for a test that edits it."""
    root = tmp_path / "checkout"
    for folder in ("gesdash", "jobs", "locale", "static", "templates"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "manage.py", root)
    return root


def wait_for_page(address, text):
    """Ask until the page has the text; its status."""
    give_up = time.monotonic() + 90
    while True:
        with contextlib.suppress(OSError):
            status, content, _ = get(address, {})
            if text in content.decode():
                return status
        assert time.monotonic() < give_up, f"{address} never showed {text!r}"
        time.sleep(0.2)


def replace(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_reload_shows_changed_code_and_templates_and_survives_broken_code(
    start, migrated, checkout
):
    port = free_port()
    up = start("--port", str(port), "--reload", root=checkout)
    up.wait_until_it_says("Ctrl-C stops it")
    address = f"http://127.0.0.1:{port}"
    assert wait_for_page(f"{address}/nowhere/", "gesdash.urls") == 404  # Django says which it knows

    template = checkout / "templates" / "base.html"
    template.write_text(template.read_text() + "<!-- edited -->")
    assert wait_for_page(f"{address}/login/", "<!-- edited -->") == 200
    assert "restarting" not in up.said

    view = checkout / "jobs" / "pages" / "operate" / "health.py"
    replace(view, '"ok\\n"', '"ok\\n" +')
    up.wait_until_it_says("SyntaxError")
    replace(view, '"ok\\n" +', '"fine\\n"')
    assert wait_for_page(f"{address}/healthz", "fine") == 200

    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(20) == 0
    assert belonging_to(up.home) == []
