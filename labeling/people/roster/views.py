"""Pages of the roster: all raters with search and filter, bulk actions, and one rater's skills."""

from collections.abc import Callable

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.people import services as people_services
from accounts.shell.requests import MemberRequest
from labeling import access as labeling_access
from labeling.models import Pool, Rater, RaterSkill
from labeling.people.accounts import services as accounts_services
from labeling.people.pools import services as pools_services
from labeling.people.roster import selectors
from labeling.people.roster.forms import RosterActForm, RosterFilterForm
from labeling.people.skills import services as skills_services
from labeling.people.skills.forms import SkillsForm
from labeling.people.skills.selectors import shown_topics
from pages import edit_conflicts, list_pages

RATERS_PER_PAGE = 50


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    return _page(request, RosterActForm(raters=Rater.people.none()))


@require_POST
def act(request: MemberRequest) -> HttpResponse:
    """One action on all selected raters, or on all that match the filter. Deactivating logins needs
    a confirmation.
    """
    form = RosterActForm(request.POST, raters=_found(request))
    if not form.is_valid():
        return _page(request, form, status=422)
    if form.cleaned_data["everybody"] and edit_conflicts.has_changed(
        request.POST, form.all_matching.count()
    ):
        edit_conflicts.refuse(request, edit_conflicts.nothing_done())
        return _page(request, form, status=409)
    raters, pool, action = (
        form.cleaned_data["raters"],
        form.cleaned_data["pool"],
        form.cleaned_data["act"],
    )
    if action == "deactivate":
        # only raters who were on the confirmation page are deactivated
        if request.POST.get("confirmed") != str(len(raters)):
            context = {"raters": raters, "everybody": form.cleaned_data["everybody"]}
            return render(request, "labeling/people/roster/roster_deactivate.html", context)
        _deactivate(request, raters)
    else:
        try:
            messages.success(request, _done(request, action, pool, raters))
        except pools_services.UnableToAddRaters as problem:  # somebody withdrew in the meantime
            messages.warning(request, problem.sentence)
    return redirect(f"{reverse('roster')}?{request.GET.urlencode()}")


def _deactivate(request: MemberRequest, raters: QuerySet[Rater]) -> None:
    try:
        n = accounts_services.deactivate_raters(raters=raters, by=request.user, now=timezone.now())
    except people_services.UnableToChangePerson as problem:
        messages.warning(request, problem.sentence)
    else:
        messages.success(
            request, ngettext("%(n)d login closed.", "%(n)d logins closed.", n) % {"n": n}
        )


@require_http_methods(["GET", "POST"])
def skills(request: MemberRequest, pk: int) -> HttpResponse:
    """Skills that an admin has observed, next to what raters state and what tests showed."""
    rater = labeling_access.any_rater(user=request.user, pk=pk)
    known = {
        basis: {
            axis: selectors.skills_of(rater=rater, axis=axis, basis=basis)
            for axis in RaterSkill.Axis
        }
        for basis in RaterSkill.Basis
    }
    shown = known[RaterSkill.Basis.SHOWN]
    initial = SkillsForm.initial_of(
        languages=shown[RaterSkill.Axis.LANGUAGE], topics=shown[RaterSkill.Axis.TOPIC]
    )
    form = SkillsForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = form.arguments
        skills_services.grant_skills(
            rater=rater,
            languages=values["languages"],
            topics=values["topics"],
            by=request.user,
            now=timezone.now(),
        )
        messages.success(request, _("Saved. Applies to routing from the next item."))
        return redirect("rater_skills", pk)
    lines = [
        (basis.label, [code for codes in known[basis].values() for code in codes])
        for basis in RaterSkill.Basis
    ]
    context = {"rater": rater, "form": form, "lines": lines, "shown": shown_topics(rater=rater)}
    return render(
        request,
        "labeling/people/roster/rater_skills.html",
        context,
        status=422 if form.errors else 200,
    )


def _done(request: MemberRequest, action: str, pool: Pool, raters: QuerySet[Rater]) -> str:
    acts: dict[str, Callable[..., int]] = {
        "add": pools_services.add_raters,
        "remove": pools_services.remove_raters,
        "pause": accounts_services.pause_raters,
        "resume": accounts_services.resume_raters,
    }
    n = acts[action](pool=pool, raters=raters, by=request.user, now=timezone.now())
    sentences = {
        "add": ngettext("%(n)d rater added to “%(pool)s”.", "%(n)d raters added to “%(pool)s”.", n),
        "remove": ngettext(
            "%(n)d rater removed from “%(pool)s”.", "%(n)d raters removed from “%(pool)s”.", n
        ),
        "pause": ngettext(
            "%(n)d rater paused in “%(pool)s”.", "%(n)d raters paused in “%(pool)s”.", n
        ),
        "resume": ngettext(
            "%(n)d rater resumed in “%(pool)s”.",
            "%(n)d raters resumed in “%(pool)s”.",
            n,
        ),
    }
    return sentences[action] % {"n": n, "pool": pool.name}


def _found(request: HttpRequest) -> QuerySet[Rater]:
    return selectors.roster(filters=RosterFilterForm(request.GET).filters())


def _page(request: HttpRequest, act_form: RosterActForm, *, status: int = 200) -> HttpResponse:
    form = RosterFilterForm(request.GET)
    filters = form.filters()
    page = list_pages.shown(request, selectors.roster(filters=filters), size=RATERS_PER_PAGE)
    context = {
        "form": form,
        "page": page,
        "rows": selectors.roster_rows(raters=page),
        "is_filtered": filters != selectors.RosterFilter(),
        "act_form": act_form,
        "ticked": set(request.POST.getlist("raters")),
    }
    return render(request, "labeling/people/roster/roster.html", context, status=status)
