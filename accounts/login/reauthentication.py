"""Whether people have just confirmed who they are, which some acts need: allauth asks for the
password, a code or a passkey. Who has none of them logs in at their provider again.
"""

from datetime import datetime
from urllib.parse import urlencode

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows import login, reauthentication
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.login import second_factor
from accounts.refusals import Refusal
from accounts.shell.requests import MemberRequest
from config.third_party.single_sign_on import Provider

# OpenID Connect Core, section 3.1.2.1: the provider asks again, even if it has a session.
_ASKS_AGAIN = {"auth_params": "prompt=login"}


class UnableToConfirm(Refusal):
    """The person has to log in at their provider first; the text says so."""


def require(request: MemberRequest, *, now: datetime) -> None:
    """Raises UnableToConfirm, or ReauthenticationRequired, for which allauth shows its page; then
    it sends the request again, with all that was typed.
    """
    if provider := provider_to_ask(request, now=now):
        sentence = _("Log in with %(provider)s again first: the last time is too long ago.")
        raise UnableToConfirm(sentence % {"provider": provider.label})
    can_ask = bool(get_adapter().get_reauthentication_methods(request.user))
    if can_ask and reauthentication.is_reauthentication_required(request, app=""):
        raise ReauthenticationRequired


def provider_to_ask(request: MemberRequest, *, now: datetime) -> Provider | None:
    """Where this person has to log in again, because this site can ask for nothing. None: it can,
    or they logged in there minutes ago.
    """
    if not settings.OIDC_PROVIDERS or get_adapter().get_reauthentication_methods(request.user):
        return None
    if now.timestamp() - _logged_in_at(request) < app_settings.REAUTHENTICATION_TIMEOUT:
        return None
    return second_factor.provider_of(request) or second_factor.provider_needed(request.user)


def again_url(provider: Provider, *, next_url: str) -> str:
    address = reverse("openid_connect_login", args=[provider.name])
    return f"{address}?{urlencode(_ASKS_AGAIN | {'next': next_url})}"


def _logged_in_at(request: MemberRequest) -> float:
    records = login.get_authentication_records(request, request.user)
    return max((record["at"] for record in records), default=0.0)
