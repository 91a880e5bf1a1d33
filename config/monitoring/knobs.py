"""Settings of logs, probes, metrics and reports. config/settings.py includes them."""

from importlib import metadata
from pathlib import Path

from config import env
from config.monitoring import checkout, logs

try:
    RELEASE = metadata.version("preferably")
except metadata.PackageNotFoundError:  # run from a folder, without being installed
    RELEASE = "unknown"
BUILD = env.text(
    "PREFERABLY_BUILD",
    "Commit or number of this build, shown beside the version. Images have it set. In a checkout,"
    " the default is its commit.",
    default="",
) or checkout.commit(Path(__file__).resolve().parents[2])
LOG_FORMAT = env.choice(
    "PREFERABLY_LOG_FORMAT",
    "Log lines as text, or each as a JSON object.",
    logs.FORMATS,
    default="text",
)
LOGGING = logs.config(
    log_format=LOG_FORMAT,
    level=env.text("PREFERABLY_LOG_LEVEL", "Log level, such as INFO or WARNING.", default="INFO"),
)
METRICS_TOKEN = env.text(
    "PREFERABLY_METRICS_TOKEN",
    "Token with which Prometheus reads /metrics. Empty: only PREFERABLY_METRICS_NETWORKS may.",
    default="",
)
METRICS_NETWORKS = env.networks(
    "PREFERABLY_METRICS_NETWORKS",
    "Networks from which /metrics can be read without a token, such as 10.0.0.0/8. Only for"
    " requests that do not come through the proxy.",
    default="",
)
SERVES_NEWER_SCHEMA = env.flag(
    "PREFERABLY_NEWER_SCHEMA",
    "Serve pages although the database has migrations of a newer release, to go back by one"
    " release after an upgrade.",
    default="0",
)
SENTRY_DSN = env.text(
    "PREFERABLY_SENTRY_DSN",
    "Sentry project that gets errors, without texts and names. Empty: nothing is sent.",
    default="",
)
