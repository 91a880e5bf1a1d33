"""Pages of a campaign's golds: the list, raters' results, who is warned or paused, and the
settings.
"""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.shell.requests import MemberRequest
from labeling import access as labeling_access
from labeling.importers.drafts import ImportProblem
from labeling.models import Campaign
from labeling.queue.gold import scores, selectors, services
from labeling.queue.gold.forms import GoldFileForm, GoldSettingsForm
from pages import list_pages

GOLDS_PER_PAGE = 50
PROBLEMS_SHOWN = 20


@require_GET
def index(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = labeling_access.comparison_campaign(user=request.user, pk=pk)
    return _page(request, campaign)


@require_POST
def settings(request: MemberRequest, pk: int) -> HttpResponse:
    campaign = labeling_access.comparison_campaign(user=request.user, pk=pk)
    form = GoldSettingsForm(
        request.POST, instance=labeling_access.comparison_campaign(user=request.user, pk=pk)
    )
    if not form.is_valid():
        return _page(request, campaign, form=form, status=422)
    services.set_golds(
        campaign=campaign, values=form.cleaned_data, by=request.user, now=timezone.now()
    )
    messages.success(request, _("Saved. Applies from the next item a rater takes."))
    return redirect("campaign_gold", pk)


@require_POST
def import_file(request: MemberRequest, pk: int) -> HttpResponse:
    """Imports golds from a file: all of them, or none and a list of the errors."""
    campaign = labeling_access.comparison_campaign(user=request.user, pk=pk)
    form = GoldFileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, campaign, file_form=form, status=422)
    file = form.cleaned_data["file"]
    result = services.import_golds(
        campaign=campaign, file=file.file, file_name=file.name, by=request.user, now=timezone.now()
    )
    if result.problems:
        return _page(request, campaign, file_form=form, problems=result.problems, status=422)
    messages.success(
        request,
        ngettext("%(n)d gold item imported.", "%(n)d gold items imported.", result.n)
        % {"n": result.n},
    )
    return redirect("campaign_gold", pk)


@require_POST
def use_others(request: MemberRequest, pk: int) -> HttpResponse:
    campaign = labeling_access.comparison_campaign(user=request.user, pk=pk)
    n = services.use_other_golds(campaign=campaign, by=request.user, now=timezone.now())
    messages.info(
        request,
        ngettext(
            "%(n)d gold item is now used here too.", "%(n)d gold items are now used here too.", n
        )
        % {"n": n},
    )
    return redirect("campaign_gold", pk)


@require_POST
def retire(request: MemberRequest, pk: int, gold_pk: int) -> HttpResponse:
    gold = labeling_access.gold(user=request.user, campaign_pk=pk, pk=gold_pk)
    if services.retire_gold(gold=gold, by=request.user, now=timezone.now()):
        messages.info(
            request, _("Retired. Raters no longer get it, and its answers no longer count.")
        )
    return redirect("campaign_gold", pk)


@require_POST
def bring_back(request: MemberRequest, pk: int, gold_pk: int) -> HttpResponse:
    gold = labeling_access.gold(user=request.user, campaign_pk=pk, pk=gold_pk)
    try:
        is_back = services.bring_back_gold(gold=gold, by=request.user, now=timezone.now())
    except services.UnableToMakeGold as problem:
        messages.warning(request, problem.sentence)
        return redirect("campaign_gold", pk)
    if is_back:
        messages.info(request, _("The gold item is in use again, and its answers count."))
    else:
        messages.warning(
            request, _("Another gold item has been made from the same item. Retire that one first.")
        )
    return redirect("campaign_gold", pk)


@require_POST
def pause_rater(request: MemberRequest, pk: int, rater_pk: int) -> HttpResponse:
    campaign = labeling_access.campaign(user=request.user, pk=pk)
    rater = labeling_access.any_rater(user=request.user, pk=rater_pk)
    if scores.pause_rater(campaign=campaign, rater=rater, by=request.user, now=timezone.now()):
        messages.info(
            request,
            _("%(alias)s is paused here, and recent answers need review.") % {"alias": rater.alias},
        )
    return redirect("campaign_gold", pk)


@require_POST
def resume_rater(request: MemberRequest, pk: int, rater_pk: int) -> HttpResponse:
    campaign = labeling_access.campaign(user=request.user, pk=pk)
    rater = labeling_access.any_rater(user=request.user, pk=rater_pk)
    if scores.resume_rater(campaign=campaign, rater=rater, by=request.user, now=timezone.now()):
        messages.info(
            request,
            _("%(alias)s gets items again. Gold items answered before will not pause anyone again.")
            % {"alias": rater.alias},
        )
    return redirect("campaign_gold", pk)


def _page(
    request: HttpRequest,
    campaign: Campaign,
    *,
    form: GoldSettingsForm | None = None,
    file_form: GoldFileForm | None = None,
    problems: list[ImportProblem] | None = None,
    status: int = 200,
) -> HttpResponse:
    page = list_pages.shown(request, selectors.gold_uses(campaign=campaign), size=GOLDS_PER_PAGE)
    rows = selectors.gold_rows(uses=page)
    usable = [row for row in rows if row.gold.retired_at is None and not row.is_withdrawn]
    in_use = {row.gold.made_from_id for row in usable}
    context: dict[str, object] = {
        "campaign": campaign,
        "tab": "quality",
        "part": "gold",
        "page": page,
        "rows": rows,
        "n_suspect": sum(row.is_suspect and row.gold.retired_at is None for row in rows),
        "n_withdrawn": sum(
            row.is_withdrawn and row.gold.made_from_id not in in_use for row in rows
        ),
        "n_golds": selectors.n_golds(campaign=campaign),
        "n_other": selectors.n_other_golds(campaign=campaign),
        "scores": selectors.gold_scores(campaign=campaign),
        "form": form or GoldSettingsForm(instance=campaign),
        "file_form": file_form or GoldFileForm(),
        "problems": (problems or [])[:PROBLEMS_SHOWN],
        "n_problems": len(problems or []),
    }
    return render(request, "labeling/queue/campaign_gold.html", context, status=status)
