"""An admin's pages of a crowd link's study on Prolific. What costs money is confirmed on a page
that shows the sum.
"""

from collections.abc import Mapping

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.refusals import Refusal
from accounts.shell.requests import MemberRequest
from arithmetic import plain_text
from labeling import access as labeling_access
from labeling.models import CrowdLink, ProlificStudy
from labeling.people.prolific import client, dues, figures, polling, protocol, services
from labeling.people.prolific.forms import PlacesForm, StudyForm
from pages import edit_conflicts

TITLES = {
    "publish": gettext_lazy("Publish this study?"),
    "pause": gettext_lazy("Pause this study?"),
    "resume": gettext_lazy("Resume this study?"),
    "disconnect": gettext_lazy("Delete this draft?"),
}
CONSEQUENCES = {
    "publish": gettext_lazy("Prolific reserves this amount and invites participants."),
    "pause": gettext_lazy("Nobody new can start. Participants who have started can finish."),
    "resume": gettext_lazy("Participants can start again."),
    "disconnect": gettext_lazy("The draft is deleted on Prolific. The link stays."),
}
BUTTONS = {
    "publish": gettext_lazy("Publish"),
    "pause": gettext_lazy("Pause"),
    "resume": gettext_lazy("Resume"),
    "disconnect": gettext_lazy("Delete draft"),
}


@require_http_methods(["GET", "POST"])
def index(request: MemberRequest, pk: int) -> HttpResponse:
    """The study with its submissions; for a link that is not connected, the form of a study."""
    link = labeling_access.crowd_link(user=request.user, pk=pk)
    study = ProlificStudy.objects.filter(link=link).first()
    if study is None:
        return _connecting(request, link)
    if request.method == "POST":  # somebody else has connected it
        texts = (request.POST.get(name, "").strip() for name in ("description", "eligibility"))
        typed = plain_text.storable("\n\n".join(text for text in texts if text))
        edit_conflicts.refuse(request, services.connected_already(), typed=typed)
    return _study_page(request, study, link)


def _connecting(request: MemberRequest, link: CrowdLink) -> HttpResponse:
    initial = {"n_places": link.n_places, "minutes": max(1, link.max_minutes // 2)}
    form = StudyForm(request.POST or None, initial=initial)
    problem = "" if request.method == "POST" else _token_problem()
    if request.method == "POST" and form.is_valid():
        page = request.build_absolute_uri(reverse("crowd", args=[link.token]))
        try:
            services.connect(
                link=link, page=page, plan=form.plan, by=request.user, now=timezone.now()
            )
        except Refusal as refusal:
            problem = refusal.sentence
        else:
            messages.success(request, _("The draft is on Prolific. Publish it when it is ready."))
            return redirect("crowd_prolific", link.pk)
    context = {"link": link, "pool": link.campaign.pool, "form": form, "problem": problem}
    is_bad = form.errors or (request.method == "POST" and problem)
    return render(
        request,
        "labeling/people/prolific/connect.html",
        context,
        status=422 if is_bad else 200,
    )


def _token_problem() -> str:
    try:
        client.account()
    except client.TokenRefused as problem:
        return problem.sentence
    return ""


def _study_page(request: MemberRequest, study: ProlificStudy, link: CrowdLink) -> HttpResponse:
    rows = dues.rows(study=study)
    agreement = figures.agreement(campaign=link.campaign)
    context = _head(study, link) | {
        "rows": [(row, figures.of(row, agreement)) for row in rows],
        "n_passed": sum(row.has_passed for row in rows),
        "n_late": sum(row.is_late for row in rows),
        "due": dues.in_words(study, sum(row.due for row in rows)),
        "n_due": sum(row.due > 0 for row in rows),
    }
    return render(request, "labeling/people/prolific/study.html", context)


@require_http_methods(["GET", "POST"])
def act(request: MemberRequest, pk: int, act: str) -> HttpResponse:
    """Publish, pause, resume, or delete a draft: GET asks, POST does it."""
    study, link = _study(request, pk)
    if act not in TITLES:
        raise Http404
    if request.method == "GET":
        return _confirm(
            request,
            study,
            link,
            title=TITLES[act],
            words=CONSEQUENCES[act],
            button=BUTTONS[act],
            n_priced=study.n_places if act == "publish" else 0,
        )
    if edit_conflicts.has_changed(request.POST, *_shown(study)):
        edit_conflicts.refuse(request, edit_conflicts.nothing_done())
        return redirect("crowd_prolific", pk)
    try:
        if act == "disconnect":
            services.disconnect(study=study, by=request.user, now=timezone.now())
        else:
            services.move_study(study=study, act=act, by=request.user, now=timezone.now())
    except Refusal as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, _("Done on Prolific."))
    return redirect("crowd_prolific", pk)


@require_http_methods(["GET", "POST"])
def places(request: MemberRequest, pk: int) -> HttpResponse:
    """GET asks for the number and shows what the added places cost; POST adds them."""
    study, link = _study(request, pk)
    data = request.POST if request.method == "POST" else request.GET or None
    form = PlacesForm(data, n_before=study.n_places, initial={"n_places": study.n_places + 10})
    if data is None or not form.is_valid():
        return render(
            request,
            "labeling/people/prolific/places.html",
            _head(study, link) | {"form": form},
            status=422 if form.errors else 200,
        )
    n = form.cleaned_data["n_places"]
    if request.method == "GET":
        n_added = n - study.n_places
        words = ngettext("Adds %(n)d place.", "Adds %(n)d places.", n_added) % {"n": n_added}
        return _confirm(
            request,
            study,
            link,
            title=_("Add places?"),
            words=words,
            button=_("Add places"),
            n_priced=n_added,
            fields={"n_places": n},
        )
    if edit_conflicts.has_changed(request.POST, *_shown(study)):
        edit_conflicts.refuse(request, edit_conflicts.nothing_done())
        return redirect("crowd_prolific", pk)
    try:
        services.set_places(study=study, n_places=n, by=request.user, now=timezone.now())
    except Refusal as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, _("Done on Prolific."))
    return redirect("crowd_prolific", pk)


