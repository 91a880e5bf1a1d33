"""Pages that are about the person in front of them: the way home, the profile, the language."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views import i18n
from django.views.decorators.http import require_http_methods, require_POST

from accounts import access, services
from accounts import styleguide as samples
from accounts.forms import ProfileForm
from accounts.models import User

# Somebody with several roles starts with the widest one.
_HOMES = ("campaigns", "runs", "desk", "admin:index")


def home(request: HttpRequest) -> HttpResponse:
    roles = access.roles_of(request.user)
    for url_name in _HOMES:
        if access.may_open(url_name, roles):
            return redirect(url_name)
    return render(request, "account/no_role.html")


@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        services.update_profile(user=request.user, **form.cleaned_data)
        with translation.override(form.cleaned_data["language"]):
            messages.success(request, _("Profile saved."))
        return redirect("profile")
    return render(request, "account/profile.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
def set_language(request: HttpRequest) -> HttpResponseBase:
    """Keeps the language with the person when somebody is signed in, and in a cookie for the login page."""
    language = request.POST.get("language", "")
    if isinstance(request.user, User) and translation.check_for_language(language):
        services.choose_language(user=request.user, language=language)
    return i18n.set_language(request)


def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component in both themes; there is no such page in production."""
    return render(request, "styleguide.html", {"themes": samples.samples(), **samples.shared()})
