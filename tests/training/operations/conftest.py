"""Fixtures for the tests of operations."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from training.operations import figures


@pytest.fixture(autouse=True)
def _no_figures_of_other_tests() -> Iterator[None]:
    """A process keeps its figures for some seconds."""
    cache.delete(figures.WORKER_KEY)
    figures.forget()
    yield
    figures.forget()
