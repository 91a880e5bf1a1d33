"""What import-linter's exhaustive contracts can't check: packages at the root without a contract,
and growing exceptions.
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


def test_every_package_at_the_root_has_contracts() -> None:
    packages = {init.parent.name for init in ROOT.glob("*/__init__.py")} - APART

    assert packages == set(LINTER["root_packages"])


def test_the_rooms_of_every_package_stand_on_layers() -> None:
    contained = [
        container
        for contract in LINTER["contracts"]
        if contract.get("exhaustive")
        for container in contract["containers"]
    ]

    # A room may have layers of its own.
    packages = [container for container in contained if "." not in container]
    assert sorted(packages) == sorted(LINTER["root_packages"])


def test_every_package_is_kept_free_of_torch_but_for_the_child() -> None:
    torch = contract("torch lives in the child process")

    allowed = {allowed.partition(" -> ")[0] for allowed in torch["ignore_imports"]}

    assert sorted(torch["source_modules"]) == sorted(LINTER["root_packages"])
    assert allowed == {"training.trainer.**"}
