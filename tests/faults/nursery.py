"""A process that has Django loaded and forks a child for each line of Python on standard input.

A worker of `manage.py work` started so is a process like any other, but in a tenth of a second. A
child's number is written to standard output when it starts, and "<number> ended <error>" when its
line is done. Children are killed when this process ends.
"""

import ctypes
import os
import signal
import sys
import traceback


def main():
    import django

    django.setup()
    from django.core.management import call_command

    import jobs.tasks  # noqa: F401  what a worker needs is loaded once

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    say("ready")
    for line in sys.stdin:
        if (pid := os.fork()) == 0:
            run(line, {"call_command": call_command})
        say(pid)


def run(line, names):
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.close(0)
    os.open(os.devnull, os.O_RDONLY)
    error = ""
    try:
        exec(line, names)
    except SystemExit as ended:
        error = f"exit {ended.code}" if ended.code else ""
    except BaseException as failed:
        traceback.print_exc()
        error = f"{type(failed).__name__}: {failed}".replace("\n", " ")
    sys.stderr.flush()
    say(f"{os.getpid()} ended {error}")
    os._exit(0)


def say(text):
    os.write(1, f"{text}\n".encode())  # one write, which no other child's falls into


if __name__ == "__main__":
    main()
