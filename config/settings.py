"""One settings file for demo, test and production. What differs between sites comes from the
environment through config.env. The longer tables are in config.third_party and
config.permissions.
"""

import gc
import shlex
import socket
import ssl
import sys
from pathlib import Path

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from redis.backoff import NoBackoff
from redis.retry import Retry

from config import env, permissions
from config.monitoring import knobs, reports
from config.performance import upload_limits
from config.third_party import (
    celery_options,
    database,
    hub,
    periodic_tasks,
    prolific,
    rest_api,
    sign_in,
    upkeep,
)

# The folder with our packages: a checkout, or the site-packages of an installed wheel.
BASE_DIR = Path(__file__).resolve().parent.parent
# What else belongs to the site: templates, static files, translations, guides. In a checkout, its
# folders are links to those at the root.
FILES_DIR = BASE_DIR / "preferably"
# Where data goes unless the environment says otherwise.
_HERE = BASE_DIR if (BASE_DIR / "manage.py").exists() else Path.cwd()

# --- what this process is -------------------------------------------------------------------------
# Python looks for garbage each time 700 more objects exist. While a process imports the site, that
# is a tenth of its time, and a fifth of a first migration, and almost nothing is found. What works
# with rows makes garbage, so config/apps.py ends this.
GARBAGE_PACE = (50_000, 20, 100)
gc.set_threshold(*GARBAGE_PACE)
MODE = env.choice(
    "PREFERABLY_MODE",
    "How this process runs: production, demo or test.",
    ("production", "demo", "test"),
    default="production",
)
HOME = Path(
    env.text(
        "PREFERABLY_HOME",
        "Folder for all data: SQLite, uploads, snapshots, runs and models.",
        default=str(_HERE / "var"),
    )
).absolute()
DEBUG = env.flag(
    "PREFERABLY_DEBUG", "Show Django's debug pages. Never use it in production.", default="0"
)
SECRET_KEY = env.secret(
    "PREFERABLY_SECRET_KEY",
    "Fifty random characters that sign sessions and links, and encrypt two-factor secrets.",
    default=None if MODE == "production" else "not-secret-" + MODE * 10,
)
SECRET_KEY_FALLBACKS = env.words(
    "PREFERABLY_OLD_SECRET_KEYS",
    "Earlier secret keys: they still verify sessions and links, and decrypt two-factor secrets.",
    default="",
)
if DEBUG and MODE == "production":
    raise ImproperlyConfigured(
        "PREFERABLY_DEBUG=1 shows secrets to visitors. Set PREFERABLY_MODE=demo to debug."
    )
ALLOWED_HOSTS = env.words(
    "PREFERABLY_HOSTS",
    "Host names that this site serves.",
    default="localhost,127.0.0.1,[::1]" + (",testserver" if MODE == "test" else ""),
)
CSRF_TRUSTED_ORIGINS = env.words(
    "PREFERABLY_TRUSTED_ORIGINS",
    "Origins, such as https://host, that may submit forms when a proxy terminates TLS.",
    default="",
)

# --- applications ---------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "csp",
    "django_celery_beat",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pages",
    "accounts",
    "labeling",
    "training",
    "config",  # the last: see config/apps.py
]
MIDDLEWARE = [
    "training.operations.probes.ProbeMiddleware",
    "config.monitoring.requests.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "config.third_party.page_limits.SilentDatabaseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.shell.middleware.InputMiddleware",
    "accounts.api.bodies.BodyMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.shell.middleware.PrivacyMiddleware",
    "accounts.shell.middleware.ReaderMiddleware",
    "config.monitoring.requests.PersonMiddleware",
    "accounts.shell.middleware.PermissionMiddleware",
    "accounts.login.middleware.SecondFactorMiddleware",
    "accounts.login.middleware.SessionsMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
URL_PERMISSIONS = permissions.TABLE
# Finders used by the search in the top bar, in the order of its results.
FINDERS = (
    "labeling.campaigns.search.FINDERS",
    "labeling.people.search.FINDERS",
    "labeling.guidelines.search.FINDERS",
    "labeling.data.prompts.search.FINDERS",
    "training.registry.search.FINDERS",
)
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [(FILES_DIR / "templates").resolve()],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.shell.context_processors.shell",
                "csp.context_processors.nonce",
            ],
            "libraries": {
                "campaigns": "labeling.campaigns.pages.template_filters",
                "curation": "training.snapshots.curation.rule_words",
                "quality": "labeling.quality.template_filters",
            },
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "pages.templatetags.pages",
            ],
        },
    }
]

