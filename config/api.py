"""The REST API, version 1: the endpoints of all apps, their schema, and a page to try them."""

from typing import ClassVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path, re_path
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.views import Router
from accounts.audit import api as audit
from accounts.webhooks import api as webhooks
from labeling.urls import api_urlpatterns


@require_GET
def docs(request: HttpRequest) -> HttpResponse:
    """Swagger UI from our own static files, using the reader's session. It works under our content
    security policy.
    """
    return render(request, "api/docs.html")


class Schema(SpectacularJSONAPIView):
    """Made once in each process and language: it takes seconds, and only a release changes it."""

    made: ClassVar[dict[str | None, object]] = {}

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: object, **kwargs: object) -> Response:
        language = get_language()
        if request.GET or language not in self.made:
            made: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
            if request.GET:
                return made
            self.made[language] = made.data
        return Response(self.made[language])


class Nothing(APIView):
    """Answers any other URL below the API with a JSON 404."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    schema = None

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        raise NotFound(_("No such API endpoint."))


accounts = Router()
accounts.register("webhooks", webhooks.Webhooks, "api_webhook")
accounts.register("deliveries", webhooks.Deliveries, "api_delivery")
accounts.register("audit-events", audit.AuditEvents, "api_audit_event")
urlpatterns = [
    path("", include(api_urlpatterns)),
    path("", include("training.api.urls")),
    path("", include(accounts.urls)),
    path("schema", Schema.as_view(), name="api_schema"),
    path("docs/", docs, name="api_docs"),
    re_path(r"", Nothing.as_view(), name="api_nothing"),
]
