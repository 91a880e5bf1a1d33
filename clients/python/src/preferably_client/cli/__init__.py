"""The command `preferably`: import, export, runs and watch, for shells and schedulers."""

from preferably_client.cli.main import main

__all__ = ["main"]
