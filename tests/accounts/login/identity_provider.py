"""A company's identity provider: a real OpenID Connect server in a process of its own, from the
package oidc-provider-mock. It believes whoever says who they are, and checks everything else.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.test import Client

from config.third_party import single_sign_on

BACK = "/account/oidc/company/login/callback/"


@dataclass(frozen=True)
class Company:
    url: str

    def knows(self, subject: str, **claims: Any) -> None:
        """From now on the provider tells this of the person; what it told before is gone."""
        requests.put(f"{self.url}/users/{subject}", json=claims, timeout=60).raise_for_status()

    def client(self, *, site: str) -> dict[str, str]:
        """The site's id and secret at the provider."""
        wish = {
            "redirect_uris": [site + BACK],
            "token_endpoint_auth_method": "client_secret_post",
        }
        answer = requests.post(f"{self.url}/oauth2/clients", json=wish, timeout=60)
        answer.raise_for_status()
        made: dict[str, str] = answer.json()
        return made


@pytest.fixture(scope="session")
def company() -> Iterator[Company]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "oidc_provider_mock",
        "--require-registration",
        "-p",
        str(port),
    ]
    server = subprocess.Popen(
        command,
        env=os.environ | {"AUTHLIB_INSECURE_TRANSPORT": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield Company(f"http://127.0.0.1:{port}")
    finally:
        server.terminate()
        server.wait(60)


Configure = Callable[..., None]


@pytest.fixture
def single_sign_on_with(
    company: Company, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Configure:
    """single_sign_on_with(ROLES="ml=admin") sets up the company with these variables."""

    def configure(*, site: str = "http://testserver", **fields: str) -> None:
        made = company.client(site=site)
        known = {
            "URL": company.url,
            "CLIENT_ID": made["client_id"],
            "CLIENT_SECRET": made["client_secret"],
        }
        for name, value in (known | fields).items():
            monkeypatch.setenv(f"PREFERABLY_OIDC_COMPANY_{name}", value)
        settings.OIDC_PROVIDERS = single_sign_on.from_environment(needs_https=False)

    return configure


def arrive(client: Client, subject: str, *, begin: str = "/account/oidc/company/login/") -> Any:
    """Log in at the provider and return; the answer of the site to that."""
    away = client.get(begin)
    assert away.status_code == 302, away.text
    back = requests.post(
        away.headers["Location"], data={"sub": subject}, timeout=60, allow_redirects=False
    )
    assert back.status_code == 302, back.text
    address = urlsplit(back.headers["Location"])
    return client.get(f"{address.path}?{address.query}")


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("The identity provider did not start.")
