"""The WSGI application that gunicorn serves."""

import gc
import os
import sys

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.template.loader import get_template
from django.urls import reverse
from django.utils import translation

from config.monitoring import logs, shared
from config.third_party import page_limits

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def load_everything() -> None:
    """Imports every view and compiles every template. Otherwise Django does it during the first
    requests of each process, and people wait seconds for it.
    """
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            reverse("home")
    folder = (settings.FILES_DIR / "templates").resolve()
    for path in sorted(folder.rglob("*.html")):
        get_template(path.relative_to(folder).as_posix())


if "gunicorn" in sys.modules:
    shared.share_request_metrics()
    page_limits.apply()
application = get_wsgi_application()
if "gunicorn" in sys.modules:
    logs.format_like_the_site("gunicorn.error")
load_everything()
# What is loaded by now stays. With --preload, workers share its memory, and no collection of
# theirs looks at it again: 3 % of a request.
gc.collect()
gc.freeze()
