"""Starts what looks at tasks and what reports to other services. The latter are extras: without its
setting, none is imported or sends anything.
"""

from importlib import import_module

from config.monitoring import knobs, workers


def start(*, environment: str) -> list[str]:
    """Returns the middleware that this needs."""
    workers.connect()  # first: a span names the work
    if knobs.SENTRY_DSN:
        import_module("config.monitoring.sentry").start(
            dsn=knobs.SENTRY_DSN, release=knobs.RELEASE, environment=environment
        )
    if not knobs.TRACES_URL:
        return []
    tracing = import_module("config.monitoring.tracing")
    tracing.start(service=knobs.TRACES_NAME, release=knobs.RELEASE)
    return [tracing.MIDDLEWARE]
