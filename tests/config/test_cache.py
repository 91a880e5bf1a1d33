"""The shared cache: plain values in Redis, and the process's own memory while Redis is away."""

import pickle
from pathlib import Path

import pytest
import redis
from django.core import mail
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from tests.cast import PASSWORD
from tests.config.own_redis import Redis


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def test_a_pickle_in_redis_is_never_run(own_redis: Redis, tmp_path: Path) -> None:
    server = redis.Redis.from_url(own_redis.address)
    server.set(cache.make_key("figure"), pickle.dumps(Bomb(tmp_path / "ran")))

    with pytest.raises(ValueError, match=r"decode|Expecting"):
        cache.get("figure")

    assert not (tmp_path / "ran").exists()


def test_a_pickle_of_an_older_release_is_not_found(own_redis: Redis) -> None:
    server = redis.Redis.from_url(own_redis.address)
    server.set(":1:figure", pickle.dumps({"a": 1}))

    assert cache.get("figure") is None


def test_values_come_back_as_they_were(own_redis: Redis) -> None:
    cache.set_many({"a": [1.5, "ä", None], "b": 7}, 60)
    cache.incr("b")

    assert cache.get_many(["a", "b", "c"]) == {"a": [1.5, "ä", None], "b": 8}


def test_while_redis_is_away_the_process_remembers_by_itself(own_redis: Redis) -> None:
    own_redis.stop()

    assert cache.add("lock", True, 60)
    assert not cache.add("lock", True, 60)
    cache.delete_many(["lock"])
    assert cache.get("lock") is None


@pytest.mark.parametrize("trouble", ["stop", pytest.param("freeze", marks=pytest.mark.slow)])
def test_people_log_in_and_reset_passwords_while_redis_is_away(
    own_redis: Redis, alice: User, client: Client, trouble: str
) -> None:
    getattr(own_redis, trouble)()

    reset = client.post("/account/password/reset/", {"email": "alice@example.org"})
    login = client.post("/account/login/", {"login": "alice@example.org", "password": PASSWORD})
    again = client.post("/account/reauthenticate/", {"password": PASSWORD})
    new = {"oldpassword": PASSWORD, "password1": "seven green kettles"}
    changed = client.post("/account/password/change/", new | {"password2": "seven green kettles"})

    assert [answer.status_code for answer in (reset, login, again, changed)] == [302] * 4
    assert mail.outbox[0].to == ["alice@example.org"], "the request mails what it cannot send"
    alice.refresh_from_db()
    assert alice.check_password("seven green kettles")


def test_failed_logins_are_limited_while_redis_is_away(
    own_redis: Redis, alice: User, client: Client
) -> None:
    own_redis.stop()
    for _attempt in range(5):
        client.post("/account/login/", {"login": "alice@example.org", "password": "wrong"})

    page = client.post("/account/login/", {"login": "alice@example.org", "password": PASSWORD})

    assert "Too many failed attempts." in page.text
