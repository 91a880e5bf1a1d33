"""`pip install ./clients/python`: the wheel holds the package, its types and the command."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from client_build.generate import CLIENT, ROOT, WRITTEN

# One test process builds and installs the wheel.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("the client's wheel")]
SITE = (
    "accounts",
    "config",
    "jobs",
    "labeling",
    "pages",
    "training",
    "manage.py",
    "pyproject.toml",
)
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the wheel was installed to. It was built from a fresh checkout, which has no
    rows and operations.
    """
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "clients/python"
    not_committed = shutil.ignore_patterns("*.egg-info", "build", *WRITTEN)
    shutil.copytree(ROOT / "clients/python", source, ignore=not_committed)
    for name in SITE:
        (folder / name).symlink_to(ROOT / name)
    build = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir"]
    subprocess.run([*PIP, *build, str(folder), str(source)], check=True)
    (wheel,) = folder.glob("preferably_client-*-py3-none-any.whl")
    install = ["install", "--no-deps", "--no-index", "--target", str(folder / "site")]
    subprocess.run([*PIP, *install, str(wheel)], check=True)
    return folder / "site"


def output_of(installed: Path, *command: str | Path) -> str:
    environment = os.environ | {"PYTHONPATH": str(installed)}
    return subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True, cwd=installed
    ).stdout


def test_the_wheel_holds_the_package_with_its_types(installed: Path) -> None:
    where = output_of(
        installed, sys.executable, "-c", "import preferably_client as c; print(c.__file__)"
    )

    assert Path(where.strip()).is_relative_to(installed)
    assert (installed / "preferably_client/py.typed").is_file()
    assert (installed / "preferably_client/cli/main.py").is_file()


def test_the_wheel_is_made_from_the_api_as_it_is(installed: Path) -> None:
    for name in WRITTEN:
        assert (installed / "preferably_client" / name).read_text() == (CLIENT / name).read_text()


def test_the_wheel_brings_the_command(installed: Path) -> None:
    words = output_of(installed, installed / "bin/preferably", "--help")

    for command in ("import", "export", "runs", "watch"):
        assert f"    {command}" in words
    assert "exit codes:" in words
