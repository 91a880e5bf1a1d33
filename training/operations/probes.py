"""What a proxy or an orchestrator asks a web process: does it live, and can it serve people?

Probes come by IP address and without TLS, so they are answered before anything checks either.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from training.operations import metrics, readiness

Response = Callable[[HttpRequest], HttpResponseBase]


def livez(request: HttpRequest) -> HttpResponse:
    """Whether the process answers at all. It stays "ok" while the database is away: a restart would
    not bring that back.
    """
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """503 while this process cannot serve pages. 200 if it can, even when something that only jobs
    need is away: people keep working, and sending them nowhere would help nobody.
    """
    checks = readiness.checks()
    return JsonResponse(
        {
            "status": readiness.status_of(checks),
            "checks": {check.name: check.problem or "ok" for check in checks},
        },
        status=503 if readiness.status_of(checks) == readiness.NOT_READY else 200,
        headers={"Cache-Control": "no-store"},
    )


PROBES: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/healthz": livez,  # the name of earlier releases
    "/livez": livez,
    "/readyz": readyz,
    "/metrics": metrics.metrics,
}


class ProbeMiddleware:
    """Answers probes before the host, the protocol and the session are looked at. It comes first.

    config.urls has the same views, so that config.permissions lists them.
    """

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return PROBES.get(request.path, self.get_response)(request)
