"""A client whose requests end by a deadline, whatever the server sends and however slowly.

A time-out counts from the last byte, so a server that sends one byte a minute, of its headers even,
never runs into it. Here each read may take no longer than is left until the deadline.
"""

import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore2
import httpx2

_NEVER = float("inf")


class _Deadline(threading.local):
    ends_at = _NEVER


_deadline = _Deadline()


class DeadlinePassed(Exception):
    """The request took too long."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Reads of this thread raise DeadlinePassed when so much time has gone by."""
    _deadline.ends_at = time.monotonic() + seconds
    try:
        yield
    finally:
        _deadline.ends_at = _NEVER


def transport() -> httpx2.HTTPTransport:
    """Direct connections that keep to `within`. httpx2 has no setting for the backend of its
    connections, so it is put in its place.
    """
    direct = httpx2.HTTPTransport(trust_env=False)
    direct._pool._network_backend = _Backend()
    return direct


class _Backend(httpcore2.NetworkBackend):
    def __init__(self) -> None:
        self.backend = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        stream = self.backend.connect_tcp(
            host, port, timeout, local_address=local_address, socket_options=socket_options
        )
        return _Stream(stream)


class _Stream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self.stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left_s = _deadline.ends_at - time.monotonic()
        if left_s <= 0:
            raise DeadlinePassed
        if timeout is not None and timeout <= left_s:
            return self.stream.read(max_bytes, timeout)
        try:
            return self.stream.read(max_bytes, None if left_s == _NEVER else left_s)
        except httpcore2.ReadTimeout as late:
            raise DeadlinePassed from late

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.stream.write(buffer, timeout)

    def close(self) -> None:
        self.stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        return _Stream(self.stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)
