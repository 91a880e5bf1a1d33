"""The WSGI application that gunicorn serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application

from config.monitoring import shared

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
shared.share_request_metrics()
application = get_wsgi_application()
# What is loaded by now stays. With --preload, workers share its memory, and no collection of
# theirs looks at it again: 3 % of a request.
gc.collect()
gc.freeze()
