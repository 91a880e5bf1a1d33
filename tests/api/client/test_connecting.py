"""Certificates, progress bars and missing packages."""

import importlib
import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from accounts.models import User
from preferably_client import MissingExtra, Preferably
from tests.api.conftest import secret_of
from tests.cast import some_prompts

EMPTY_LIST = b'{"next_cursor": null, "results": []}'


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that signs itself, with its key, as no system trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


class EmptyLists(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(EMPTY_LIST)))
        self.end_headers()
        self.wfile.write(EMPTY_LIST)

    def log_message(self, *_words: object) -> None:
        """Says nothing."""


class Silent(ThreadingHTTPServer):
    def handle_error(self, *_about: object) -> None:
        """A refused certificate is no error of the server."""


@contextmanager
def serving_tls(certificate: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = Silent(("127.0.0.1", 0), EmptyLists)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_site_with_a_certificate_of_its_own_is_trusted_by_its_file(certificate: Path) -> None:
    with serving_tls(certificate) as url:
        with Preferably(url, token="pfb_x", verify=certificate) as site:
            assert list(site.list_pools()) == []
        with Preferably(url, token="pfb_x", verify=False) as site:
            assert list(site.list_pools()) == []
        with (
            Preferably(url, token="pfb_x", pause=lambda _s: None) as site,
            pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
        ):
            list(site.list_pools())


def test_a_certificate_file_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Preferably("https://127.0.0.1", token="pfb_x", verify=tmp_path / "none.pem")


def test_a_long_list_shows_how_far_it_is(
    bo: User, wsgi: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    some_prompts(3)
    transport = httpx2.WSGITransport(app=wsgi)
    site = Preferably("http://testserver", token=secret_of(bo), transport=transport, progress=True)

    found = list(site.list_prompts())

    assert len(found) == 3
    assert "rows" in capsys.readouterr().err


def test_a_package_that_is_missing_is_named_with_its_extra(
    bo: User, wsgi: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def import_module(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", import_module)
    transport = httpx2.WSGITransport(app=wsgi)
    site = Preferably("http://testserver", token=secret_of(bo), transport=transport)

    with pytest.raises(MissingExtra, match=r"pip install 'preferably-client\[datasets\]'"):
        site.list_pools().to_dataset()
