"""How a client connects: address, token and certificates."""

import ssl
from os import PathLike
from typing import Any

import httpx2

Verify = bool | str | PathLike[str] | ssl.SSLContext


def options(url: str, *, token: str, verify: Verify, timeout_s: float) -> dict[str, Any]:
    """The arguments of httpx2's clients. Raises OSError for a file that is not there, or holds no
    certificate.
    """
    return {
        "base_url": f"{url.rstrip('/')}/api/v1/",
        "headers": {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json, application/problem+json",
        },
        "timeout": timeout_s,
        "verify": verify if isinstance(verify, bool | ssl.SSLContext) else _trusting(verify),
    }


def _trusting(file: str | PathLike[str]) -> ssl.SSLContext:
    """Trusts the certificates in `file` and no others."""
    return ssl.create_default_context(cafile=file)


def size_of(response: httpx2.Response) -> int | None:
    """The number of bytes that will come, if the site says so."""
    length = response.headers.get("Content-Length")
    return int(length) if length else None
