"""Which version and build of the site runs."""

from collections.abc import Mapping

from django.conf import settings


def named(version: str, build: str = "") -> str:
    return f"{version}+{build}" if build else version


def running() -> str:
    return named(settings.RELEASE, settings.BUILD)


def of_node(versions: Mapping[str, str]) -> str:
    """As `running`, for what a node has said of itself. One without a build may be of any."""
    build = versions.get("build", "") if settings.BUILD else ""
    version = versions.get("preferably", settings.RELEASE)
    return named(version, build or (settings.BUILD if version == settings.RELEASE else ""))