# --- data -----------------------------------------------------------------------------------------
DATABASES = {"default": database.connection(home=HOME)}
PAGE_LIMIT_S, HAS_POOLER = database.PAGE_LIMIT_S, database.HAS_POOLER
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.text(
    "REDIS_URL",
    "Redis or Valkey, used as Celery's broker and as the shared cache.",
    default="redis://127.0.0.1:6379/0",
)
CACHES = {
    "default": {
        "BACKEND": "config.performance.cache.Cache",
        "LOCATION": REDIS_URL,
        "VERSION": 2,  # values of version 1 are pickles
        # Pages wait no longer than this for the cache: its content can be recomputed.
        "OPTIONS": {
            "socket_connect_timeout": 1,
            "socket_timeout": 1,
            "retry": Retry(NoBackoff(), 0),
        },
    }
}
ARTIFACT_STORE = env.text(
    "PREFERABLY_ARTIFACTS",
    "Where finished runs and models are stored: a folder or an fsspec URL.",
    default=str(HOME / "artifacts"),
)
MODEL_ROOTS = env.words(
    "PREFERABLY_MODEL_ROOTS",
    "Folders with models that may be registered, besides PREFERABLY_HOME and PREFERABLY_ARTIFACTS."
    " Their model files can be downloaded and published.",
    default="/" if MODE == "test" else "",
)
RUNS_DIR = HOME / "runs"
SNAPSHOTS_DIR = HOME / "snapshots"
MODELS_DIR = HOME / "models"
UPLOADS_DIR = HOME / "uploads"
EXPORTS_DIR = HOME / "exports"

# --- people ---------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.login.sessions.Backend"]
vars().update(sign_in.SETTINGS)
PASSWORDS, SECOND_FACTOR_ROLES = sign_in.PASSWORDS, sign_in.SECOND_FACTOR_ROLES
OIDC_PROVIDERS = sign_in.providers(needs_https=MODE == "production")
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"

# --- language and time ----------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
FORMAT_MODULE_PATH = "config.formats"
LOCALE_PATHS = [(FILES_DIR / "locale").resolve()]
USE_TZ = True
TIME_ZONE = "UTC"
CURRENCY = env.currency(
    "PREFERABLY_CURRENCY",
    "Currency of amounts where no rate says another one, such as EUR or USD.",
    default="EUR",
)

# --- mail -----------------------------------------------------------------------------------------
vars().update(
    environ.Env.email_url_config(
        env.text(
            "EMAIL_URL",
            "Mail server: smtp+tls://user:password@host:587, or consolemail:// to print e-mails.",
            default="consolemail://",
        )
    )
)
EMAIL_TIMEOUT = 10  # seconds to wait for a mail server that does not answer
SITE_URL = env.text(
    "PREFERABLY_URL",
    "URL of this site for links in e-mails, such as https://label.example.org.",
    default="",
).rstrip("/")
DEFAULT_FROM_EMAIL = env.text(
    "PREFERABLY_MAIL_FROM",
    "Sender of the site's e-mails.",
    default="Preferably <preferably@localhost>",
)

# --- static files ---------------------------------------------------------------------------------
STATIC_URL = "static/"
_COLLECTED = env.text(
    "PREFERABLY_STATIC",
    "Folder where collectstatic puts static files, and from which production serves them.",
    default=str(_HERE / "staticfiles"),
)
# Demo and tests serve the files where they are.
STATIC_ROOT = _COLLECTED if MODE == "production" else None
STATICFILES_DIRS = [(FILES_DIR / "static").resolve()]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if MODE == "production"
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = MODE != "production"
DATA_UPLOAD_MAX_MEMORY_SIZE = upload_limits.FORM
ANONYMOUS_BODY_BYTES = upload_limits.ANONYMOUS
FILE_UPLOAD_TEMP_DIR = None

