"""Runs a command with a real PostgreSQL and a real Redis: python scripts/run_with_services.py
[--durable | --kept] COMMAND …

Sets DATABASE_URL and REDIS_URL for the command. To use existing servers, set TEST_DATABASE_URL and
TEST_REDIS_URL. --durable: PostgreSQL waits for its disk, as in production. --kept: PostgreSQL's
files stay in .cache/ for the next call. The command's files go to a new folder. All started servers
are stopped, also after Ctrl-C or a TERM signal.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType

import services


def main(command: list[str]) -> int:
    signal.signal(signal.SIGTERM, as_ctrl_c)
    option = command.pop(0) if command[:1] in (["--durable"], ["--kept"]) else ""
    with contextlib.ExitStack() as stack:
        home = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="preferably-home-", ignore_cleanup_errors=True)
        )
        database = os.environ.get("TEST_DATABASE_URL") or stack.enter_context(
            services.kept_postgres()
            if option == "--kept"
            else services.postgres(fsync=option == "--durable")
        )
        broker = os.environ.get("TEST_REDIS_URL") or stack.enter_context(services.redis())
        print(f"database: {database}\nbroker: {broker}", flush=True)
        chosen = {
            "PREFERABLY_MODE": "test",
            "PREFERABLY_HOME": home,
            "DATABASE_URL": database,
            "REDIS_URL": broker,
        }
        for_pytest = {"PYTHONPATH": str(Path(__file__).parent), "PYTEST_PLUGINS": "worker_services"}
        # Containers often set it. Each process of the site would then compile all modules again.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        return subprocess.call(
            command, env=os.environ | chosen | for_pytest, preexec_fn=services.die_with_parent
        )


def as_ctrl_c(signal_number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
