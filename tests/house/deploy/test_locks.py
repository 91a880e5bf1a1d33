"""deploy/locks: what the images install, each file with its hash; against pyproject.toml,
constraints.txt, and what is installed here.
"""

import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[3]
LOCKS = ROOT / "deploy" / "locks"
EXTRAS = {"web": {"s3"}, "node": {"s3", "train"}}
HOW = "Run `make lock`, which writes deploy/locks."


def blocks(name: str) -> Iterator[list[str]]:
    text = (LOCKS / f"{name}.txt").read_text().replace("\\\n", " ")
    yield from (line.split(" --hash=") for line in text.splitlines() if not line.startswith("#"))


def locked(name: str) -> dict[str, tuple[str, Marker | None]]:
    """The version of each package, and where it is installed."""
    found: dict[str, tuple[str, Marker | None]] = {}
    for first, *_hashes in blocks(name):
        requirement = Requirement(first.strip())
        (only,) = requirement.specifier
        found[canonicalize_name(requirement.name)] = (only.version, requirement.marker)
    return found


def constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def asked(name: str) -> list[Requirement]:
    """By pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [project["optional-dependencies"][extra] for extra in sorted(EXTRAS[name])]
    return [Requirement(line) for lines in (project["dependencies"], *extras) for line in lines]


def is_needed(requirement: Requirement, extras: set[str]) -> bool:
    """On Linux, as here."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras or {""})


def closure(name: str) -> dict[str, list[Requirement]]:
    """All that the image needs, by what needs it: from the packages that are installed here."""
    needed: dict[str, list[Requirement]] = {}
    waiting = asked(name)
    seen = set()
    while waiting:
        requirement = waiting.pop()
        package = canonicalize_name(requirement.name)
        needed.setdefault(package, []).append(requirement)
        key = (package, frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        try:
            requires = metadata.requires(package) or []
        except metadata.PackageNotFoundError:  # a build of torch without CUDA needs less
            continue
        waiting += [
            other for other in map(Requirement, requires) if is_needed(other, requirement.extras)
        ]
    return needed


@pytest.mark.parametrize("name", ["build", "web", "node"])
def test_every_file_of_every_package_has_a_hash(name: str) -> None:
    bare = [
        first
        for first, *hashes in blocks(name)
        if not hashes or not all(re.fullmatch(r"sha256:[0-9a-f]{64}\s*", each) for each in hashes)
    ]

    assert list(blocks(name)) != []
    assert bare == []


@pytest.mark.parametrize("name", EXTRAS)
def test_an_image_has_all_that_pyproject_asks_for_in_the_versions_that_were_tested(
    name: str,
) -> None:
    versions, tested, wrong = locked(name), constraints(), []
    for package, requirements in closure(name).items():
        version, marker = versions.get(package, ("", None))
        if not version or (marker is not None and not marker.evaluate()):
            wrong.append(f"{package} is not locked")
        wrong += [
            f"{requirement} is not {version}"
            for requirement in requirements
            if version and not requirement.specifier.contains(version, prereleases=True)
        ]
    wrong += [
        f"{package} is {version}, and {tested[package]} was tested"
        for package, (version, _marker) in versions.items()
        if tested.get(package, version) != version
    ]

    assert wrong == [], HOW


@pytest.mark.parametrize("name", EXTRAS)
def test_an_image_has_nothing_that_nobody_asks_for(name: str) -> None:
    asked_here = closure(name)
    more = {
        package
        for package, (_version, marker) in locked(name).items()
        if (marker is None or marker.evaluate()) and package not in asked_here
    }
    # Of torch with CUDA, which is not installed where tests run.
    with_cuda = re.compile(r"nvidia-|cuda-|triton$")

    assert {package for package in more if not with_cuda.match(package)} == set(), HOW


def test_the_images_install_nothing_without_its_hash() -> None:
    installs = re.findall(
        r"pip (?:install|wheel)[^\n&]*", (ROOT / "deploy" / "Containerfile").read_text()
    )

    assert len(installs) == 6
    assert [
        line for line in installs if "--require-hashes" not in line and "--no-deps" not in line
    ] == []
