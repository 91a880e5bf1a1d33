"""The REST API, version 1: the endpoints of all apps, their schema, and a page to try them."""

from threading import Lock
from typing import ClassVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path, re_path
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET
from drf_spectacular.renderers import OpenApiJsonRenderer
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
    """Made once in each process and language, whatever the query: it takes seconds, and only a
    release changes it. Everybody may ask, so that asking again has to cost nothing.
    """

    made: ClassVar[dict[str | None, bytes]] = {}
    making: ClassVar[Lock] = Lock()

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: object, **kwargs: object) -> HttpResponse:
        language = get_language()
        with self.making:  # readers who come together wait for the first
            if language not in self.made:
                made: Response = self._get_schema_response(request)  # type: ignore[no-untyped-call]
                self.made[language] = OpenApiJsonRenderer().render(made.data)
        return HttpResponse(self.made[language], content_type=request.accepted_media_type)


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
