"""Whether somebody needs two-factor authentication, and has it: a code of an app or a passkey, or a
provider that asks for a second factor itself.
"""

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from accounts.models import User
from config.third_party.single_sign_on import Provider

KINDS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def is_required(user: User | AnonymousUser) -> bool:
    """Superusers can do what admins can."""
    if not isinstance(user, User):
        return False
    roles = user.roles | ({"admin"} if user.is_superuser else set())
    return not settings.SECOND_FACTOR_ROLES.isdisjoint(roles)


def is_set_up(user: User | AnonymousUser) -> bool:
    is_found: bool = Authenticator.objects.filter(user_id=user.pk, type__in=KINDS).exists()
    return is_found


def is_missing(request: HttpRequest) -> bool:
    """Looked up at each request, so that a reset by an admin counts at once."""
    if not is_required(request.user):
        return False
    provider = provider_of(request)
    if provider is not None and provider.asks_second_factor:
        return False
    return not is_set_up(request.user)


def provider_needed(user: User) -> Provider | None:
    """The provider that this person has to log in with. Superusers are the way in if it is away."""
    if user.is_superuser:
        return None
    for name in SocialAccount.objects.filter(user=user).values_list("provider", flat=True):
        provider: Provider | None = settings.OIDC_PROVIDERS.get(name)
        if provider is not None and not provider.allows_passwords:
            return provider
    return None


def may_use_password(user: User) -> bool:
    return settings.PASSWORDS and provider_needed(user) is None


def provider_of(request: HttpRequest, user: User | None = None) -> Provider | None:
    """The provider that this session was begun with; of `user` while they log in."""
    for record in get_authentication_records(request, user or request.user):
        if record["method"] == "socialaccount":
            provider: Provider | None = settings.OIDC_PROVIDERS.get(record["provider"])
            return provider
    return None
