"""What the environment makes of Django's settings."""

import runpy

import pytest

from gesdash.env import BadSetting
from tests.servers import ROOT


@pytest.fixture
def settings_with(monkeypatch):
    def read(**environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "gesdash" / "settings.py"))

    return read


@pytest.mark.parametrize(
    ("environment", "seconds", "subdomains", "preload"),
    [
        ({}, 0, False, False),
        ({"GESDASH_TLS": "yes"}, 31_536_000, False, False),
        ({"GESDASH_TLS": "yes", "GESDASH_HSTS": "subdomains"}, 31_536_000, True, False),
        ({"GESDASH_TLS": "yes", "GESDASH_HSTS": "preload"}, 31_536_000, True, True),
    ],
)
def test_hsts_covers_what_was_asked_for(settings_with, environment, seconds, subdomains, preload):
    made = settings_with(**environment)
    assert made["SECURE_HSTS_SECONDS"] == seconds
    assert made["SECURE_HSTS_INCLUDE_SUBDOMAINS"] is subdomains
    assert made["SECURE_HSTS_PRELOAD"] is preload


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"GESDASH_DEBUG": "yes", "GESDASH_TLS": "yes"}, "GESDASH_DEBUG and GESDASH_TLS are both"),
        ({"GESDASH_DEBUG": "maybe"}, "GESDASH_DEBUG is 'maybe'; expected yes or no"),
        ({"GESDASH_TLS": "ja"}, "GESDASH_TLS is 'ja'; expected yes or no"),
        ({"GESDASH_HSTS": "all"}, "GESDASH_HSTS is 'all'; expected host or subdomains or preload"),
    ],
)
def test_a_value_that_will_not_do_is_refused(settings_with, environment, sentence):
    with pytest.raises(BadSetting, match=sentence):
        settings_with(**environment)


@pytest.mark.parametrize(
    ("value", "is_on"), [("yes", True), ("On", True), ("0", False), ("", False)]
)
def test_debug_is_off_by_default(settings_with, value, is_on):
    made = settings_with(GESDASH_DEBUG=value)
    [engine] = made["TEMPLATES"]
    [first, *_] = engine["OPTIONS"]["loaders"]
    assert made["DEBUG"] is is_on
    assert (
        isinstance(first, str) is is_on
    )  # each template read anew, not the loader that keeps them
