#!/usr/bin/env python3
"""The door to everything: `python3 manage.py up`, `python3 manage.py test`, and Django's own commands.

Needs nothing but Python 3.11 or newer: `bootstrap` makes `.venv` first and starts this file again inside it.
"""

import os
import sys

from requirements import bootstrap


def main(arguments):
    command = arguments[0] if arguments else "help"
    if command == "install":  # `install check` adds what .ci/run needs
        bootstrap.enter(arguments, "check.lock" if arguments[1:] == ["check"] else "start.lock")
        return 0
    bootstrap.enter(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
    if command == "test":
        return run_tests(arguments[1:])
    return run_django(command)


def run_tests(arguments):
    """The whole suite on every core, or exactly what the arguments ask of pytest."""
    import pytest

    os.chdir(bootstrap.ROOT)
    if not arguments:
        arguments = ["-n", str(min(os.cpu_count() or 1, 4)), "--dist", "worksteal"]
    return pytest.main(arguments)


def run_django(command):
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    from marketplace import embedded

    if command == "up":
        embedded.choose_servers(os.environ)
    else:
        embedded.find_running_servers(os.environ)
    try:
        execute_from_command_line(sys.argv)
    except OperationalError as failure:
        if "DATABASE_URL" in os.environ:
            raise
        sys.exit(f"No database: start `python3 manage.py up` in another terminal, or set DATABASE_URL. ({failure})")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except bootstrap.CannotStart as reason:
        sys.exit(str(reason))
    except KeyboardInterrupt:
        sys.exit(130)