# --- security -------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
HTTPS = env.flag(
    "PREFERABLY_HTTPS",
    "The site is served over TLS. Turns on secure cookies and HSTS, and redirects HTTP to HTTPS:"
    " the proxy has to send X-Forwarded-Proto.",
    default="1" if MODE == "production" else "0",
)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
if HTTPS:
    SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
PROXIES = env.integer(
    "PREFERABLY_PROXIES",
    "Reverse proxies in front of this site, each of which adds the address of its client to"
    " X-Forwarded-For. Limits on log-ins are for each client. 0: clients connect directly.",
    default="1" if HTTPS else "0",
)
SESSION_ENGINE = "accounts.login.sessions"
# From the last use: accounts.login.browser_sessions moves the end.
SESSION_COOKIE_AGE = sign_in.IDLE_MINUTES * 60

# --- jobs -----------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_RESULT_BACKEND = None
if REDIS_URL.startswith("rediss:"):  # Celery checks no certificate by itself
    CELERY_BROKER_USE_SSL = {"ssl_cert_reqs": ssl.CERT_REQUIRED}
vars().update(celery_options.OPTIONS)
CELERY_TASK_DEFAULT_QUEUE = "short"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = periodic_tasks.SCHEDULE
BACKUP_URL, BACKUP_EVERY_HOURS = upkeep.BACKUP_URL, upkeep.BACKUP_EVERY_HOURS
BACKUP_KEEP, KEEP_DAYS = upkeep.BACKUP_KEEP, upkeep.KEEP_DAYS
KEEP_EXPORTS_DAYS, KEEP_UPLOADS_DAYS = upkeep.KEEP_EXPORTS_DAYS, upkeep.KEEP_UPLOADS_DAYS
KEEP_LOGS_DAYS, KEEP_AUDIT_DAYS = upkeep.KEEP_LOGS_DAYS, upkeep.KEEP_AUDIT_DAYS
KEEP_ADDRESSES_DAYS = upkeep.KEEP_ADDRESSES_DAYS
RUN_HEARTBEAT_S = env.integer(
    "PREFERABLY_RUN_HEARTBEAT_S", "Seconds between heartbeats of a run's supervisor.", default="5"
)
RUN_REAP_AFTER_S = env.integer(
    "PREFERABLY_RUN_REAP_AFTER_S",
    "Seconds without a heartbeat before a run is queued again.",
    default="60",
)
RUN_STALL_AFTER_S = env.integer(
    "PREFERABLY_RUN_STALL_AFTER_S",
    "Seconds without progress before a run's process is stopped.",
    default="3600",
)
RUN_MAX_ATTEMPTS = 3
RUN_GATHER_S = env.integer(
    "PREFERABLY_RUN_GATHER_S",
    "Seconds that the machines of a run wait for each other, model downloads included.",
    default="900",
)
NODE_ADDRESS = (
    env.text(
        "PREFERABLY_NODE_ADDRESS",
        "Address at which other nodes of a run reach this one. Empty: its host name.",
        default="",
    )
    or socket.gethostname()
)
NODE_NAME = (
    env.text(
        "PREFERABLY_NODE",
        "Name of this machine on the pages of runs. Empty: its host name.",
        default="",
    )
    or socket.gethostname()
)
VISIBLE_GPUS = env.text(
    "CUDA_VISIBLE_DEVICES",
    "GPUs that this node may use and report: numbers or UUIDs, separated by commas.",
    default="all",
)
TRAINER_COMMAND = shlex.split(
    env.text(
        "PREFERABLY_TRAINER",
        "Command that trains; gets the run's folder. Empty: python -m training.trainer.",
        default="",
    )
) or [sys.executable, "-m", "training.trainer"]
TRAINER_THREADS = env.integer(
    "PREFERABLY_TRAINER_THREADS",
    "CPU threads of a training process. 0: all free cores.",
    default="0",
)
ROLLOUT_URL = env.text(  # read by the training process itself
    "PREFERABLY_ROLLOUT_URL",
    "A running vLLM server that writes the responses of one PPO, RLOO, GRPO or sample run at a"
    " time; see docs/operators.md. Empty: a run starts its own on GPUs beyond its processes.",
    default="",
)
TRACKERS = env.words(  # read by the training process itself
    "PREFERABLY_TRACKERS",
    "Trackers that runs send their curves to, separated by commas: wandb, mlflow, trackio.",
    default="",
)
FILE_MEMORY_MB = env.integer(
    "PREFERABLY_FILE_MEMORY_MB",
    "How much memory, in MB, the process that reads an uploaded or downloaded file may use. Pages"
    " that show a file's first rows give it at most 512.",
    default="1024",
)
CHILD_VARIABLES = env.words(
    "PREFERABLY_CHILD_VARIABLES",
    "Further environment variables that training processes inherit, separated by commas. Without"
    " it, they get PATH, proxies, and those of CUDA, PyTorch, NCCL, Hugging Face and vLLM, and no"
    " secret.",
    default="",
)
ENDPOINT_HOSTS = env.words(
    "PREFERABLY_ENDPOINT_HOSTS",
    "Hosts of OpenAI-compatible servers, as host or host:port, that may be connected as"
    " models. They receive prompts. host=PREFERABLY_KEY_…: this key is sent to no other host.",
    default="localhost,127.0.0.1" if MODE == "demo" else "",
)
ENDPOINT_KEYS = env.all_named(
    "PREFERABLY_KEY_",
    "API keys of OpenAI-compatible servers, one variable each. A model stores the"
    " variable's name, never the key.",
)
PROLIFIC_TOKEN, PROLIFIC_URL = prolific.TOKEN, prolific.URL
HUB_TOKEN, HUB_URL, HUB_IS_OFFLINE = hub.TOKEN, hub.URL, hub.IS_OFFLINE
HUB_CACHE, DATASETS_CACHE = hub.CACHE, hub.DATASETS_CACHE
DATA_CONTACT = hub.DATA_CONTACT
TRY_MODELS_WARM = env.integer(
    "PREFERABLY_TRY_MODELS",
    "Maximum number of playground models in memory per worker on the queue `models`.",
    default="2",
)
TRY_KEEPS_WARM_S = env.integer(
    "PREFERABLY_TRY_KEEPS_S",
    "Seconds that a model in the playground stays in memory after its last answer.",
    default="300",
)
TRY_LIMIT_S = env.integer(
    "PREFERABLY_TRY_LIMIT_S",
    "Seconds before an answer in the playground is stopped.",
    default="300",
)

