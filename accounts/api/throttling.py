"""Rate limits: reads and writes per minute, for each token or for each person using the API from
the browser.
"""

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from redis.exceptions import RedisError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.models import ApiToken

# REST framework imports its default classes while it loads its views.
if TYPE_CHECKING:
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)


class PerMinute(BaseThrottle):
    """Counts calls per clock minute, with one atomic operation in the shared cache per call."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        if not request.user.is_authenticated:
            return True  # rejected by the permission at no cost
        is_read = request.method in SAFE_METHODS
        limit = settings.API_READS_PER_MINUTE if is_read else settings.API_WRITES_PER_MINUTE
        if limit == 0:
            return True
        self.now = timezone.now()
        whose = (
            f"token-{request.auth.pk}"
            if isinstance(request.auth, ApiToken)
            else f"user-{request.user.pk}"
        )
        return _count(f"api-{whose}-{'read' if is_read else 'write'}-{_minute(self.now)}") <= limit

    def wait(self) -> float:
        return 60 - self.now.timestamp() % 60


def _minute(now: datetime) -> int:
    return int(now.timestamp() // 60)


def _count(key: str) -> int:
    try:
        cache.add(key, 0, timeout=120)
        return cache.incr(key)
    except RedisError as problem:
        # The limit protects the site from a runaway script; it is not worth closing the API when
        # the cache is down.
        logger.warning("Calls are not counted: the cache is away (%s).", problem)
        return 0
