"""A pytest plugin that isolates test processes. PYTEST_PLUGINS loads it before Django's settings.

Under xdist each process has its own broker database and its own folder, just as pytest-django gives
it its own SQL database.
"""

import gc
import os

# Until the tests are collected, almost everything that is made stays. tests/tooling/selection.py
# turns the garbage collector on again.
gc.disable()
worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
if worker:
    broker, _, _number = os.environ["REDIS_URL"].rpartition("/")
    os.environ["REDIS_URL"] = f"{broker}/{int(worker) + 1}"
    os.environ["PREFERABLY_HOME"] = os.path.join(os.environ["PREFERABLY_HOME"], f"process-{worker}")
    os.makedirs(os.environ["PREFERABLY_HOME"], exist_ok=True)
