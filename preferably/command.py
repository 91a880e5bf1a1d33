"""The command `preferably`: starts the demo, or runs one of Django's commands on a site."""

import os
import sys
from pathlib import Path

from django.core.management import execute_from_command_line

DEMO = Path(__file__).parent / "scripts" / "demo.py"
USAGE = """usage: preferably demo [--reset]    run the whole site on this machine, in this folder
       preferably manage COMMAND …  run a command on the site of the environment;
                                    `preferably manage help` lists all"""


def main() -> None:
    match sys.argv[1:]:
        case ["demo", *options]:
            # Replaces this process, so that Ctrl-C and signals reach the demo.
            os.execv(sys.executable, [sys.executable, str(DEMO), *options])  # noqa: S606
        case ["manage", *words]:
            os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
            execute_from_command_line(["preferably manage", *words])
        case ["-h" | "--help" | "help"]:
            print(USAGE)
        case _:
            sys.exit(USAGE)
