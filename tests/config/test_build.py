"""Which build runs: the commit of a checkout, and what differs from it."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from config.monitoring import checkout, release

GIT = [
    "git",
    "-c",
    "user.name=T",
    "-c",
    "user.email=t@example.org",
    "-c",
    "init.defaultBranch=main",
]


def git(folder: Path, *words: str) -> str:
    done = subprocess.run([*GIT, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    git(folder, "init", "--quiet")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "First")
    return folder


@pytest.mark.parametrize("act", ["", "pack-refs --all", "checkout --quiet --detach"])
def test_a_checkout_names_its_commit(repository: Path, act: str) -> None:
    if act:
        git(repository, *act.split())

    assert checkout.commit(repository) == git(repository, "rev-parse", "--short=12", "HEAD")


def test_a_worktree_names_its_own_commit(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "--quiet", "-b", "other", str(tmp_path / "other"))
    git(tmp_path / "other", "commit", "--quiet", "--allow-empty", "--message", "Second")

    assert checkout.commit(tmp_path / "other") == git(
        tmp_path / "other", "rev-parse", "--short=12", "HEAD"
    )
    assert checkout.commit(tmp_path / "other") != checkout.commit(repository)


def test_what_is_no_checkout_has_no_commit(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "new").mkdir()
    git(tmp_path / "new", "init", "--quiet")

    assert [checkout.commit(tmp_path / name) for name in ("empty", "new")] == ["", ""]


@pytest.mark.parametrize(
    ("versions", "is_the_same"),
    [
        ({"preferably": "0.2.0", "build": "abc"}, True),
        ({"preferably": "0.2.0", "build": "def"}, False),
        ({"preferably": "0.1.0", "build": "abc"}, False),
        ({"preferably": "0.2.0"}, True),
        ({"preferably": "0.1.0"}, False),
        ({}, True),
    ],
)
def test_a_node_of_another_build_is_another(
    settings: Any, versions: dict[str, str], is_the_same: bool
) -> None:
    settings.RELEASE, settings.BUILD = "0.2.0", "abc"

    assert (release.of_node(versions) == release.running()) is is_the_same


def test_a_site_that_does_not_know_its_build_compares_versions(settings: Any) -> None:
    settings.RELEASE, settings.BUILD = "0.2.0", ""

    assert release.running() == "0.2.0"
    assert release.of_node({"preferably": "0.2.0", "build": "def"}) == "0.2.0"
