#!/usr/bin/env python
"""gesdash's command line: `manage.py up --demo` starts all of it."""

import os
import sys

from gesdash.env import BadSetting


def main() -> None:
    """Run a command; a wrong setting ends it with its sentence, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gesdash.settings")
    from django.core.management import execute_from_command_line
    from django.db import OperationalError, ProgrammingError
    from psycopg.errors import UndefinedTable

    try:
        execute_from_command_line(sys.argv)
    except BadSetting as wrong:
        sys.exit(f"{wrong}")
    except OperationalError as wrong:
        sys.exit(
            f"The database can't be reached or refused the work ({str(wrong).strip()}). Check DATABASE_URL."
        )
    except ProgrammingError as wrong:
        if not isinstance(wrong.__cause__, UndefinedTable):
            raise
        sys.exit(
            "The database has no tables yet, or those of a former version; run `manage.py migrate` or `manage.py up`."
        )
    except BrokenPipeError:
        # The reader (`| head`) has gone: nothing is wrong, and nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


if __name__ == "__main__":
    main()
