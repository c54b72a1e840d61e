"""The whole product as a process, seen through a real browser."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parent.parent
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


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(home, *options):
    env = {**os.environ, "GESDASH_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, str(ROOT / "manage.py"), "up", *options]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)


def read_until(process, word, seconds=60):
    said, give_up = "", time.monotonic() + seconds
    while word not in said and time.monotonic() < give_up:
        line = process.stdout.readline()
        if not line:
            break
        said += line
    assert word in said, said
    return said


def belonging_to(home):
    found = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        try:
            if str(home) in " ".join(process.info["cmdline"] or []) or process.environ().get("GESDASH_HOME") == str(home):
                found.append(process)
        except psutil.Error:
            continue
    return [one for one in found if one.pid != os.getpid()]


def end(process, home):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
    process.stdout.close()
    for one in belonging_to(home):
        one.kill()


@pytest.mark.browser
def test_a_new_user_sees_a_partial_import_file_by_file_and_stops_it_all(tmp_path):
    if CHROMIUM is None:
        assert "GESDASH_REQUIRE_BROWSER" not in os.environ, "there is no Chromium; install it (apt-get install chromium)"
        pytest.skip("there is no Chromium on this machine (apt-get install chromium)")
    home, port = tmp_path / "home", free_port()
    process = start(home, "--demo", "--port", str(port))
    try:
        said = read_until(process, "Ctrl-C stops it")
        password = re.search(r"password (\S+)", said)[1]
        page_text = reviewed(f"http://127.0.0.1:{port}/", password, tmp_path)
        assert re.search(r"[\d,]+ lost in \d+ of [\d,]+ files\.", page_text)
        assert "partFailed" in page_text
        assert home.stat().st_mode & 0o777 == 0o700

        second = start(home, "--demo", "--port", str(free_port()))
        assert second.wait(30) == 1
        assert "already running" in second.stdout.read()
        second.stdout.close()

        stopping = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert time.monotonic() - stopping < 10
        assert belonging_to(home) == []
    finally:
        end(process, home)


def reviewed(address, password, folder):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            str(folder / "profile"), executable_path=CHROMIUM, args=FLAGS, headless=True
        )
        page = browser.new_page()
        complaints = []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(address)
        page.fill("[name=username]", "admin")
        page.fill("[name=password]", password)
        page.click("button.primary")
        # The overview fills itself in: nothing is reloaded here.
        page.locator(".rows .verdict.partial").first.wait_for(timeout=30_000)
        page.goto(f"{address}jobs/?verdict=partial")
        page.locator(".rows a").first.click()
        page.locator(".files .verdict.partial").first.wait_for()
        text = page.inner_text("main")
        browser.close()
    assert complaints == []
    return text


def test_after_a_kill_the_next_start_works_and_a_taken_port_is_said(tmp_path):
    home, port = tmp_path / "home", free_port()
    first = start(home, "--port", str(port))
    second = None
    try:
        read_until(first, "Ctrl-C stops it")
        first.kill()
        first.wait(5)
        give_up = time.monotonic() + 10
        while any("manage.py" in " ".join(p.cmdline()) for p in belonging_to(home)) and time.monotonic() < give_up:
            time.sleep(0.2)
        second = start(home, "--port", str(port))
        read_until(second, "Ctrl-C stops it")
        third = start(tmp_path / "other", "--port", str(port))
        assert third.wait(30) == 1
        assert f"Port {port} on 127.0.0.1 can't be used" in third.stdout.read()
        third.stdout.close()
    finally:
        for one in filter(None, (second, first)):
            end(one, home)
