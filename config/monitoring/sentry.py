"""Errors to Sentry, if PREFERABLY_SENTRY_DSN is set: where an error happened, and nothing that
anybody wrote. Import this module only then.
"""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config.monitoring import context

try:
    import sentry_sdk
except ImportError as error:
    raise ImproperlyConfigured(
        "PREFERABLY_SENTRY_DSN is set, but sentry-sdk is not installed: pip install"
        " 'preferably[sentry]'."
    ) from error

CONTEXTS = ("os", "runtime", "trace")
"""What is kept of an event's contexts."""
DROPPED = ("breadcrumbs", "extra", "request", "user")


def start(*, dsn: str, release: str, environment: str) -> None:
    sentry_sdk.init(
        dsn=dsn,
        release=release,
        environment=environment,
        before_send=without_texts,
        # Local variables hold what raters write.
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        send_default_pii=False,
        auto_session_tracking=False,
        send_client_reports=False,
    )


def without_texts(event: Any, hint: Mapping[str, object]) -> Any:
    """Keeps types, stacks and the route. The message of an error may quote a row or an answer; the
    site's own log has it, under the same request id.
    """
    work = context.current()
    for part in DROPPED:
        event.pop(part, None)
    event["transaction"] = work.route or work.task
    event["tags"] = {name: value for name, value in vars(work).items() if value}
    event["contexts"] = {
        name: value for name, value in event.get("contexts", {}).items() if name in CONTEXTS
    }
    if work.person:
        event["user"] = {"id": work.person}
    for error in event.get("exception", {}).get("values", []):
        error["value"] = ""
        for frame in error.get("stacktrace", {}).get("frames", []):
            frame.pop("vars", None)
    if "logentry" in event:  # as it stands in the code, without what was put into it
        event["logentry"] = {"message": event["logentry"].get("message", "")}
    return event
