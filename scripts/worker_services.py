"""A pytest plugin, loaded before Django's settings (PYTEST_PLUGINS): test processes keep out of
each other's way.

Under xdist each process has a database of the broker and a folder to itself, as pytest-django gives
it a database of its own.
"""

import os

worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
if worker:
    broker, _, _number = os.environ["REDIS_URL"].rpartition("/")
    os.environ["REDIS_URL"] = f"{broker}/{int(worker) + 1}"
    os.environ["PREFERABLY_HOME"] = os.path.join(os.environ["PREFERABLY_HOME"], f"process-{worker}")
    os.makedirs(os.environ["PREFERABLY_HOME"], exist_ok=True)
