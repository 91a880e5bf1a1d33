"""Authentication by `Authorization: Bearer pfb_…`. request.user is the token's person, request.auth
the token.
"""

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.login import tokens
from accounts.models import ApiToken, User


class BearerAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        if scheme.lower() != "bearer":
            raise AuthenticationFailed(_("The API requires a token: Authorization: Bearer pfb_…"))
        try:
            token = tokens.check(secret=secret.strip(), now=timezone.now())
        except tokens.TokenRefused as problem:
            raise AuthenticationFailed(str(problem)) from problem
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class BearerInSchema(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # untyped; subclassing registers it
    target_class = "accounts.api.authentication.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token from your profile page.",
        }
