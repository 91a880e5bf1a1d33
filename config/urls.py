"""Every URL of the site. config.permissions decides who may open which."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from accounts.people import views as people_views


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("account/", include("allauth.account.urls")),
    path("account/two-factor/", include("allauth.mfa.urls")),
    path("api/v1/", include("config.api")),
    path("", include("accounts.urls")),
    path("", include("labeling.urls")),
    path("", include("training.urls")),
]
if settings.MODE != "production":
    urlpatterns.append(path("styleguide/", people_views.styleguide, name="styleguide"))
