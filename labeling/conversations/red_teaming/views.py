"""Pages of red teaming: a new campaign, the end of an attack, and how often attacks succeed."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.shell.requests import MemberRequest
from arithmetic import plain_text
from labeling import access as labeling_access
from labeling.campaigns.services import UnableToCreateCampaign
from labeling.conversations import selectors, turns
from labeling.conversations.red_teaming import attacks, figures, services, verdicts
from labeling.conversations.red_teaming.forms import (
    AttackForm,
    BriefRows,
    RedTeamingForm,
    TalkForm,
)
from labeling.conversations.red_teaming.rules import rules_of
from labeling.conversations.selectors import Phase
from labeling.desk import access as desk_access
from labeling.desk.next_item import next_address
from labeling.desk.words import Keys
from labeling.models import Attack, Conversation, Guideline, RedTeaming
from pages import edit_conflicts
from pages.form_parts import with_one_more

BRIEFS = "briefs"


@require_http_methods(["GET", "POST"])
def new(request: MemberRequest) -> HttpResponse:
    """A new red-teaming campaign. The button “Add brief” adds a row."""
    is_post = request.method == "POST"
    is_save = is_post and "more" not in request.POST
    form = RedTeamingForm(request.POST if is_post else None)
    talk = TalkForm(request.POST if is_post else None)
    rows = BriefRows(
        with_one_more(request.POST, BRIEFS) if is_post else None,
        prefix=BRIEFS,
        form_kwargs={"rules": _rules()},
    )
    # Each is checked, so that all problems show at once.
    n_wrong = sum(not part.is_valid() for part in (form, talk, rows))
    if is_save and not n_wrong:
        try:
            campaign = services.create_red_teaming(
                **form.arguments(),
                briefs=[row.brief for row in rows],
                plan=talk.plan(),
                n_answers=talk.cleaned_data["n_answers"],
                by=request.user,
                now=timezone.now(),
            )
        except UnableToCreateCampaign as problem:
            form.add_error(None, problem.sentence)
        else:
            return redirect("campaign", campaign.pk)
    context = {
        "form": form,
        "talk": talk,
        "rows": rows,
        "shows_errors": is_save,
    }
    status = 422 if is_save else 200
    return render(
        request, "labeling/conversations/red_teaming/red_teaming_new.html", context, status=status
    )


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """How often attacks succeed; `?campaign=` in one campaign."""
    asked = plain_text.whole_number(request.GET.get("campaign", ""))
    campaign = labeling_access.campaign(user=request.user, pk=asked) if asked else None
    if campaign is not None and not turns.is_attack(campaign):
        raise Http404
    red = campaign.red_teaming if campaign else None
    found = figures.findings(campaign_id=campaign.pk if campaign else None)
    context = {
        "campaign": campaign,
        "red": red,
        "campaigns": RedTeaming.objects.select_related("campaign").order_by("-campaign"),
        "found": found,
        "verdict": verdicts.of_red_teaming(found, campaign=campaign, red=red),
    }
    return render(request, "labeling/conversations/red_teaming/red_teaming.html", context)


@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    """The questions at the end of an attack."""
    work = desk_access.work(user=request.user, lease=lease)
    brief = selectors.attack_brief(work=work)
    if brief is None:
        raise Http404
    standing = selectors.standing(work=work, now=timezone.now())
    if standing.phase == Phase.FINISHED:
        return _ended_already(request, standing.conversation)
    if standing.conversation is None or not standing.may_finish:
        return redirect("conversation", lease)
    form = AttackForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            attacks.end_attack(
                conversation=standing.conversation,
                outcome=form.outcome(),
                last_turn=plain_text.whole_number(request.POST.get("last_turn", "")),
                now=timezone.now(),
            )
        except turns.UnableToConverse as problem:
            form.add_error(None, problem.sentence)
        else:
            return _ended(request, lease)
    context: dict[str, object] = {
        "standing": standing,
        "campaign": work.campaign,
        "lease": lease,
        "attack": brief,
        "form": form,
        "keys": _end_keys(),
    }
    return render(
        request,
        "labeling/conversations/red_teaming/attack_end.html",
        context,
        status=422 if form.is_bound else 200,
    )


def _ended(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    """Goes on to the next attack, or to the desk if the rater stops."""
    messages.info(request, _("Attack saved. Thank you."))
    if request.POST.get("step") == "stop":
        return redirect("desk")
    work = desk_access.work(user=request.user, lease=lease)
    return redirect(
        next_address(
            request, campaign=work.campaign, rater=work.rater, last_version_id=work.version.pk
        )
    )


def _ended_already(request: HttpRequest, conversation: Conversation | None) -> HttpResponse:
    """Gives back what another tab that was open says of the attack."""
    tried = " ".join(plain_text.storable(request.POST.get("tried", "")).split())
    is_said = Attack.objects.filter(conversation=conversation, tried=tried).exists()
    if request.method == "POST" and not is_said:
        edit_conflicts.refuse(request, _("This conversation is finished."), typed=tried)
    return redirect("desk")


def _end_keys() -> tuple[tuple[str, Keys], ...]:
    lines = (
        ("⌘↵ / Ctrl ↵", _("Save and go on")),
        ("f", _("How far did you get?")),
        ("0 … 4", _("Answer the question")),
        ("w", _("What you tried, in one line")),
        ("l", _("Guideline")),
        ("s", _("Go to “Save and stop”")),
    )
    return ((_("End of the attack"), lines),)


def _rules() -> list[tuple[str, list[str]]]:
    """The name of each guideline and the rules of its newest version."""
    rules = []
    for guideline in Guideline.objects.order_by("name").prefetch_related("versions"):
        newest = max(guideline.versions.all(), key=lambda version: version.number, default=None)
        rules.append((guideline.name, rules_of(newest.text if newest else "")))
    return [(name, texts) for name, texts in rules if texts]
