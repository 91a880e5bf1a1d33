"""What every test shares. Services are started before pytest, by scripts/run_with_services.py (`make test`)."""

import os

import pytest

if not os.environ.get("DATABASE_URL"):
    pytest.exit("Tests run on a real PostgreSQL: use `make test`, or scripts/run_with_services.py pytest …", returncode=4)

from tests.cast import (  # noqa: F401  # after the check above: the cast imports models
    alice,
    comparison_campaign,
    day_shift,
    demonstration_campaign,
    guideline,
    noor,
    raul,
    rita,
    rosa,
    signed_in,
)
