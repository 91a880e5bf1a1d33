"""Pages about the signed-in person: the home redirect, the profile and the language."""

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views import i18n
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import access as accounts_access
from accounts.login import browser_sessions, reauthentication, tokens
from accounts.models import User
from accounts.people import services
from accounts.people.forms import ProfileForm, TokenForm
from accounts.shell import styleguide as shell_styleguide
from accounts.shell import tours
from accounts.shell.requests import MemberRequest

# Somebody with several roles starts with the widest one.
_HOMES = ("campaigns", "lines", "desk")


def home(request: HttpRequest) -> HttpResponse:
    roles = accounts_access.roles_of(request.user)
    for url_name in _HOMES:
        if accounts_access.may_open(url_name, roles):
            return redirect(url_name)
    return render(request, "accounts/people/no_role.html")


@require_http_methods(["GET", "POST"])
def profile(request: MemberRequest) -> HttpResponse:
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        services.update_profile(user=request.user, **form.cleaned_data)
        with translation.override(form.cleaned_data["language"]):
            messages.success(request, _("Profile saved."))
        return redirect("profile")
    return _profile(request, form, TokenForm(user=request.user, prefix="token"))


@never_cache
@require_POST
def token_new(request: MemberRequest) -> HttpResponse:
    """Creates an API token and shows its secret once, to somebody who has just confirmed who they
    are: a token outlives the session of a browser that was left open.
    """
    form = TokenForm(request.POST, user=request.user, prefix="token")
    if form.is_valid():
        try:
            reauthentication.require(request, now=timezone.now())
            token, secret = tokens.create_token(
                user=request.user, **form.cleaned_data, now=timezone.now()
            )
        except (reauthentication.UnableToConfirm, tokens.UnableToCreateToken) as problem:
            form.add_error(None, problem.sentence)
        else:
            return render(
                request, "accounts/people/token_made.html", {"token": token, "secret": secret}
            )
    return _profile(request, ProfileForm(instance=request.user), form)


@require_POST
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    assert isinstance(request.user, User)
    if tokens.revoke_token(user=request.user, pk=pk, now=timezone.now()):
        messages.success(request, _("Token revoked. It no longer works."))
    return redirect("profile")


@require_GET
def sessions(request: MemberRequest) -> HttpResponse:
    """Where the person is logged in."""
    current = browser_sessions.sessions_of(
        user=request.user, this=request.session.session_key, now=timezone.now()
    )
    return render(request, "accounts/people/sessions.html", {"sessions": current})


@require_POST
def session_end(request: MemberRequest, pk: int) -> HttpResponse:
    if browser_sessions.end(user=request.user, pk=pk, now=timezone.now()):
        messages.success(request, _("Logged out there."))
    return redirect("sessions")


@require_POST
def sessions_end_others(request: MemberRequest) -> HttpResponse:
    n_ended = browser_sessions.end_all(
        user=request.user,
        but=request.session.session_key,
        by=request.user,
        now=timezone.now(),
    )
    if request.POST.get("tokens"):
        tokens.revoke_all(user=request.user, by=request.user, now=timezone.now())
    sentence = ngettext(
        "Logged out in %(n)d other browser.", "Logged out in %(n)d other browsers.", n_ended
    )
    messages.success(request, sentence % {"n": n_ended})
    return redirect("sessions")


@require_POST
def set_language(request: HttpRequest) -> HttpResponseBase:
    """Stores the language with a signed-in person, and in a cookie for the login page."""
    language = request.POST.get("language", "")
    if isinstance(request.user, User) and translation.check_for_language(language):
        services.choose_language(user=request.user, language=language)
    return i18n.set_language(request)


@require_POST
def tour_end(request: MemberRequest, role: str) -> HttpResponse:
    """Also refuses a tour that was only offered. Stays on the page of its stop."""
    tour = next((one for one in tours.of(request.user) if one.role == role), None)
    if tour is None:
        raise Http404
    services.end_tour(user=request.user, role=role)
    messages.success(request, _("The menu under your initials opens the tour again."))
    return redirect(tour.stop(request.POST.get("stop", "")).url_name)


def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component in both themes. Not available in production."""
    return render(
        request,
        "accounts/shell/styleguide.html",
        {"themes": shell_styleguide.samples(), **shell_styleguide.shared()},
    )


def _profile(request: MemberRequest, form: ProfileForm, token_form: TokenForm) -> HttpResponse:
    provider = reauthentication.provider_to_ask(request, now=timezone.now())
    url = provider and reauthentication.again_url(provider, next_url=reverse("profile"))
    context = {
        "form": form,
        "token_form": token_form,
        "has_scopes": bool(accounts_access.scopes_of(request.user.roles)),
        "again": provider and {"provider": provider.label, "url": url},
        "tokens": tokens.tokens_of(user=request.user),
        "now": timezone.now(),
        "takes_passwords": settings.PASSWORDS,
    }
    return render(
        request,
        "accounts/people/profile.html",
        context,
        status=422 if form.errors or token_form.errors else 200,
    )
