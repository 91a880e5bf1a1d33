"""Train on a campaign: the list of campaigns, and the page that starts it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from labeling.models import Campaign
from labeling.quality import campaign_figures
from pages import edit_conflicts, list_pages
from training import access as training_access
from training.models import Chain
from training.schedules.forms.power import power_query
from training.schedules.services import UnableToSchedule
from training.train_on_campaign import forecast, selectors, services
from training.train_on_campaign.forms import LENGTHS, TrainForm

CAMPAIGNS_PER_PAGE = 30


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    training_access.researcher(request.user)
    page = list_pages.shown(request, selectors.campaigns(), size=CAMPAIGNS_PER_PAGE)
    n_of = campaign_figures.n_answers(campaigns=[one.pk for one in page], now=timezone.now())
    rows = [(one, n_of[one.pk].value if one.pk in n_of else None) for one in page]
    return render(
        request, "training/train_on_campaign/campaigns.html", {"page": page, "rows": rows}
    )


@require_http_methods(["GET", "POST"])
def train(request: HttpRequest, pk: int) -> HttpResponse:
    """The page; ?what=… shows the plan of other choices."""
    campaign = training_access.campaign(user=request.user, pk=pk)
    by, now = training_access.researcher(request.user), timezone.now()
    asked = request.GET if "what" in request.GET else None
    form = TrainForm(request.POST or asked, campaign=campaign, by=by, now=now)
    is_valid = form.is_valid()
    if "advanced" in request.POST:
        return redirect(form.advanced_url)
    if request.method == "POST" and is_valid:
        try:
            chain = services.start_training(
                campaign=campaign,
                name=form.name,
                plan=form.plan(),
                terms=form.terms(),
                is_outdated=lambda newest: edit_conflicts.has_changed(request.POST, newest),
                by=by,
                now=now,
            )
        except services.AlreadyStarted:
            return _refused(request, campaign)
        except UnableToSchedule as problem:
            form.add_error(None, problem.sentence)
        else:
            return redirect("chain", chain.pk)
    return _page(request, campaign, form)


def _refused(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    newest = selectors.newest_chain(campaign=campaign)
    words = _(
        "Training on this campaign was started after you opened the page. This is it; nothing else"
        " was started."
    )
    edit_conflicts.refuse(request, words)
    return redirect("chain", newest.pk) if newest else redirect("train_on_campaign", campaign.pk)


def _page(request: HttpRequest, campaign: Campaign, form: TrainForm) -> HttpResponse:
    newest = selectors.newest_chain(campaign=campaign)
    plan = form.plan() if form.is_valid() else None
    data = form.offer.data if form.offer else None
    now = form.now
    planned = forecast.forecast(plan=plan, data=data, now=now) if plan and data else None
    lasts = {
        name: forecast.forecast(plan=form.plan_of(name), data=data, now=now).seconds
        for name in LENGTHS
        if plan and data
    }
    context = {
        "campaign": campaign,
        "form": form,
        "plan": plan,
        "planned": planned,
        "nodes": forecast.nodes_for(
            nodes=form.nodes, memory_gb=planned.memory_gb if planned else None
        ),
        "data": data,
        "lengths": [(*length, lasts.get(length[0], {})) for length in form.lengths],
        "power": power_query(plan) if plan and plan.shape.has_gate else "",
        "newest": newest,
        "newest_pk": newest.pk if newest else None,
        "is_open": newest is not None and newest.state in (Chain.State.GOING, Chain.State.APPROVAL),
    }
    is_refused = request.method == "POST" and bool(form.errors)
    return render(
        request,
        "training/train_on_campaign/train.html",
        context,
        status=422 if is_refused else 200,
    )
