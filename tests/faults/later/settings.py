from gesdash.settings import *  # noqa: F403
from gesdash.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.later"]
