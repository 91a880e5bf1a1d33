"""The site's database connections: dead ones are noticed. Responses are compressed."""

import gzip

import pytest
from django.db import connection
from django.db.models import BigAutoField
from django.test import Client

from accounts.models import User
from config.compiled import Compiled, Gap, fetch
from labeling.models import Slot


@pytest.mark.django_db
def test_a_connection_that_the_server_has_ended_is_noticed_without_asking() -> None:
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


@pytest.mark.django_db
def test_a_plan_that_is_made_once_knows_the_constants_that_partial_indexes_need() -> None:
    """Leases have a partial index, which is only used if the query contains its condition."""
    leases = Compiled(
        lambda: Slot.objects.filter(
            state=Slot.State.LEASED, campaign=Gap("campaign", BigAutoField())
        )
    )
    assert leases.all(campaign=1) == []

    statement, gaps = leases._statement

    assert "\"state\" = 'leased'" in statement
    assert [gap.value for gap in gaps] == ["campaign"]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["50 %", "100 %s", "it's", "back\\slash", "%%"])
def test_what_is_written_into_a_statement_means_what_it_says(name: str) -> None:
    User.objects.create_user(email="ada@example.org", name=name)
    named = Compiled(
        lambda: User.objects.filter(
            name=name, name__contains="%", pk__gte=Gap("pk", BigAutoField())
        )
    )

    found = [user.name for user in named.all(pk=0)]

    assert found == ([name] if "%" in name else [])
