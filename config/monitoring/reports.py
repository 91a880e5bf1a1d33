"""Starts what looks at tasks, and what reports errors to Sentry: an extra, which is imported and
sends anything with its setting only.
"""

from config.monitoring import knobs, workers


def start(*, environment: str) -> None:
    workers.connect(log_format=knobs.LOG_FORMAT)
    if knobs.SENTRY_DSN:
        from config.monitoring import sentry  # noqa: PLC0415  # an extra, not on every site

        sentry.start(dsn=knobs.SENTRY_DSN, release=knobs.RELEASE, environment=environment)
