"""Types for requests that have passed the middleware."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import User


class MemberRequest(HttpRequest):
    """A request by a signed-in person; config.permissions closes these pages to everybody else."""

    user: User
    htmx: HtmxDetails
