"""A Redis that a test may stop or freeze."""

from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.core.cache import cache

from config.celery import app
from tests.config.own_redis import Redis


@pytest.fixture
def own_redis(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """The cache and the broker of this test."""
    redis = Redis()
    settings.REDIS_URL = redis.address
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": redis.address}}
    monkeypatch.setattr(app.conf, "broker_url", redis.address)
    cache.set("reached", 1)
    yield redis
    redis.remove()
