"""The way to a provider of OpenID Connect and back, and an admin's act on a person's link to it."""

import logging

from allauth.socialaccount.providers.openid_connect import views as allauth_views
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from requests import RequestException

from accounts.models import User
from accounts.shell.requests import MemberRequest
from labeling.people.single_sign_on import adapter, services

logger = logging.getLogger(__name__)


@never_cache
@require_GET
def begin(request: HttpRequest, provider_id: str) -> HttpResponse:
    """To the provider, which first tells where its page is."""
    provider = settings.OIDC_PROVIDERS.get(provider_id)
    if provider is None:
        raise Http404
    try:
        response: HttpResponse = allauth_views.login(request, provider_id)
    except RequestException as error:
        logger.error("The provider %s can't be reached: %r", provider_id, error)
        return adapter.unreachable(request, provider)
    return response


@never_cache
@require_GET
def come_back(request: HttpRequest, provider_id: str) -> HttpResponse:
    if provider_id not in settings.OIDC_PROVIDERS:
        raise Http404
    response: HttpResponse = allauth_views.callback(request, provider_id)
    return response


@require_POST
def unlink(request: MemberRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    if services.unlink(person=person, by=request.user, now=timezone.now()):
        messages.success(
            request, _("Unlinked. The next log-in links the account by its e-mail address again.")
        )
    return redirect("person", pk)
