"""Traces of requests and tasks to an OpenTelemetry collector, if OTEL_EXPORTER_OTLP_ENDPOINT is
set: routes, tasks and times, and nothing that anybody wrote. Import this module only then.

The instrumentation of opentelemetry-contrib would send paths, which contain secrets of invitations
and password links.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from celery.signals import task_postrun, task_prerun
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponseBase

from config.monitoring import context, requests

try:
    from opentelemetry import propagate, trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
except ImportError as error:
    raise ImproperlyConfigured(
        "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed: pip install"
        " 'preferably[otel]'."
    ) from error

MIDDLEWARE = "config.monitoring.tracing.TraceMiddleware"
PARENT = "traceparent"
_tracer = trace.get_tracer("preferably")
_task_span: ContextVar[Any] = ContextVar("task span", default=None)
Response = Callable[[HttpRequest], HttpResponseBase]


def start(*, service: str, release: str) -> None:
    """Further settings of the exporter come from the standard variables, such as
    OTEL_EXPORTER_OTLP_HEADERS.
    """
    about = Resource.create({"service.name": service, "service.version": release})
    provider = TracerProvider(resource=about)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    task_prerun.connect(begin_task)
    task_postrun.connect(end_task)


class TraceMiddleware:
    """One span a request. It stands below RequestMiddleware, which gives the request its id."""

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        parent = propagate.extract({PARENT: request.headers.get(PARENT, "")})
        kind = trace.SpanKind.SERVER
        with _tracer.start_as_current_span("request", context=parent, kind=kind) as span:
            work = context.current()
            carrier: dict[str, str] = {}
            propagate.inject(carrier)
            work.traceparent = carrier.get(PARENT, "")
            response = self.get_response(request)
            route = work.route or requests.UNKNOWN
            span.update_name(f"{request.method} {route}")
            span.set_attributes(
                {
                    "http.route": route,
                    "http.request.method": request.method or "",
                    "http.response.status_code": response.status_code,
                    **_about(work),
                }
            )
            if response.status_code >= 500:
                span.set_status(trace.StatusCode.ERROR)
        return response


def begin_task(sender: Any, **_signal: Any) -> None:
    work = context.current()
    parent = propagate.extract({PARENT: work.traceparent})
    span = _tracer.start_span(sender.name, context=parent, kind=trace.SpanKind.CONSUMER)
    span.set_attributes({"task.id": work.task_id, **_about(work)})
    _task_span.set(span)


def end_task(state: str, **_signal: Any) -> None:
    span = _task_span.get()
    if state == "FAILURE":
        span.set_status(trace.StatusCode.ERROR)
    span.end()


def _about(work: context.Work) -> dict[str, str]:
    named = {"request.id": work.request_id, "enduser.pseudo.id": work.person}
    return {name: value for name, value in named.items() if value}
