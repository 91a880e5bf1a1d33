"""What a worker does when something still uses a connection to the broker that was lost."""

from types import SimpleNamespace
from typing import Any

import pytest
from celery import bootsteps
from celery.utils.imports import symbol_by_name

from config.celery import app
from config.third_party.consumer import Consumer
from tests.config.own_redis import Redis


class Asks(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """A part of a worker, which asks what the test gives it."""

    def start(self, parent: Any) -> None:
        parent.asks()


class Blueprint(Consumer.Blueprint):
    default_steps = (Asks,)


def start(asks: object) -> None:
    parent = SimpleNamespace(asks=asks, steps=[])
    blueprint = Blueprint()
    blueprint.apply(parent)
    blueprint.start(parent)


def test_a_closed_connection_that_is_used_counts_as_a_lost_one(own_redis: Redis) -> None:
    """kombu's channel has no address any more. Celery connects again after a lost connection, and
    ends after any other error.
    """
    connection = app.connection_for_read(own_redis.address)
    channel = connection.default_channel
    own_redis.stop()
    connection.collect()

    with pytest.raises(
        AttributeError, match=r"'NoneType' object has no attribute '(client|hostname)'"
    ):
        channel._connparams()
    with pytest.raises(ConnectionResetError, match="'NoneType' object") as raised:
        start(channel._connparams)

    assert isinstance(raised.value, connection.connection_errors)


def test_a_fault_of_the_program_stays_one() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        start(lambda: object().nothing)  # type: ignore[attr-defined]


def test_workers_start_with_this_consumer() -> None:
    assert symbol_by_name(app.conf.worker_consumer) is Consumer
