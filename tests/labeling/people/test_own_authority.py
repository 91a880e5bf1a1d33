"""A provider of identities whose certificate is from the company's own authority."""

import datetime as dt
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from labeling.people.single_sign_on.adapter import Adapter


class Discovery(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"issuer": "the company"}')

    def log_message(self, *_arguments: object) -> None:
        """Not on standard error."""


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """(URL, file with the certificate that signs the server's)"""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Company")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    file, secret = tmp_path / "company.crt", tmp_path / "company.key"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, secret)
    server = HTTPServer(("127.0.0.1", 0), Discovery)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}/.well-known/openid-configuration", file
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_variable_of_the_guide_makes_the_site_trust_it(
    provider: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, file = provider
    guide = (Path(__file__).parents[3] / "docs" / "operators.md").read_text()
    assert "`REQUESTS_CA_BUNDLE`" in guide

    with Adapter().get_requests_session() as session, pytest.raises(requests.exceptions.SSLError):
        session.get(url, timeout=10)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
    with Adapter().get_requests_session() as session:
        assert session.get(url, timeout=10).json() == {"issuer": "the company"}
