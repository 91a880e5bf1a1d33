from pathlib import Path

import pytest

from tests.tooling.wheel import checkouts


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a fresh clone."""
    folder = tmp_path_factory.mktemp("source")
    checkouts.copy_tracked(folder)
    return folder


@pytest.fixture(scope="session")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For all tests of the group "wheel", which run in one process."""
    return checkouts.build_wheel(source, tmp_path_factory.mktemp("wheel"))
