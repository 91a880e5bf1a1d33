"""The page behind an invitation's link: create a login, or join another pool with an existing
one.
"""

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.people import services as people_services
from labeling.people.invitations import selectors, services
from labeling.people.invitations.forms import JoinForm


@never_cache
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, secret: str) -> HttpResponse:
    """GET uses nothing up, so that a mail scanner that follows links does no harm. POST accepts."""
    invitation = selectors.find_invitation(
        secret_sha256=services.hash_of(secret=secret), now=timezone.now()
    )
    user = request.user if isinstance(request.user, User) else None
    if user is not None and invitation.is_joined_by(user):
        return redirect("desk")
    if invitation.invitation is None or invitation.problem:
        return _closed(request, invitation.problem)
    if user is not None:
        if user.email != invitation.invitation.email:
            return _closed(
                request,
                _(
                    "This invitation is for a different address than yours. Log out, then open it"
                    " again."
                ),
            )
        return (
            _accept(request, secret, user)
            if request.method == "POST"
            else _page(request, invitation, None)
        )
    if invitation.has_login:
        return redirect_to_login(request.path)
    form = JoinForm(request.POST or None, initial={"name": invitation.invitation.name})
    if request.method == "POST" and settings.PASSWORDS and form.is_valid():
        values = {name: form.cleaned_data[name] for name in ("name", "password", "time_zone")}
        return _accept(request, secret, None, **values)
    return _page(request, invitation, form)


def _accept(request: HttpRequest, secret: str, user: User | None, **values: str) -> HttpResponse:
    try:
        accepted = services.accept_invitation(
            secret=secret, user=user, **values, now=timezone.now()
        )
    except services.UnableToAccept as problem:
        return _closed(request, problem.sentence)
    except people_services.UnableToCreatePerson as problem:
        return _closed(request, problem.sentence)
    if user is None:
        get_adapter().login(request, accepted)
    return redirect("desk")


def _page(
    request: HttpRequest, invitation: selectors.InvitationLink, form: JoinForm | None
) -> HttpResponse:
    context = {
        "invitation": invitation.invitation,
        "form": form,
        "providers": list(settings.OIDC_PROVIDERS.values()),
        "takes_passwords": settings.PASSWORDS,
    }
    return render(
        request,
        "labeling/people/invitations/join.html",
        context,
        status=422 if form is not None and form.errors else 200,
    )


def _closed(request: HttpRequest, sentence: str) -> HttpResponse:
    return render(
        request, "labeling/people/invitations/join_closed.html", {"sentence": sentence}, status=410
    )
