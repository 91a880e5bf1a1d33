"""Starts what looks at tasks, and what reports errors to Sentry: an extra, which is imported and
sends anything with its setting only.
"""

from importlib import import_module

from config.monitoring import knobs, workers


def start(*, environment: str) -> None:
    workers.connect()
    if knobs.SENTRY_DSN:
        import_module("config.monitoring.sentry").start(
            dsn=knobs.SENTRY_DSN, release=knobs.RELEASE, environment=environment
        )
