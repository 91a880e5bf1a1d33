"""The fixture of tests that start runs, but do not test how a trainer starts."""

from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from tests.trainer import warm


@pytest.fixture
def warm_trainer(settings: LazySettings) -> Iterator[list[str]]:
    """Supervisors of this process start a trainer that is forked from one that has imported torch.
    The command, for other processes.
    """
    with warm.serving() as settings.TRAINER_COMMAND:
        yield settings.TRAINER_COMMAND
