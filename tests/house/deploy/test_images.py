"""The images: the script that builds them, and, where PREFERABLY_BASE_IMAGE names a Debian with
Python 3.11 and buildah is installed, the web image itself.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.house.deploy import guides

ROOT = Path(__file__).resolve().parents[3]
CONTAINERFILE = (ROOT / "deploy" / "Containerfile").read_text()
sys.path.append(str(ROOT / "deploy"))

import build_images  # noqa: E402

BASE = os.environ.get("PREFERABLY_BASE_IMAGE", "")
IMAGE = "localhost/preferably-web:test"


def test_each_target_of_the_containerfile_that_is_an_image_is_built() -> None:
    built = [build_images.command("podman", name, f"a/{name}:1") for name in build_images.TARGETS]

    for name, command in zip(build_images.TARGETS, built, strict=True):
        assert f" AS {name}\n" in CONTAINERFILE
        assert command[:2] == ["podman", "build"]
        assert command[command.index("--target") + 1] == name
        assert (ROOT / command[command.index("--file") + 1]).is_file()


def test_the_image_with_vllm_in_the_guide_is_made_of_ours_with_what_the_package_allows() -> None:
    [recipe] = [one.text for one in guides.blocks() if one.text.startswith("FROM preferably-node")]
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = package["optional-dependencies"]
    allowed = {one.name: one for one in map(Requirement, [*extras["vllm"], *extras["train"]])}
    told = {one.name: one for one in map(Requirement, re.findall(r"'([^']+)'", recipe))}
    locked = (ROOT / "deploy" / "locks" / "node.txt").read_text()
    [in_lock] = re.findall(r"^transformers==(\S+)", locked, re.MULTILINE)
    users = re.findall(r"^ *USER (\S+)", recipe, re.MULTILINE)

    assert users == ["root", *set(re.findall(r"^USER (\S+)", CONTAINERFILE, re.MULTILINE))]
    assert told["vllm"].specifier.contains("0.31.0")
    assert allowed["vllm"].specifier.contains("0.31.0")
    assert told["transformers"].specifier.contains("5.17.0")
    assert allowed["transformers"].specifier.contains("5.17.0")
    # Once the lock has one that vLLM takes, the image `node` can have vLLM too.
    assert not told["transformers"].specifier.contains(in_lock)


def test_the_first_builder_that_works_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, status in (("docker", 1), ("podman", 0), ("buildah", 0)):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\nexit {status}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")

    assert build_images.found() == "podman"


@pytest.fixture(scope="module")
def container() -> Iterator[str]:
    build = [sys.executable, "deploy/build_images.py", "web", "--builder", "buildah"]
    names = ["--prefix", "localhost/preferably-", "--tag", "test", "--python", BASE]
    subprocess.run([*build, *names], cwd=ROOT, check=True)
    made = subprocess.run(
        ["buildah", "from", IMAGE], check=True, capture_output=True, text=True
    ).stdout.strip()
    yield made
    subprocess.run(["buildah", "rm", made], check=True, capture_output=True)


@pytest.mark.slow
@pytest.mark.skipif(
    not (BASE and shutil.which("buildah")), reason="needs buildah and PREFERABLY_BASE_IMAGE"
)
def test_the_web_image_is_a_site_for_one_who_is_not_root(container: str) -> None:
    """The program of its own user, with the static files and the programs of the database."""

    def in_it(command: str) -> str:
        run = ["buildah", "run", "--isolation", "chroot", container, "--", "sh", "-c", command]
        done = subprocess.run(run, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    assert in_it("id -u") == "10001"
    assert in_it("pg_dump --version").startswith("pg_dump (PostgreSQL) 17")
    assert in_it("python -c 'import importlib.util as u; print(u.find_spec(\"torch\"))'") == "None"
    assert in_it("ls /srv/preferably/static/staticfiles.json")
    assert "no issues" in in_it(
        "DATABASE_URL=sqlite:////tmp/x.db PREFERABLY_MODE=demo preferably manage check"
    )
