"""Hooks for django-allauth's logins through other sites: who comes in is for our services to
decide, and every failure is a page with a sentence.
"""

import logging
from typing import Any, NoReturn

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from requests import RequestException

from accounts.login.adapter import address_of, record_failure_of_nobody
from config.third_party.single_sign_on import Provider
from labeling.people.single_sign_on import identity as identities
from labeling.people.single_sign_on import services

logger = logging.getLogger(__name__)

_DISCOVERY_S = 600
_UNREACHABLE_S = 10


class CachedDiscovery(OpenIDConnectOAuth2Adapter):
    """A provider is asked where its pages are every ten minutes, and one that can't be reached
    every ten seconds: clicks of strangers neither burden it nor wait for it.
    """

    @property
    def openid_config(self) -> dict[str, object]:
        name = f"oidc:{settings.OIDC_PROVIDERS[self.provider_id].url}"
        known: dict[str, object] | None = cache.get(name)
        if known is None:
            try:
                known = dict(super().openid_config)
            except RequestException as error:
                cache.set(name, {"unreachable": repr(error)}, _UNREACHABLE_S)
                raise
            cache.set(name, known, _DISCOVERY_S)
        if "unreachable" in known:
            raise RequestException(known["unreachable"])
        return known


class Adapter(DefaultSocialAccountAdapter):
    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """From the settings; allauth's table for them stays empty."""
        return [
            _app(app)
            for app in settings.OIDC_PROVIDERS.values()
            if provider in (None, "openid_connect", app.name)
        ]

    def get_provider(
        self, request: HttpRequest, provider: str, client_id: str | None = None
    ) -> OpenIDConnectProvider:
        known: OpenIDConnectProvider = super().get_provider(request, provider, client_id)
        known.oauth2_adapter_class = CachedDiscovery
        return known

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def authenticate_by_email(self, sociallogin: SocialLogin) -> None:
        return None

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        provider = settings.OIDC_PROVIDERS[sociallogin.account.provider]
        if sociallogin.state.get("process") != AuthProcess.LOGIN:
            # Nobody connects a login to an account by a link, which somebody else may have sent.
            record_failure_of_nobody(request, provider=provider.name, reason="connect")
            _refuse(request, _failed(provider))
        extra_data = sociallogin.account.extra_data
        try:
            identity = identities.from_claims(
                provider=provider,
                subject=sociallogin.account.uid,
                claims=identities.merged(
                    id_token=extra_data.get("id_token"), userinfo=extra_data.get("userinfo")
                ),
            )
        except identities.UnusableClaims as problem:
            logger.warning("A log-in with %s failed: %s", provider.name, problem)
            record_failure_of_nobody(request, provider=provider.name, reason="claims")
            _refuse(request, _failed(provider))
        try:
            sociallogin.user = services.admit(
                identity=identity, address=address_of(request), now=timezone.now()
            )
        except services.UnableToLogIn as problem:
            _refuse(request, problem.sentence)

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: object = None,
        exception: Exception | None = None,
        extra_context: object = None,
    ) -> None:
        ours = settings.OIDC_PROVIDERS[provider.app.provider_id]
        is_cancelled = error == AuthError.CANCELLED
        reason = "cancelled" if is_cancelled else "provider"
        record_failure_of_nobody(request, provider=ours.name, reason=reason)
        if is_cancelled:
            sentence = _("You cancelled the log-in at %(provider)s.") % {"provider": ours.label}
        else:
            logger.warning("A log-in with %s failed: %r", ours.name, exception)
            sentence = _failed(ours)
        _refuse(request, sentence)


def unreachable(request: HttpRequest, provider: Provider) -> HttpResponse:
    sentence = _("%(provider)s can't be reached right now. Try again in a few minutes.")
    return _page(request, sentence % {"provider": provider.label}, status=503)


def _app(provider: Provider) -> SocialApp:
    return SocialApp(
        provider="openid_connect",
        provider_id=provider.name,
        name=provider.label,
        client_id=provider.client_id,
        secret=provider.client_secret,
        settings={"server_url": provider.url, "scope": list(provider.scopes)},
    )


def _failed(provider: Provider) -> str:
    return _(
        "The log-in with %(provider)s did not succeed. It may have taken too long. Try again."
    ) % {"provider": provider.label}


def _refuse(request: HttpRequest, sentence: str) -> NoReturn:
    raise ImmediateHttpResponse(_page(request, sentence, status=403))


def _page(request: HttpRequest, sentence: str, *, status: int) -> HttpResponse:
    return render(
        request,
        "labeling/people/single_sign_on/refused.html",
        {"sentence": sentence},
        status=status,
    )
