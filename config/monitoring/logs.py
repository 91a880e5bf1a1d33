"""Log lines, as text or as one JSON object each.

django-structlog would log paths, which contain secrets of invitations and password links, and the
ids and IP addresses of people. What is left of it is this formatter.
"""

import json
import logging
import re
from datetime import UTC, datetime

from config.monitoring import context

FORMATS = ("text", "json")
FIELDS = ("route", "method", "status", "duration_ms", "ids")
"""What a line of the access log has beside its message."""
_SECRET_PATH = re.compile(
    r"((?:(?<![\w./-])|://[^\s/]+)/(?:join|crowd|account/password/reset/key|account/confirm-email|account/oidc"
    r"|desk/item|desk/conversations|desk/turns|models/try/answers)/)[^\s\"'\\<>()]+"
)
"""Secret links, and IDs of items on the desk. Django and the web server write the path of a request
that failed.
"""


class TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line, newline, rest = super().format(record).partition("\n")
        named = " ".join(f"{name}={value}" for name, value in _work().items())
        whole = f"{line} [{named}]{newline}{rest}" if named else line + newline + rest
        return without_secret_paths(whole)


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_work(),
        }
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return without_secret_paths(json.dumps(line, ensure_ascii=False, default=str))


def without_secret_paths(text: str) -> str:
    return _SECRET_PATH.sub(r"\1…", text)


def format_like_the_site(name: str) -> None:
    """Gives the handlers of another program's logger the site's own format. The logging of the site
    is set up before.
    """
    (site,) = [handler.formatter for handler in logging.getLogger().handlers[:1]]
    for handler in logging.getLogger(name).handlers:
        handler.setFormatter(site)


def _work() -> dict[str, str]:
    return {name: value for name, value in vars(context.current()).items() if value}


def config(*, log_format: str, level: str) -> dict[str, object]:
    """The setting LOGGING."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {
                "()": "config.monitoring.logs.TextFormatter",
                "format": "{asctime} {levelname} {name} {message}",
                "style": "{",
            },
            "json": {"()": "config.monitoring.logs.JsonFormatter"},
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": log_format}},
        "loggers": {
            # At INFO it logs the URLs of webhooks, which may contain a secret.
            "httpx2": {"level": "WARNING"},
            # Beat and the workers would log each task three times, twice a second.
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            # A refused request is a line of the access log.
            "django.request": {"level": "ERROR"},
        },
        "root": {"handlers": ["console"], "level": level},
    }
