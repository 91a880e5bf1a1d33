"""Every URL of the site. config.permissions decides who may open which."""

from django.conf import settings
from django.urls import include, path

from accounts.people import views as people_views
from training.operations import metrics, probes

urlpatterns = [
    # ProbeMiddleware answers these four before any other middleware.
    path("healthz", probes.livez, name="healthz"),
    path("livez", probes.livez, name="livez"),
    path("readyz", probes.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("account/", include("allauth.account.urls")),
    path("account/two-factor/", include("allauth.mfa.urls")),
    path("api/v1/", include("config.api")),
    path("", include("accounts.urls")),
    path("", include("labeling.urls")),
    path("", include("training.urls")),
]
handler404 = "accounts.shell.failures.not_found"
handler500 = "accounts.shell.failures.server_error"
if settings.MODE != "production":
    urlpatterns.append(path("styleguide/", people_views.styleguide, name="styleguide"))