# --- care for raters ------------------------------------------------------------------------------
UPSETTING_BEFORE_PAUSE = env.integer(
    "PREFERABLY_UPSETTING_BEFORE_PAUSE",
    "The desk suggests a break each time a rater reaches this number of upsetting items"
    " in a day. 0: never.",
    default="15",
)

# --- monitoring -----------------------------------------------------------------------------------
LOGGING = knobs.LOGGING
METRICS_TOKEN, METRICS_NETWORKS = knobs.METRICS_TOKEN, knobs.METRICS_NETWORKS
SERVES_NEWER_SCHEMA = knobs.SERVES_NEWER_SCHEMA
RELEASE, BUILD = knobs.RELEASE, knobs.BUILD
reports.start(environment=MODE)

# --- the REST API ---------------------------------------------------------------------------------
API_READS_PER_MINUTE = env.integer(
    "PREFERABLY_API_READS_PER_MINUTE",
    "Maximum REST API reads per token and minute. 0: no limit.",
    default="600",
)
API_WRITES_PER_MINUTE = env.integer(
    "PREFERABLY_API_WRITES_PER_MINUTE",
    "Maximum REST API writes per token and minute. 0: no limit.",
    default="120",
)
REST_FRAMEWORK = rest_api.REST_FRAMEWORK
SPECTACULAR_SETTINGS = rest_api.SPECTACULAR
WEBHOOKS_MAY_STAY_INSIDE = env.flag(
    "PREFERABLY_WEBHOOKS_INSIDE",
    "Allow webhooks to private addresses and over HTTP. Otherwise only HTTPS to public addresses.",
    default="0",
)
FORM_RENDERER = "pages.form_parts.FormRenderer"
if MODE == "test":
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
