"""Rate limits: reads and writes per minute, for each token or for each person using the API from
the browser. Each response says how much is left, in the RateLimit header fields
(draft-ietf-httpapi-ratelimit-headers-10).
"""

import math
from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from accounts.models import ApiToken

# REST framework imports its default classes while it loads its views.
if TYPE_CHECKING:
    from rest_framework.views import APIView


WINDOW_S = 60


class PerMinute(SimpleRateThrottle):
    rate = "1/minute"  # only the duration is used; the number of calls is a setting

    def allow_request(self, request: Request, view: "APIView") -> bool:
        is_read = request.method in SAFE_METHODS
        self.num_requests = (
            settings.API_READS_PER_MINUTE if is_read else settings.API_WRITES_PER_MINUTE
        )
        if self.num_requests == 0 or not request.user.is_authenticated:
            return True
        is_allowed = super().allow_request(request, view)
        # REST framework adds these to any response of the view, a 429 included.
        view.headers |= self._headers("reads" if is_read else "writes")
        return is_allowed

    def _headers(self, policy: str) -> dict[str, str]:
        """`q` calls in `w` seconds; `r` are left now, and more in `t` seconds."""
        n_left = self.num_requests - len(self.history)
        return {
            "RateLimit-Policy": f'"{policy}";q={self.num_requests};w={WINDOW_S}',
            "RateLimit": f'"{policy}";r={n_left};t={self.wait()}',
        }

    def wait(self) -> int:
        """Seconds until the oldest call no longer counts, rounded up: an earlier call would still
        be refused.
        """
        return math.ceil(WINDOW_S - (self.now - float(self.history[-1])))

    def get_cache_key(self, request: Request, view: "APIView") -> str:
        is_token = isinstance(request.auth, ApiToken)
        whose = f"token-{request.auth.pk}" if is_token else f"user-{request.user.pk}"
        return f"api-{whose}-{'read' if request.method in SAFE_METHODS else 'write'}"
