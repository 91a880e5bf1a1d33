"""Types for requests that have passed the middleware, and the site's own address."""

from django.conf import settings
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import User


def site_address(request: HttpRequest) -> str:
    """Without a slash at its end. PREFERABLY_URL, and not the name that the request was sent to: a
    link that sets a password must not lead to a host that somebody else has chosen.
    """
    return str(settings.SITE_URL) or request.build_absolute_uri("/").rstrip("/")


class MemberRequest(HttpRequest):
    """A request by a signed-in person; config.permissions closes these pages to everybody else."""

    user: User
    htmx: HtmxDetails
