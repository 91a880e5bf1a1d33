"""Fixtures for the tests of the desk."""

import pytest

from labeling.models import Campaign, Prompt
from tests.tooling.recordings import recorded


@pytest.fixture
@recorded
def constrained(demonstration_campaign: Campaign) -> Campaign:
    Prompt.objects.update(constraints=["Rhymes.", "Names no <b>colour</b>."])
    return demonstration_campaign
