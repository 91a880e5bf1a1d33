"""What a request carries once the middleware has let it through: for the types only."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import User


class MemberRequest(HttpRequest):
    """A request by somebody who is signed in; config.permissions closes the page to everybody
    else.
    """

    user: User
    htmx: HtmxDetails
