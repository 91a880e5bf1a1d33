"""Packages that only some calls need. They are imported when they are needed: some take seconds."""

import importlib
from types import ModuleType

from preferably_client.problem import MissingExtra


def optional(name: str, *, extra: str) -> ModuleType:
    """The module `name`. Raises MissingExtra."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"{name} is not installed. Run: pip install 'preferably-client[{extra}]'"
        ) from error
