"""Pages of a campaign's judges: what they did and what it cost, a new one, start and stop."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.shell.requests import MemberRequest
from arithmetic import plain_text
from labeling import access as labeling_access
from labeling.models import Campaign
from pages.verdicts import Verdict
from training import access as training_access
from training.judges import selectors, services, sparing, trust, trust_words, uses, words
from training.judges.forms import JudgeForm, StartForm, TrustForm
from training.models import Judge, JudgeVersion, TrustRule
from training.verdicts import standing


@dataclass(frozen=True)
class Shown:
    """A judge on the page, in sentences."""

    judge: Judge
    version: JudgeVersion
    is_begun: bool
    progress: str
    agreement: str
    left: str
    limit: str
    without: list[tuple[str, int]]
    has_estimates: bool
    form: StartForm
    rule: TrustRule | None
    trust: Verdict | None
    slices: list[trust_words.Row]
    sparing: trust_words.Sparing | None
    waiting: str
    trust_form: TrustForm
    uses: list[uses.Use]


@require_GET
def index(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = labeling_access.comparison_campaign(user=request.user, pk=pk)
    return _page(request, campaign)


@require_http_methods(["GET", "POST"])
def new(request: MemberRequest, pk: int) -> HttpResponse:
    """A new judge. `?from=` takes over what another judge of the campaign is asked."""
    campaign = labeling_access.comparison_campaign(user=request.user, pk=pk)
    like = plain_text.whole_number(request.GET.get("from", ""))
    template = training_access.judge(campaign=campaign, pk=like) if like else None
    form = JudgeForm(request.POST or None, template=template)
    why_not = _why_not(campaign)
    if request.method == "POST" and not why_not and form.is_valid():
        try:
            judge = services.add_judge(
                campaign=campaign,
                model=form.cleaned_data["model"],
                terms=form.terms(),
                **form.money,
                **form.pace,
                by=request.user,
                now=timezone.now(),
            )
        except services.UnableToJudge as refused:
            form.add_error(None, refused.sentence)
        else:
            messages.success(
                request,
                _("%(judge)s added. It asks nothing before you start it.") % {"judge": judge},
            )
            return redirect("campaign_judges", pk)
    context = {
        "campaign": campaign,
        "form": form,
        "why_not": why_not,
        "lacks_models": not why_not and not selectors.models_to_ask().exists(),
        "guideline": campaign.guideline_version,
        "cloned_from": template,
    }
    return render(
        request, "training/judges/judge_new.html", context, status=422 if form.is_bound else 200
    )


@require_POST
def start(request: MemberRequest, pk: int, judge_pk: int) -> HttpResponse:
    campaign = labeling_access.comparison_campaign(user=request.user, pk=pk)
    judge = training_access.judge(campaign=campaign, pk=judge_pk)
    form = StartForm(request.POST, judge=judge)
    if form.is_valid():
        try:
            services.start_judge(
                judge=judge, money_limit=form.limit, by=request.user, now=timezone.now()
            )
        except services.UnableToJudge as refused:
            form.add_error(None, refused.sentence)
        else:
            messages.success(request, _("%(judge)s started.") % {"judge": judge})
            return redirect("campaign_judges", pk)
    judge.refresh_from_db()
    return _page(request, campaign, refused={judge.pk: form})


@require_POST
def stop(request: MemberRequest, pk: int, judge_pk: int) -> HttpResponse:
    act = partial(services.stop_judge, by=request.user, now=timezone.now())
    return _done(request, pk, judge_pk, act, _("%(judge)s stopped."))


@require_POST
def trust_in(request: MemberRequest, pk: int, judge_pk: int) -> HttpResponse:
    """Says what a judge must come to, so that its verdicts may stand."""
    campaign = labeling_access.comparison_campaign(user=request.user, pk=pk)
    judge = training_access.judge(campaign=campaign, pk=judge_pk)
    form = TrustForm(request.POST, judge=judge)
    if form.is_valid():
        try:
            trust.set_rule(judge=judge, **form.wanted(), by=request.user, now=timezone.now())
        except services.UnableToJudge as refused:
            form.add_error(None, refused.sentence)
        else:
            messages.success(request, _("Looks at %(judge)s are on.") % {"judge": judge})
            return redirect("campaign_judges", pk)
    return _page(request, campaign, refused_trust={judge.pk: form})


@require_POST
def switch(request: MemberRequest, pk: int, judge_pk: int) -> HttpResponse:
    is_on = request.POST.get("on") == "1"
    act = partial(trust.switch, is_on=is_on, by=request.user, now=timezone.now())
    said = _("Trust in %(judge)s is on.") if is_on else _("Trust in %(judge)s is off.")
    return _done(request, pk, judge_pk, act, said)


@require_POST
def spare(request: MemberRequest, pk: int, judge_pk: int) -> HttpResponse:
    """Whether raters get the pairs whose verdict stands."""
    is_on = request.POST.get("on") == "1"
    act = partial(sparing.switch, is_on=is_on, by=request.user, now=timezone.now())
    said = (
        _("Raters are spared the pairs that %(judge)s decides, within a minute.")
        if is_on
        else _("Raters get every pair that %(judge)s spared them, within a minute.")
    )
    return _done(request, pk, judge_pk, act, said)


def _done(
    request: HttpRequest, pk: int, judge_pk: int, act: Callable[..., None], said: str
) -> HttpResponse:
    """Says what was done to the judge, or why it was refused."""
    campaign = labeling_access.comparison_campaign(user=request.user, pk=pk)
    judge = training_access.judge(campaign=campaign, pk=judge_pk)
    try:
        act(judge=judge)
    except services.UnableToJudge as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, said % {"judge": judge})
    return redirect("campaign_judges", pk)


def _page(
    request: HttpRequest,
    campaign: Campaign,
    refused: dict[int, StartForm] | None = None,
    refused_trust: dict[int, TrustForm] | None = None,
) -> HttpResponse:
    forms, trust_forms = refused or {}, refused_trust or {}
    judges = selectors.judges_of(campaign=campaign)
    context = {
        "campaign": campaign,
        "tab": "quality",
        "part": "judges",
        "judges": [
            _shown(judge, forms.get(judge.pk), trust_forms.get(judge.pk)) for judge in judges
        ],
        "why_not": _why_not(campaign),
    }
    status = 422 if forms or trust_forms else 200
    return render(request, "training/judges/judges.html", context, status=status)


def _why_not(campaign: Campaign) -> str:
    """Why no judge can be added to it; empty if one can."""
    try:
        services.refuse_other_kinds(campaign=campaign)
    except services.UnableToJudge as problem:
        return problem.sentence
    return ""


def _left(judge: Judge, rule: TrustRule | None) -> str:
    """What there is to ask, if it is stopped, or that there is nothing."""
    if judge.state == Judge.State.STOPPED:
        return words.estimate(selectors.estimate(judge=judge), judge)
    if selectors.is_up_to_date(judge=judge):
        has_trust = rule is not None and standing.is_in_force(rule=rule)
        return words.up_to_date(has_trust=has_trust)
    return ""


def _shown(judge: Judge, form: StartForm | None, trust_form: TrustForm | None) -> Shown:
    done = selectors.progress(judge=judge)
    is_begun = judge.started_at is not None
    version = selectors.version_of(judge=judge)
    rule = TrustRule.objects.filter(version=version).first()
    slices = trust.slices_of(rule=rule) if rule else []
    return Shown(
        judge=judge,
        version=version,
        is_begun=is_begun,
        progress=words.progress(done, judge) if is_begun else "",
        agreement=words.agreement(selectors.agreement(judge=judge)) if done.n_judged else "",
        left=_left(judge, rule),
        limit=words.amount(judge.money_limit * services.MILLION, judge.currency),
        without=[(words.without_answer(*key), n) for *key, n in done.without],
        has_estimates=done.has_estimates,
        form=form or StartForm(judge=judge),
        rule=rule,
        trust=trust_words.verdict(rule, slices) if is_begun or trust_form else None,
        slices=[trust_words.row(rule, part) for part in slices] if rule else [],
        sparing=trust_words.sparing_of(rule) if rule else None,
        waiting=words.waiting(done),
        trust_form=trust_form or TrustForm(judge=judge),
        uses=uses.uses(judge=judge, rule=rule, slices=slices),
    )
