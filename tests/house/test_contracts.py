"""What import-linter's exhaustive contracts cannot see: packages at the root, and rooms that a
contract ought to name.
"""

import tomllib
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
# What is not the product: started by its path, or a distribution of its own.
APART = {"benchmarks", "build", "clients", "scripts", "tests"}


def contract(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = next(
        contract for contract in LINTER["contracts"] if contract["name"] == name
    )
    return found


def rooms(package: Path) -> set[str]:
    return {
        room.stem for room in package.iterdir() if room.suffix == ".py" or any(room.glob("*.py"))
    } - {"__init__"}


def test_every_package_at_the_root_has_contracts() -> None:
    packages = {init.parent.name for init in ROOT.glob("*/__init__.py")} - APART

    assert packages == set(LINTER["root_packages"])


def test_every_package_has_its_floors() -> None:
    contained = [
        container
        for contract in LINTER["contracts"]
        if contract.get("exhaustive")
        for container in contract["containers"]
    ]

    assert sorted(contained) == sorted(LINTER["root_packages"])


def test_every_room_of_training_but_the_child_is_kept_free_of_torch() -> None:
    named = contract("torch lives in the child process")["source_modules"]

    assert {f"training.{room}" for room in rooms(ROOT / "training")} - {"training.trainer"} <= set(
        named
    )
