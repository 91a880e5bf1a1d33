"""Pages of campaigns: the list, the form for a new one, and the pages of one campaign."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import User
from accounts.shell.requests import MemberRequest
from arithmetic import plain_text
from labeling import access as labeling_access
from labeling.campaigns import board as campaigns_board
from labeling.campaigns import costs, services
from labeling.campaigns import selection as campaigns_selection
from labeling.campaigns.conversation_form import (
    ConversationForm,
    initial_plan,
    plan_change_form,
)
from labeling.campaigns.forms import (
    CampaignForm,
    ChangeForm,
    ItemFilterForm,
    fewer_than_requested,
    initial_of,
    no_prompt_matches,
    too_few_responses,
)
from labeling.campaigns.pages.curve import progress_chart
from labeling.kinds import registry
from labeling.kinds.comparison import ComparisonSettings
from labeling.models import Campaign, Prompt
from labeling.quality import campaign_figures, contests
from labeling.quality import selectors as quality_selectors
from labeling.quality.pages import consensus_words, verdicts_by_kind
from labeling.quality.pages.summary import with_pages
from labeling.quality.selectors import RaterMeasures
from labeling.queue.spending import budgets
from labeling.queue.stuck import understaffed
from labeling.votes import item_answers, item_consensus, rating_consensus
from labeling.votes.demonstrations import writers, written
from pages import edit_conflicts, list_pages
from pages.verdicts import Verdict

CAMPAIGNS_PER_PAGE = 25
ITEMS_PER_PAGE = 50


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    state = request.GET.get("state", "")
    page = list_pages.shown(
        request, campaigns_board.campaigns(state=state), size=CAMPAIGNS_PER_PAGE
    )
    rows = campaigns_board.known_rows(campaigns=page, now=timezone.now())
    context = {"rows": rows, "page": page, "state": state, "states": Campaign.State.choices}
    return render(request, "labeling/campaigns/campaigns.html", context)


@require_http_methods(["GET", "POST"])
def new(request: MemberRequest) -> HttpResponse:
    """A new campaign. `?from=` copies the settings of another one; `?response_source=` compares the
    responses of these sources; `?source=` takes the prompts of these sources.
    """
    template = (
        labeling_access.campaign(user=request.user, pk=like)
        if (like := plain_text.whole_number(request.GET.get("from", "")))
        else None
    )
    asked: dict[str, object] = {"sources": _ids(request, "source")}
    if responses := _ids(request, "response_source"):
        asked |= {"kind": ComparisonSettings.kind, "response_sources": responses}
    form = CampaignForm(request.POST or None, initial=initial_of(template) if template else asked)
    talk = ConversationForm(
        request.POST if _talks(request.POST.get("kind")) else None,
        initial=initial_plan(template) if template else None,
    )
    if request.method == "POST" and form.is_valid() and (not talk.is_bound or talk.is_valid()):
        try:
            campaign = _create(form, talk, template=template, by=request.user)
        except services.UnableToCreateCampaign as problem:
            form.add_error(None, problem.sentence)
        else:
            return redirect("campaign", campaign.pk)
    return render(
        request,
        "labeling/campaigns/campaign_new.html",
        {"form": form, "talk": talk, "copied_from": template},
    )


@require_POST
def count(request: HttpRequest) -> HttpResponse:
    """The line below the prompts in the form: how many match the current selection, and how much
    work they are.
    """
    form = CampaignForm(request.POST)
    form.is_valid()
    selection = form.selection()
    counts = campaigns_selection.match(selection=selection)
    values = form.cleaned_data
    is_talk = _talks(selection.kind)
    estimate = costs.estimate(
        kind=registry.KINDS[selection.kind].answer,
        n_responses=2 if is_talk else selection.n_responses if selection.needs_responses else None,
        pool=values.get("pool"),
        n_items=counts.n_taken * (_turns(request) if is_talk else 1),
        overlap=values.get("overlap") or 1,
        max_overlap=values.get("max_overlap"),
        calibration_percent=values.get("calibration_percent") or 0,
        repeat_percent=values.get("repeat_percent") or 0,
        gold_share=values.get("gold_share") or 0,
        now=timezone.now(),
    )
    pool = values.get("pool")
    # Judgments of a held-out pool only evaluate, so prompts for training would be wasted on it.
    is_wasted = pool is not None and pool.is_held_out and selection.splits != (Prompt.Split.TEST,)
    context: dict[str, object] = {
        "selection": selection,
        "found": counts,
        "estimate": estimate,
        "is_wasted": is_wasted,
    }
    if selection.n_prompts is not None and counts.n_fitting < selection.n_prompts:
        context["shortage"] = fewer_than_requested(selection, counts)
    if counts.n_matching == 0:
        context["problem"] = no_prompt_matches()
    elif counts.n_fitting == 0:
        context["problem"] = too_few_responses(selection, counts)
    return render(request, "labeling/campaigns/_count.html", context)


@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = labeling_access.campaign(user=request.user, pk=pk)
    now = timezone.now()
    board = campaigns_board.known_board(campaign=campaign, now=now)
    context: dict[str, Any] = {"campaign": campaign, "board": board, "tab": "overview"}
    if board is not None:
        is_open = campaign.state == Campaign.State.OPEN
        context["chart"] = progress_chart(
            board=board, unit=campaign.about.unit, is_open=is_open, now=now
        )
        context["is_kept"] = now - board.at > timedelta(minutes=1)
    if campaign.state == Campaign.State.DRAFT:
        context["estimate"] = costs.estimate_of(campaign=campaign, now=now)
    if campaign.state == Campaign.State.CLOSED or (board is not None and board.progress.is_done):
        counted = campaign_figures.n_answers(campaigns=[campaign.pk], now=now)
        context["n_answers"] = counted[campaign.pk].value if counted else None
    else:
        context["understaffed"] = understaffed(campaign=campaign, now=now)
    context["is_spent"] = budgets.is_spent(campaign=campaign, now=now)
    report = quality_selectors.quality_report(campaign=campaign) if campaign.compares else None
    writing = writers(campaign=campaign) if not campaign.compares else {}
    measured = (
        {row.rater_id: row for row in quality_selectors.rater_measures(report=report)}
        if report
        else {}
    )
    context |= {
        "report": report,
        "contests": contests.stored_contests(report=report) if report else [],
        "strengths": contests.stored_strengths(report=report) if report else None,
        "quality": with_pages(campaign, report) if report else [],
        "raters": [
            (row, measured.get(row.rater_id), writing.get(row.rater_id))
            for row in (board.raters if board is not None else [])
        ],
        "n_flagged": sum(bool(row.flags) for row in measured.values()),
        "written": (written(campaign=campaign) if not campaign.compares else None),
    }
    context["verdict"] = _verdict(context, list(measured.values()))
    return render(request, "labeling/campaigns/campaign.html", context)


def _verdict(context: Mapping[str, Any], raters: Sequence[RaterMeasures]) -> Verdict | None:
    """None before there is something to say."""
    campaign, written_so_far = context["campaign"], context["written"]
    if written_so_far is not None:
        marked = [
            row.alias
            for row, _measured, writer in context["raters"]
            if writer and (writer.is_fast or writer.pastes or writer.same)
        ]
        found = verdicts_by_kind.of_demonstrations(campaign, written_so_far, marked)
        return found if written_so_far.n else None
    if context["report"] is None:
        return None
    return verdicts_by_kind.of_votes(campaign, context["report"], raters)


@require_GET
def items(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = labeling_access.campaign(user=request.user, pk=pk)
    form = ItemFilterForm(request.GET)
    queryset = campaigns_board.campaign_items(
        campaign=campaign, status=form.value("status"), reason=form.value("reason")
    )
    page = list_pages.shown(request, queryset, size=ITEMS_PER_PAGE)
    rows = campaigns_board.item_rows(items=page, now=timezone.now())
    context = {
        "campaign": campaign,
        "form": form,
        "is_filtered": bool(request.GET),
        "page": page,
        "rows": rows,
        "tab": "items",
    }
    return render(request, "labeling/campaigns/campaign_items.html", context)


@require_GET
def item(request: HttpRequest, pk: int, item_pk: int) -> HttpResponse:
    selected = labeling_access.item(user=request.user, campaign_pk=pk, pk=item_pk)
    work = item_answers.item_answers(item=selected)
    context: dict[str, object] = {
        "campaign": selected.campaign,
        "item": selected,
        "tab": "items",
        "work": work,
    }
    if selected.campaign.compares:
        consensus = item_consensus.consensus_of(campaign=selected.campaign, answers=work.answers)
        context["consensus"] = consensus_words.as_text(
            consensus=consensus,
            responses=work.responses,
            ratings=rating_consensus.ratings_of_items(campaign=selected.campaign, items=[selected])[
                selected.pk
            ],
        )
    return render(request, "labeling/campaigns/campaign_item.html", context)


@require_GET
def set_up(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = labeling_access.campaign(user=request.user, pk=pk)
    context = {
        "campaign": campaign,
        "tab": "set_up",
        "sources": campaigns_board.known_sources(campaign=campaign, now=timezone.now()),
    }
    return render(request, "labeling/campaigns/campaign_set_up.html", context)


@require_http_methods(["GET", "POST"])
def change(request: MemberRequest, pk: int) -> HttpResponse:
    """Changes a running campaign. Existing answers keep the guideline version they were given
    under.
    """
    campaign = labeling_access.campaign(user=request.user, pk=pk)
    if campaign.state == Campaign.State.CLOSED:
        edit_conflicts.warn_if_idle(request, is_done=request.method == "GET")
        return redirect("campaign_set_up", pk)
    form = ChangeForm(
        request.POST or None, instance=labeling_access.campaign(user=request.user, pk=pk)
    )
    talk = plan_change_form(campaign, request.POST or None)
    if request.method == "POST" and form.is_valid() and (talk is None or talk.is_valid()):
        try:
            services.change_campaign(
                campaign=campaign,
                values=form.values(),
                plan=talk.cleaned_data if talk else None,
                by=request.user,
                now=timezone.now(),
            )
        except services.UnableToChangeCampaign as problem:
            form.add_error(problem.field or None, problem.sentence)
        else:
            messages.success(request, _("Saved. Applies from the next item a rater takes."))
            return redirect("campaign_set_up", pk)
    context = {"campaign": campaign, "form": form, "talk": talk, "tab": "set_up"}
    return render(
        request,
        "labeling/campaigns/changes/campaign_change.html",
        context,
        status=422 if form.errors or (talk and talk.errors) else 200,
    )


@require_POST
def open_(request: MemberRequest, pk: int) -> HttpResponse:
    campaign, now = labeling_access.campaign(user=request.user, pk=pk), timezone.now()
    try:
        is_open = services.open_campaign(campaign=campaign, by=request.user, now=now)
    except services.UnableToOpen as problem:
        messages.warning(request, problem.sentence)
        return redirect("campaign", pk)
    staff = understaffed(campaign=campaign, now=now) if is_open else None
    if staff and staff.is_nobody:
        words = _("%(name)s is open, but nobody can work on it yet.")
        messages.warning(request, words % {"name": campaign.name})
    elif is_open:
        messages.success(
            request, _("%(name)s is open. Raters now get its items.") % {"name": campaign.name}
        )
    edit_conflicts.warn_if_idle(request, is_done=is_open)
    return redirect("campaign", pk)


@require_http_methods(["GET", "POST"])
def reopen(request: MemberRequest, pk: int) -> HttpResponse:
    """GET asks for confirmation, POST reopens a closed campaign."""
    campaign = labeling_access.campaign(user=request.user, pk=pk)
    if request.method == "POST":
        by, now = request.user, timezone.now()
        try:
            is_open = services.reopen_campaign(campaign=campaign, by=by, now=now)
        except services.UnableToOpen as problem:
            messages.warning(request, problem.sentence)
        else:
            edit_conflicts.warn_if_idle(request, is_done=is_open)
        return redirect("campaign", pk)
    ((_campaign, row),) = campaigns_board.known_rows(campaigns=[campaign], now=timezone.now())
    newest = campaign.guideline.versions.order_by("-number").first()
    context = {"campaign": campaign, "progress": row and row.progress, "newest": newest}
    return render(request, "labeling/campaigns/changes/campaign_reopen.html", context)


@require_POST
def pause(request: MemberRequest, pk: int) -> HttpResponse:
    campaign = labeling_access.campaign(user=request.user, pk=pk)
    is_paused = services.pause_campaign(campaign=campaign, by=request.user, now=timezone.now())
    if is_paused:
        messages.success(request, _("%(name)s is paused.") % {"name": campaign.name})
    edit_conflicts.warn_if_idle(request, is_done=is_paused)
    return redirect("campaign", pk)


@require_http_methods(["GET", "POST"])
def discard(request: MemberRequest, pk: int) -> HttpResponse:
    """GET asks for confirmation, POST deletes a draft."""
    campaign = labeling_access.campaign(user=request.user, pk=pk)
    if campaign.state != Campaign.State.DRAFT:
        edit_conflicts.warn_if_idle(request, is_done=request.method == "GET")
        return redirect("campaign", pk)
    if request.method == "GET":
        n_items = campaign.items.count()
        return render(
            request,
            "labeling/campaigns/changes/campaign_discard.html",
            {"campaign": campaign, "n_items": n_items},
        )
    try:
        is_gone = services.discard_campaign(campaign=campaign, by=request.user, now=timezone.now())
    except services.UnableToChangeCampaign as problem:
        messages.warning(request, problem.sentence)
        is_gone = False
    if not is_gone:
        return redirect("campaign", pk)
    messages.success(
        request,
        _("Draft “%(name)s” discarded. Its prompts are available again.") % {"name": campaign.name},
    )
    return redirect("campaigns")


@require_http_methods(["GET", "POST"])
def close(request: MemberRequest, pk: int) -> HttpResponse:
    """GET asks for confirmation, POST closes."""
    campaign = labeling_access.campaign(user=request.user, pk=pk)
    if request.method == "POST":
        is_closed = services.close_campaign(campaign=campaign, by=request.user, now=timezone.now())
        edit_conflicts.warn_if_idle(request, is_done=is_closed)
        return redirect("campaign", pk)
    ((_campaign, row),) = campaigns_board.known_rows(campaigns=[campaign], now=timezone.now())
    return render(
        request,
        "labeling/campaigns/changes/campaign_close.html",
        {"campaign": campaign, "progress": row and row.progress},
    )


def _ids(request: HttpRequest, name: str) -> list[str]:
    return [pk for pk in request.GET.getlist(name) if pk.isdecimal()]


def _talks(kind: str | None) -> bool:
    return kind in registry.KINDS and registry.KINDS[kind].talks


def _turns(request: HttpRequest) -> int:
    """Turns per conversation for an estimate: the minimum, whatever else is still missing."""
    return plain_text.whole_number(request.POST.get("talk-min_turns", "")) or 1


def _create(
    form: CampaignForm, talk: ConversationForm, *, template: Campaign | None, by: User
) -> Campaign:
    """Creates the campaign; `talk` is bound for a conversation. Settings that the form does not
    include are copied from `template`.
    """
    values, selection = form.cleaned_data, form.selection()
    about = registry.KINDS[values["kind"]]
    copied = asdict(about.of(template)) if template else {}
    typed = values | ({"n_responses": talk.cleaned_data["n_answers"]} if talk.is_bound else {})
    settings = copied | {name: typed[name] for name in about.names() if name in typed}
    return services.create_campaign(
        name=values["name"],
        pool=values["pool"],
        guideline=values["guideline"],
        settings=about(**settings),
        conversation=talk.plan() if talk.is_bound else None,
        prompts=campaigns_selection.fitting_prompts(selection=selection),
        source_ids=selection.response_source_ids,
        selection=asdict(selection),
        by=by,
        now=timezone.now(),
    )
