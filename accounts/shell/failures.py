"""The page that people see when the site fails."""

from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.template.loader import render_to_string

from config.monitoring import context


def server_error(request: HttpRequest) -> HttpResponse:
    """Names the request, whose id is in each line of the log that it caused. Reads nothing else,
    because anything may have failed.
    """
    page = render_to_string("500.html", {"request_id": context.current().request_id})
    return HttpResponseServerError(page)
