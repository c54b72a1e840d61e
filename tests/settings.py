"""gesdash's own settings for a test run: a home of its own with a migrated PostgreSQL, and what makes tests quick."""

import atexit
import os
import shutil
import tempfile

# Workers of xdist inherit the folder, and with it the one server.
if "PYTEST_XDIST_WORKER" not in os.environ:
    folder = tempfile.mkdtemp(prefix="gesdash-test-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["GESDASH_HOME"] = f"{folder}/home"
    # Where no bytecode is to be beside the sources, each of some hundred processes would compile
    # all of Django.
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        os.environ["PYTHONPYCACHEPREFIX"] = f"{folder}/bytecode"
for name in [name for name in os.environ if name.startswith("GES_") or name == "GESDASH_PROJECTS"]:
    del os.environ[name]
# Processes that tests start are the product's.
os.environ["DJANGO_SETTINGS_MODULE"] = "gesdash.settings"

from gesdash.settings import *  # noqa: E402, F403

# Most tests make a user; few sign in with a password.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Static files are looked for when they are asked for, not all of them by each test's client.
WHITENOISE_AUTOREFRESH = True
