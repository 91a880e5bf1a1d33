"""The API's only permission: checks the token's scope and its person's role against
config.api_permissions.API_TABLE.
"""

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts import access as accounts_access
from accounts.models import ApiToken
from config.api_permissions import Scope

# REST framework imports its default classes while it loads its views.
if TYPE_CHECKING:
    from rest_framework.views import APIView


class ByTable(BasePermission):
    def has_permission(self, request: Request, view: "APIView") -> bool:
        method = request.method or ""
        if method not in view.allowed_methods:
            return True  # the view answers 405
        match = request.resolver_match
        grant = accounts_access.grant_for(method=method, url_name=match.view_name if match else "")
        scopes = request.auth.scopes if isinstance(request.auth, ApiToken) else list(Scope)
        if accounts_access.may_call(
            grant, scopes=scopes, roles=accounts_access.roles_of(request.user)
        ):
            return True
        if grant is not None and grant.scope not in scopes:
            self.message = _("This token lacks the scope %(scope)s.") % {"scope": grant.scope}
        else:
            self.message = _("Your roles don't allow this.")
        return False
