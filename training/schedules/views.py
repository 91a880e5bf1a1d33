"""Schedules and their chains: the list, the form, their history, approving, resuming and
stopping.
"""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from labeling.models import Guideline, Pool
from pages import edit_conflicts, list_pages
from pages.time_zones import time_zone_named
from training import access as training_access
from training.models import Chain, Link, Schedule, TrainedModel
from training.schedules import (
    chains,
    cron_words,
    selectors,
    services,
    timing,
    verdicts,
)
from training.schedules.forms.power import PowerForm
from training.schedules.forms.schedule import ScheduleForm
from training.schedules.gate import promotion
from training.schedules.gate import selectors as gate_selectors
from training.schedules.plans import chain_plans, steps
from training.schedules.plans.chain_plans import Plan
from training.snapshots.contents.filters import Judges

FIRINGS_PER_PAGE = 30
N_CHAINS_SHOWN = 10


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "training/schedules/schedules.html",
        {"rows": selectors.schedules(), "templates": chain_plans.menu()},
    )


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, template: str) -> HttpResponse:
    if template not in chain_plans.TEMPLATES:
        raise Http404
    person = training_access.researcher(request.user)
    form = ScheduleForm(
        request.POST or None, template=template, now=timezone.now(), time_zone=person.time_zone
    )
    if _asks_for_plan(request):
        form = ScheduleForm(request.GET, template=template, now=timezone.now())
        return _plan_of(request, form)
    form.begin_with(request.GET)
    if request.method == "POST" and form.is_valid():
        try:
            schedule = services.create_schedule(
                name=form.cleaned_data["name"],
                plan=form.plan(),
                terms=form.terms(),
                by=person,
                now=timezone.now(),
            )
        except services.UnableToSchedule as problem:
            form.add_error(None, problem.sentence)
        else:
            return redirect("schedule", schedule.pk)
    return _form_page(request, form, None)


@require_GET
def when(request: HttpRequest) -> HttpResponse:
    """?cron= and ?time_zone= in words, as a fragment."""
    training_access.researcher(request.user)
    try:
        sentence = cron_words.in_words(
            cron=request.GET.get("cron", ""),
            time_zone=time_zone_named(request.GET.get("time_zone", "")) or "UTC",
            after=timezone.now(),
        )
    except timing.InvalidCron as problem:
        sentence = str(problem)
    return HttpResponse(escape(sentence))


@require_GET
def power(request: HttpRequest) -> HttpResponse:
    """What to expect of a gate with these numbers, as a fragment."""
    training_access.researcher(request.user)
    return HttpResponse(escape(PowerForm(request.GET).in_words()))


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    schedule = training_access.schedule(user=request.user, pk=pk)
    asks_for_plan = _asks_for_plan(request)
    form = ScheduleForm(
        request.POST or (request.GET if asks_for_plan else None),
        template=schedule.plan["template"],
        now=timezone.now(),
        schedule=schedule,
    )
    if asks_for_plan:
        return _plan_of(request, form)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_schedule(
                schedule=schedule,
                name=form.cleaned_data["name"],
                plan=form.plan(),
                terms=form.terms(),
                by=training_access.researcher(request.user),
                now=timezone.now(),
            )
        except services.UnableToSchedule as problem:
            form.add_error(None, problem.sentence)
        else:
            messages.success(request, _("Saved. Chains that have already started do not change."))
            return redirect("schedule", pk)
    return _form_page(request, form, schedule)


@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    schedule = training_access.schedule(user=request.user, pk=pk)
    plan = Plan.from_json(schedule.plan)
    is_by_accuracy = schedule.trigger == Schedule.Trigger.ACCURACY
    watched = selectors.watched_model(schedule=schedule) if is_by_accuracy else None
    context: dict[str, Any] = {
        "schedule": schedule,
        "watched": watched,
        "watch": selectors.accuracy_check(schedule=schedule, model=watched)
        if is_by_accuracy
        else None,
        "plan": plan,
        "has_line": bool(plan.shape.improving),
        "steps": [(step.words, plan.needs_approval(step)) for step in plan.shape.steps],
        "base_model": TrainedModel.objects.filter(pk=plan.base_model).first(),
        "judges": Judges(plan.filters["judges"]).label if "judges" in plan.filters else "",
        "current": (steps.current_model(schedule, plan) if plan.shape.has_gate else None),
        "gate": gate_selectors.latest_gate(schedule=schedule) if plan.shape.has_gate else None,
        "now_is": selectors.situation(schedule=schedule, now=timezone.now()),
        "chains": list(selectors.chains(schedule=schedule)[:N_CHAINS_SHOWN]),
        "page": (
            list_pages.shown(request, selectors.firings(schedule=schedule), size=FIRINGS_PER_PAGE)
        ),
    }
    newest = next(iter(context["chains"]), None)
    context["verdict"] = verdicts.of_schedule(newest, _step(newest), context["gate"])
    return render(request, "training/schedules/schedule.html", context)


def _step(chain: Chain | None) -> verdicts.Step | None:
    """Where the chain is: the first step that is not done."""
    links = selectors.links(chain=chain) if chain else []
    undone = (place for place, row in enumerate(links) if row.link.state != Link.State.DONE)
    place = next(undone, None)
    return place if place is None else verdicts.Step(place + 1, len(links), links[place].words)


