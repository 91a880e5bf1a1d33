"""The parts of `benchmarks/faults.py`. Importing one sets up a site's settings, in a new folder."""

import logging
import os
import sys
import tempfile
from pathlib import Path

import django
import services as servers

HOME = Path(
    os.environ.get("FAULTS_HOME")
    or Path(tempfile.gettempdir()) / f"preferably-faults-{os.getpid()}"
)
"""The processes that this one starts inherit the name, and with it the site."""

if "FAULTS_HOME" not in os.environ:
    os.environ |= {
        "FAULTS_HOME": str(HOME),
        "PREFERABLY_MODE": "test",
        "PREFERABLY_HOME": str(HOME / "site"),
        "PREFERABLY_ARTIFACTS": f"file://{HOME}/store",
        "DATABASE_URL": f"postgres://preferably@127.0.0.1:{servers.free_port()}/postgres",
        "REDIS_URL": f"redis://127.0.0.1:{servers.free_port()}/0",
        "PREFERABLY_RUN_HEARTBEAT_S": "1",
        "PREFERABLY_RUN_REAP_AFTER_S": "30",
        "PREFERABLY_TRAINER": f"{sys.executable} -m tests.training.runs.stand_in_child",
        "PREFERABLY_TRAINER_THREADS": "1",
        "PREFERABLY_LOG_LEVEL": "INFO",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
django.setup()
logging.getLogger("httpx2").setLevel(logging.WARNING)
