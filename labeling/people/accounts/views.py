"""Pages of people: the list, a new person, one person's login, and the link to set a password.

They are here and not in accounts because a person who rates gets a Rater with the login.
"""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import access as accounts_access
from accounts.audit import words as audit_words
from accounts.login import browser_sessions, password_links, tokens
from accounts.models import User
from accounts.people import selectors as people_selectors
from accounts.people import services as people_services
from accounts.people.forms import PeopleFilter, PersonForm
from accounts.shell import requests
from accounts.shell.requests import MemberRequest
from labeling.people.accounts import services
from pages import list_pages

PEOPLE_PER_PAGE = 50


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    form = PeopleFilter(request.GET)
    filters = form.cleaned_data if form.is_valid() else {}
    state = filters.get("state")
    people = people_selectors.people(
        words=filters.get("q", ""),
        role=filters.get("role", ""),
        is_active={"open": True, "closed": False}.get(str(state)),
    )
    page = list_pages.shown(request, people, size=PEOPLE_PER_PAGE)
    return render(
        request,
        "accounts/people/people.html",
        {"page": page, "form": form, "is_filtered": any(filters.values())},
    )


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    form = PersonForm(request.POST or None, by=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            person = services.create_person(
                **form.cleaned_data, by=request.user, now=timezone.now()
            )
        except people_services.UnableToCreatePerson as problem:
            form.add_error("email", problem.sentence)
        else:
            messages.success(request, _welcome(request, person) % {"name": person.name})
            return redirect("person", person.pk)
    return render(
        request,
        "accounts/people/person_new.html",
        {"form": form, "takes_passwords": settings.PASSWORDS},
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    assert isinstance(request.user, User)
    person = get_object_or_404(User, pk=pk)
    form = PersonForm(request.POST or None, person=person, by=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_person(
                user=person, **form.cleaned_data, by=request.user, now=timezone.now()
            )
        except people_services.UnableToChangePerson as problem:
            form.add_error(None, problem.sentence)
        else:
            messages.success(request, _("Saved."))
            return redirect("person", pk)
    context: dict[str, object] = {
        "person": person,
        "form": form,
        "link": request.session.pop(_link_key(person), None),
        "takes_passwords": settings.PASSWORDS,
        "n_sessions": len(browser_sessions.sessions_of(user=person, now=timezone.now())),
        "providers": people_selectors.providers_of(user=person),
        "has_two_factor": people_selectors.has_two_factor(user=person),
        "events": [
            (event, audit_words.of_action(event.action))
            for event in people_selectors.events_about(user=person)
        ],
    }
    return render(
        request, "accounts/people/person.html", context, status=422 if form.errors else 200
    )


@require_POST
def invite(request: HttpRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(User, pk=pk, is_active=True)
    _send_link(request, person)
    messages.success(request, _("A new link was sent to %(email)s.") % {"email": person.email})
    return redirect("person", pk)


@require_POST
def turn_off_two_factor(request: MemberRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    try:
        people_services.turn_off_two_factor(user=person, by=request.user, now=timezone.now())
    except people_services.UnableToChangePerson as problem:
        messages.warning(request, problem.sentence)
    else:
        messages.success(request, _("Two-factor authentication is off for this person."))
    return redirect("person", pk)


@require_POST
def log_out(request: MemberRequest, pk: int) -> HttpResponse:
    """In every browser."""
    person = get_object_or_404(User, pk=pk)
    n_ended = browser_sessions.end_all(user=person, by=request.user, now=timezone.now())
    if request.POST.get("tokens"):
        tokens.revoke_all(user=person, by=request.user, now=timezone.now())
    messages.success(
        request,
        ngettext("Logged out in %(n)d browser.", "Logged out in %(n)d browsers.", n_ended)
        % {"n": n_ended},
    )
    return redirect("person", pk)


def _welcome(request: HttpRequest, person: User) -> str:
    if not settings.PASSWORDS:
        return _("%(name)s now has an account, and can log in with this e-mail address.")
    _send_link(request, person)
    return _("%(name)s now has a login. A link to set a password was sent by e-mail.")


def _send_link(request: HttpRequest, person: User) -> None:
    """Mails the link, and shows it once on the next page, for admins who pass it on in person: not
    the link of another admin.
    """
    assert isinstance(request.user, User)
    link = requests.site_address(request) + password_links.password_link(person)
    people_services.invite(user=person, link=link, by=request.user, now=timezone.now())
    if accounts_access.may_manage_login(by=request.user, person=person):
        request.session[_link_key(person)] = link


def _link_key(person: User) -> str:
    return f"password-link-{person.pk}"
