"""Which site, and the token: from the environment, or from a file that only its owner can read."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

SITE, TOKEN, TOKEN_FILE = "PREFERABLY_SITE", "PREFERABLY_TOKEN", "PREFERABLY_TOKEN_FILE"


class NotConfigured(Exception):
    """The site or the token is missing; the text says where to put it."""


def site_of(given: str | None, environment: Mapping[str, str]) -> str:
    """Raises NotConfigured."""
    found = given or environment.get(SITE)
    if not found:
        raise NotConfigured(f"Which site? Use --site https://… or set {SITE}.")
    return found


def token_of(file: str | None, environment: Mapping[str, str]) -> str:
    """A named file first, then the environment, then the default file. Raises NotConfigured."""
    if file is None and environment.get(TOKEN):
        return environment[TOKEN]
    path = Path(file or environment.get(TOKEN_FILE) or default_file(environment))
    try:
        mode = path.stat().st_mode
        token = path.read_text().strip()
    except FileNotFoundError as error:
        raise NotConfigured(
            f"No token. Set {TOKEN}, or write it to {path} and run: chmod 600 {path}"
        ) from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise NotConfigured(f"Others can read {path}. Run: chmod 600 {path}")
    if not token:
        raise NotConfigured(f"{path} is empty. Write your token to it.")
    return token


def default_file(environment: Mapping[str, str]) -> Path:
    home = environment.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "preferably" / "token"
