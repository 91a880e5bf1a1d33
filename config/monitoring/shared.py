"""Lets the processes of one gunicorn count requests together. Import it before prometheus_client,
which reads the variable once.
"""

import atexit
import os
import shutil
import tempfile

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def is_shared() -> bool:
    return VARIABLE in os.environ


def share_request_metrics() -> None:
    """With gunicorn's --preload, this process is the parent of all that serve requests: they
    inherit the folder, and it goes with this process.
    """
    if is_shared():
        return
    folder, owner = tempfile.mkdtemp(prefix="preferably-metrics-"), os.getpid()
    os.environ.update({VARIABLE: folder})

    def remove() -> None:
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
