"""Runs one command beside a real PostgreSQL and a real Redis: python scripts/run_with_services.py COMMAND …

DATABASE_URL and REDIS_URL are set for the command; TEST_DATABASE_URL and TEST_REDIS_URL point to existing servers instead.
"""

import contextlib
import os
import subprocess
import sys

import services

with contextlib.ExitStack() as stack:
    database = os.environ.get("TEST_DATABASE_URL") or stack.enter_context(services.postgres())
    broker = os.environ.get("TEST_REDIS_URL") or stack.enter_context(services.redis())
    print(f"database: {database}\nbroker: {broker}", flush=True)
    environment = os.environ | {"PREFERABLY_MODE": "test", "DATABASE_URL": database, "REDIS_URL": broker}
    code = subprocess.call(sys.argv[1:], env=environment)
sys.exit(code)
