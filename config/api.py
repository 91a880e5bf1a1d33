"""The REST API, version 1: the endpoints of both halves, their schema, and a page to try them on."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path
from django.views.decorators.http import require_GET
from drf_spectacular.views import SpectacularJSONAPIView


@require_GET
def docs(request: HttpRequest) -> HttpResponse:
    """Swagger UI from our own static files, with the session of whoever looks. It needs nothing that our policy refuses."""
    return render(request, "api/docs.html")


urlpatterns = [
    path("", include("labeling.api.urls")),
    path("", include("training.api.urls")),
    path("schema", SpectacularJSONAPIView.as_view(), name="api_schema"),
    path("docs/", docs, name="api_docs"),
]
