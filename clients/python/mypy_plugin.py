"""Lets mypy and editors check the client in a checkout where it has not been made yet."""

from mypy.plugin import Plugin

from client_build.generate import write_missing_client


def plugin(version: str) -> type[Plugin]:
    write_missing_client()
    return Plugin
