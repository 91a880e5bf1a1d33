"""What every test shares. Services are started before pytest, by scripts/run_with_services.py (`make test`)."""

import os

import pytest

if not os.environ.get("DATABASE_URL"):
    pytest.exit("Tests run on a real PostgreSQL: use `make test`, or scripts/run_with_services.py pytest …", returncode=4)
