"""The command `preferably`: starts the demo, backs up a site, or runs another command on one."""

import os
import socket
import sys
import urllib.request
from importlib.metadata import entry_points
from pathlib import Path

from django.core.management import execute_from_command_line

DEMO = Path(__file__).parent / "scripts" / "demo.py"
PROBE = "http://127.0.0.1:8000/livez"
"""Where the web process of an image listens."""
USAGE = """usage: preferably demo [--reset]    run the whole site on this machine, in this folder
       preferably manage COMMAND …  run a command on the site of the environment;
                                    `preferably manage help` lists all
       preferably backup [PLACE]    back the site up to a folder or URL
       preferably restore [PLACE]   restore the newest backup into an empty site
       preferably health [QUEUE]    end with 0 if this machine's web process is well, or its worker
                                    of a queue: for health checks of containers

With preferably-client installed, also: preferably import | export | runs | watch"""
COMMANDS = "preferably.commands"
"""The group of entry points in which the site and its client list their commands. Both packages
install `preferably`, and either one runs the commands of both.
"""


def main() -> None:
    for further in entry_points(group=COMMANDS, name="".join(sys.argv[1:2])):
        if further.module != __name__:
            sys.exit(further.load()())
    match sys.argv[1:]:
        case ["demo", *options]:
            # Replaces this process, so that Ctrl-C and signals reach the demo.
            os.execv(sys.executable, [sys.executable, str(DEMO), *options])  # noqa: S606
        case ["manage", *words]:
            manage("preferably manage", *words)
        case ["backup" | "restore" as name, *words]:
            manage("preferably", name, *words)
        case ["health"]:
            # Without loading the site: it is asked every ten seconds.
            urllib.request.urlopen(PROBE, timeout=5).close()
        case ["health", queue]:
            worker = f"{queue}@{socket.gethostname()}"
            ask = ["celery", "-A", "config", "inspect", "ping", "--timeout", "10"]
            os.execvp(ask[0], [*ask, "--destination", worker])  # noqa: S606
        case ["-h" | "--help" | "help"]:
            print(USAGE)
        case _:
            sys.exit(USAGE)


def manage(program: str, *words: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    execute_from_command_line([program, *words])
