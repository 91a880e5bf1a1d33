"""Notices: the list, the redirect to what a notice is about, and the choice of which ones are
mailed.
"""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from accounts.notices import services
from arithmetic import plain_text
from pages import list_pages

NOTICES_PER_PAGE = 30


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    page = list_pages.shown(request, services.of(person=request.user), size=NOTICES_PER_PAGE)
    newest = services.of(person=request.user).order_by("-pk").values_list("pk", flat=True).first()
    return render(
        request,
        "accounts/notices/notices.html",
        {"page": page, "choices": User.MailedNotices.choices, "newest": newest},
    )


@require_POST
def open_notice(request: HttpRequest, pk: int) -> HttpResponse:
    """Marks the notice as read and redirects to what it is about."""
    assert isinstance(request.user, User)
    notice = services.mark_read(person=request.user, pk=pk, now=timezone.now())
    if notice is None:
        raise Http404
    return redirect(notice.path)


@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    until = plain_text.whole_number(request.POST.get("until", ""))
    services.mark_read(person=request.user, now=timezone.now(), until=until)
    return redirect("notices")


@require_POST
def choose_mail(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    mailed = request.POST.get("mailed", "")
    if mailed in User.MailedNotices.values:
        services.choose_mail(person=request.user, mailed=mailed)
        messages.success(request, _("Saved. Applies to new notifications."))
    return redirect("notices")
