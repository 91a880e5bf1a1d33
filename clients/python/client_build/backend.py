"""Builds the client's packages. In a checkout they get rows and operations of the API as it is; a
source distribution has them already.
"""

import tomllib
from collections.abc import Mapping

from setuptools import build_meta

from client_build.generate import ROOT, write_client

IS_CHECKOUT = (ROOT / "manage.py").exists()
Settings = Mapping[str, object] | None

prepare_metadata_for_build_wheel = build_meta.prepare_metadata_for_build_wheel


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """What the site imports to describe its API, and what formats the result."""
    if not IS_CHECKOUT:
        return []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [*project["dependencies"], "ruff"]


get_requires_for_build_sdist = get_requires_for_build_editable = get_requires_for_build_wheel


def build_wheel(folder: str, config_settings: Settings = None, metadata: str | None = None) -> str:
    _make_sources()
    return str(build_meta.build_wheel(folder, config_settings, metadata))


def build_editable(
    folder: str, config_settings: Settings = None, metadata: str | None = None
) -> str:
    _make_sources()
    return str(build_meta.build_editable(folder, config_settings, metadata))


def build_sdist(folder: str, config_settings: Settings = None) -> str:
    _make_sources()
    return str(build_meta.build_sdist(folder, config_settings))


def _make_sources() -> None:
    if IS_CHECKOUT:
        write_client()