@require_POST
def check(request: MemberRequest, pk: int) -> HttpResponse:
    """Looks at the study now, in place of the next time the beat does."""
    study, _link = _study(request, pk)
    if polling.poll_study(study_id=study.pk, is_asked=True, now=timezone.now()):
        messages.success(request, _("Up to date with Prolific."))
    return redirect("crowd_prolific", pk)


def _study(request: MemberRequest, pk: int) -> tuple[ProlificStudy, CrowdLink]:
    study = labeling_access.study_of_link(user=request.user, link_pk=pk)
    return study, study.link


def _shown(study: ProlificStudy) -> tuple[object, ...]:
    """What a page says that asks before something is done: another study, or another sum, is
    refused.
    """
    return study.prolific_id, study.status, study.n_places, study.reward


def _head(study: ProlificStudy, link: CrowdLink) -> dict[str, object]:
    return {
        "study": study,
        "link": link,
        "pool": link.campaign.pool,
        "reward": dues.in_words(study, study.reward),
        "screen_out": (
            dues.in_words(study, study.screen_out_reward)
            if study.screen_out_reward is not None
            else ""
        ),
    }


def _confirm(
    request: MemberRequest,
    study: ProlificStudy,
    link: CrowdLink,
    *,
    title: object,
    words: object,
    button: object,
    n_priced: int = 0,
    fields: Mapping[str, object] | None = None,
) -> HttpResponse:
    """A page that asks before something is done, with what Prolific says that it costs."""
    context = _head(study, link) | {
        "title": title,
        "words": words,
        "button": button,
        "fields": fields or {},
        "back": reverse("crowd_prolific", args=[link.pk]),
    }
    if n_priced:
        try:
            cost = protocol.cost(reward=study.reward, n_places=n_priced)
        except client.UnableToUseProlific as problem:
            messages.error(request, problem.sentence)
            return redirect("crowd_prolific", link.pk)
        rewards = study.reward * n_priced
        context |= {
            "n": n_priced,
            "rewards": dues.in_words(study, rewards),
            "fees": dues.in_words(study, max(0, cost - rewards)),
            "total": dues.in_words(study, cost),
            "screen_outs": study.status == ProlificStudy.Status.UNPUBLISHED
            and study.screen_out_reward is not None,
        }
    return render(request, "labeling/people/prolific/confirm.html", context)
