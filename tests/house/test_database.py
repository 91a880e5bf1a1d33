"""The site's database connections: dead ones are noticed. Responses are compressed."""

import gzip

import pytest
from django.db import connection
from django.test import Client

from config.performance.compiled import fetch


@pytest.mark.django_db
def test_a_connection_that_the_server_has_ended_is_noticed() -> None:
    other = connection.copy()
    other.connect()
    try:
        assert other.is_usable()
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (backend,) = cursor.fetchone()
        fetch("SELECT pg_terminate_backend(%s, 5000)", [backend])

        assert not other.is_usable()
    finally:
        other.close()


@pytest.mark.django_db
def test_an_answer_is_compressed_for_who_can_read_it() -> None:
    packed = Client().get("/account/login/", headers={"Accept-Encoding": "gzip"})
    plain = Client().get("/account/login/")

    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.content) < len(plain.content) / 2
    assert b"<!doctype html>" in gzip.decompress(packed.content).lower()
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert "Content-Encoding" not in plain.headers
