"""The REST API, version 1: the endpoints of both halves, their schema, and a page to try them
on.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path, re_path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView


@require_GET
def docs(request: HttpRequest) -> HttpResponse:
    """Swagger UI from our own static files, with the session of whoever looks. It needs nothing
    that our policy refuses.
    """
    return render(request, "api/docs.html")


class Nothing(APIView):
    """Any other address: the API says in its own way that there is nothing."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound(_("There is no such address in the API."))


urlpatterns = [
    path("", include("labeling.api.urls")),
    path("", include("training.api.urls")),
    path("", include("accounts.api.webhooks")),
    path("schema", SpectacularJSONAPIView.as_view(), name="api_schema"),
    path("docs/", docs, name="api_docs"),
    re_path(r"", Nothing.as_view(), name="api_nothing"),
]