@require_POST
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    schedule = training_access.schedule(user=request.user, pk=pk)
    services.pause_schedule(
        schedule=schedule, by=training_access.researcher(request.user), now=timezone.now()
    )
    return redirect("schedule", pk)


@require_POST
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    schedule = training_access.schedule(user=request.user, pk=pk)
    services.resume_schedule(
        schedule=schedule, by=training_access.researcher(request.user), now=timezone.now()
    )
    return redirect("schedule", pk)


@require_POST
def fire(request: HttpRequest, pk: int) -> HttpResponse:
    schedule = training_access.schedule(user=request.user, pk=pk)
    try:
        begun = services.fire_now(
            schedule=schedule, by=training_access.researcher(request.user), now=timezone.now()
        )
    except services.UnableToFire as problem:
        messages.warning(request, problem.sentence)
        return redirect("schedule", pk)
    return redirect("chain", begun.pk)


@require_GET
def chain(request: HttpRequest, pk: int) -> HttpResponse:
    """The page; for htmx only the live part."""
    selected = training_access.chain(user=request.user, pk=pk)
    context: dict[str, Any] = {
        "chain": selected,
        "links": selectors.links(chain=selected),
        "saved": selectors.saved_model(chain=selected),
        "halted": selectors.halted_link(chain=selected),
        "gate": gate_selectors.gate_of(chain=selected),
        "is_open": selected.state in selectors.OPEN,
    }
    context["verdict"] = verdicts.of_chain(
        selected,
        _step(selected),
        context["gate"],
        is_newest=selectors.is_newest(chain=selected),
    )
    is_fragment = request.headers.get("HX-Target") == "chain"
    return render(
        request,
        (
            "training/schedules/_chain_live.html"
            if is_fragment
            else "training/schedules/schedule_chain.html"
        ),
        context,
    )


@require_POST
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    selected = training_access.chain(user=request.user, pk=pk)
    if _is_stale(request, selected):
        edit_conflicts.refuse(request, edit_conflicts.nothing_done())
    elif not chains.approve_link(
        chain=selected, by=training_access.researcher(request.user), now=timezone.now()
    ):
        messages.info(request, _("No step is waiting for approval."))
    return redirect("chain", pk)


@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """The verdict of a person at a chain's gate."""
    selected = training_access.chain(user=request.user, pk=pk)
    person, promotes = training_access.researcher(request.user), "promotes" in request.POST
    gate = gate_selectors.gate_of(chain=selected)
    if gate and edit_conflicts.has_changed(
        request.POST, gate.link.pk, gate.link.state, gate.outcome
    ):
        edit_conflicts.refuse(request, edit_conflicts.nothing_done())
    elif not promotion.decide(chain=selected, promotes=promotes, by=person, now=timezone.now()):
        messages.info(request, _("No model is waiting for a decision."))
    return redirect("chain", pk)


@require_POST
def resume_chain(request: HttpRequest, pk: int) -> HttpResponse:
    selected = training_access.chain(user=request.user, pk=pk)
    if _is_stale(request, selected):
        edit_conflicts.refuse(request, edit_conflicts.nothing_done())
        return redirect("chain", pk)
    try:
        person, anew = training_access.researcher(request.user), "anew" in request.POST
        chains.resume_chain(chain=selected, by=person, now=timezone.now(), anew=anew)
    except chains.UnableToResume as problem:
        messages.warning(request, problem.sentence)
    return redirect("chain", pk)


@require_POST
def stop_chain(request: HttpRequest, pk: int) -> HttpResponse:
    selected = training_access.chain(user=request.user, pk=pk)
    chains.stop_chain(
        chain=selected, by=training_access.researcher(request.user), now=timezone.now()
    )
    return redirect("chain", pk)


def _is_stale(request: HttpRequest, chain: Chain) -> bool:
    """Whether the chain waits at another step than on the page, or at none."""
    halted = selectors.halted_link(chain=chain)
    return edit_conflicts.has_changed(request.POST, halted.pk if halted else None)


def _asks_for_plan(request: HttpRequest) -> bool:
    """Whether the page asks for the steps of the chain again, with what is typed so far."""
    return request.method == "GET" and request.headers.get("HX-Target") == "plan"


def _plan_of(request: HttpRequest, form: ScheduleForm) -> HttpResponse:
    return render(request, "training/schedules/_plan.html", {"steps": form.steps})


def _form_page(request: HttpRequest, form: ScheduleForm, schedule: Schedule | None) -> HttpResponse:
    context = {
        "form": form,
        "schedule": schedule,
        "template": form.template,
        "shape": form.shape,
        "steps": form.steps,
        "templates": chain_plans.menu(),
        "has_model": TrainedModel.objects.filter(kind=TrainedModel.Kind.POLICY).exists(),
        "lacks_raters": (
            steps.CAMPAIGN in form.shape.steps
            and not (Pool.objects.exists() and Guideline.objects.exists())
        ),
    }
    return render(
        request,
        "training/schedules/schedule_form.html",
        context,
        status=422 if form.errors else 200,
    )
