"""The access log and the metrics of requests. Both name a request by its route: paths contain
secrets of invitations and password links.
"""

import logging
import re
from collections.abc import Callable
from time import perf_counter
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from prometheus_client import CollectorRegistry, Counter, Histogram

from config.monitoring import context

logger = logging.getLogger("access")

REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "preferably_http_requests",
    "Requests answered, by route, method and status.",
    ["route", "method", "status"],
    registry=REGISTRY,
)
DURATION = Histogram(
    "preferably_http_request_duration_seconds",
    "Time from a request to its response, by route.",
    ["route"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=REGISTRY,
)
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
UNKNOWN, STATIC = "unknown", "static"
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
Response = Callable[[HttpRequest], HttpResponseBase]


class RequestMiddleware:
    """Gives each request an id, counts it, and logs it once it is answered. A proxy may give the id
    as X-Request-ID.
    """

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = perf_counter()
        header = request.headers.get("X-Request-ID", "")
        request_id = header if _REQUEST_ID.fullmatch(header) else uuid4().hex
        with context.working_on(context.Work(request_id=request_id)):
            response = self.get_response(request)
            _note(request, response, seconds=perf_counter() - began)
        response.headers["X-Request-ID"] = request_id
        return response


class PersonMiddleware:
    """Adds the person's pseudonym. It stands below the middleware that asks who they are."""

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        _name(request)
        response = self.get_response(request)
        _name(request)  # an API call is authenticated in its view
        return response

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> None:
        context.current().route = _route(request)


def _name(request: HttpRequest) -> None:
    if request.user.pk is not None:
        context.current().person = context.pseudonym(request.user.pk)


def _note(request: HttpRequest, response: HttpResponseBase, *, seconds: float) -> None:
    route, status = _route(request), response.status_code
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(route, method, status).inc()
    DURATION.labels(route).observe(seconds)
    if route == STATIC:
        return
    fields: dict[str, object] = {
        "route": route,
        "method": method,
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
    }
    named = request.resolver_match.kwargs if request.resolver_match else {}
    if ids := {name: value for name, value in named.items() if isinstance(value, int)}:
        fields["ids"] = ids
    logger.info("%s %s %s %.0f ms", method, route, status, seconds * 1000, extra=fields)


def _route(request: HttpRequest) -> str:
    if request.resolver_match is not None:
        return request.resolver_match.view_name
    return STATIC if request.path.startswith(settings.STATIC_URL) else UNKNOWN
