"""The list of runs, the form that starts one, and a run's page, which refreshes itself."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseStopPolling

from accounts.models import User
from arithmetic import plain_text
from pages import list_pages
from pages.verdicts import Verdict
from training import access as training_access
from training.benchmarks.attacks import summary as attack_summary
from training.benchmarks.attacks import words as attack_words
from training.benchmarks.scorecards import run_scores
from training.benchmarks.suites import selectors as suites_selectors
from training.benchmarks.suites import services as suites_services
from training.configs import kinds, roles
from training.configs.knobs import RESPONSES
from training.models import Run, Seat, Snapshot, TrainedModel, kind_choices
from training.results import certainty as results_certainty
from training.results import charts as results_charts
from training.results import curves, differences_between_runs
from training.results import measures as results_measures
from training.revisions import selectors as revisions_selectors
from training.revisions import words as revisions_words
from training.runs import placement, run_queue
from training.runs import selectors as runs_selectors
from training.runs import services as runs_services
from training.runs.forms import run_form as runs_forms
from training.runs.forms.fields import PRESET_WORDS
from training.runs.multi_node import selectors as multi_node_selectors
from training.runs.selectors import RunFilter
from training.runs.views import behaviour, comparing, next_steps, shown_samples, unfinished
from training.runs.views.remarks import RemarksForm
from training.snapshots import selectors as snapshots_selectors
from training.snapshots.freeze import UnableToCreate
from training.spot_checks import chart as spot_checks_chart
from training.spot_checks import selectors as spot_checks_selectors
from training.storage import selectors as storage_selectors

RUNS_PER_PAGE = 30
N_LOG_LINES_SHOWN = 60


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The page; for htmx only the table."""
    narrowed = RunFilter(
        kind=request.GET.get("kind", ""),
        state=request.GET.get("state", ""),
        words=request.GET.get("words", "").strip(),
        sort=request.GET.get("sort", ""),
    )
    page = list_pages.shown(request, runs_selectors.runs(narrowed=narrowed), size=RUNS_PER_PAGE)
    context = {
        "narrowed": narrowed,
        "page": page,
        "rows": [_row(run) for run in page],
        "can_sort_by_result": _has_best(narrowed.kind),
        "is_live": runs_selectors.has_active(),
        "n_waiting": len(runs_selectors.queued_run_ids()),
        "kinds": kind_choices(),
        "training_kinds": [
            (kind, about.menu) for kind, about in kinds.KINDS.items() if about.leaves_model()
        ],
        "other_kinds": [
            (kind, about.menu) for kind, about in kinds.KINDS.items() if not about.leaves_model()
        ],
        "states": [*Run.State.choices[:2], *Run.Outcome.choices],
    }
    is_fragment = request.headers.get("HX-Target") == "runs"
    return render(
        request,
        "training/runs/_runs_table.html" if is_fragment else "training/runs/runs.html",
        context,
    )


@dataclass(frozen=True)
class RunRow:
    """A run in the list. `headline` is its first headline figure, if it has one."""

    run: Run
    share: float | None
    seconds: float | None
    headline: results_measures.MeasureRow | None


def _row(run: Run) -> RunRow:
    return RunRow(
        run,
        runs_selectors.share(run=run),
        runs_selectors.seconds(run=run, now=timezone.now()),
        next(iter(results_measures.result(kind=run.kind, metrics=run.metrics).headlines), None),
    )


def _has_best(kind: str) -> bool:
    return kind in kinds.KINDS and kinds.KINDS[kind].best is not None


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, kind: str) -> HttpResponse:
    if kind not in kinds.KINDS:
        raise Http404
    preset = request.POST.get("preset", "")
    if request.method == "GET":
        form = runs_forms.RunForm(kind=kind, initial=_initial(request, kind))
    elif preset in kinds.PRESETS[kind]:
        form = runs_forms.RunForm(
            kind=kind, initial=runs_forms.with_preset(request.POST, kind, preset)
        )
    else:
        form = runs_forms.RunForm(request.POST, kind=kind)
        if form.is_valid() and "cost" not in request.POST and (run := _queue(request, form)):
            return redirect("run", run.pk)
    origin, made_as = _origin(request)
    context = {
        "form": form,
        "origin": origin,
        "made_as": made_as,
        "forecast": form.forecast(now=timezone.now()) if "cost" in request.POST else None,
        "lacks_held_out": form.lacks_held_out if "cost" in request.POST else "",
        "kind": kind,
        "kind_words": gettext(kinds.KINDS[kind].label),
        "presets": [(name, PRESET_WORDS[name]) for name in kinds.PRESETS[kind]],
        "preset": (
            preset
            or (_default_preset() if request.method == "GET" and "from" not in request.GET else "")
        ),
        "snapshot_kind": run_queue.snapshot_kinds(kind)[0],
        "has_snapshot": _has_data(kind),
        "reads_suites": run_queue.reads_suites(kind),
        "has_model": TrainedModel.objects.exists(),
    }
    return render(
        request, "training/runs/run_new.html", context, status=422 if form.errors else 200
    )


def _has_data(kind: str) -> bool:
    if run_queue.reads_suites(kind):
        return suites_selectors.suites().exists()
    return Snapshot.objects.filter(kind__in=run_queue.snapshot_kinds(kind)).exists()


@require_POST
def cost(request: HttpRequest, kind: str) -> HttpResponse:
    """What the run in the form would cost, as a fragment."""
    if kind not in kinds.KINDS:
        raise Http404
    form = runs_forms.RunForm(request.POST, kind=kind)
    form.is_valid()
    context = {"forecast": form.forecast(now=timezone.now()), "lacks_held_out": form.lacks_held_out}
    return render(request, "training/runs/_cost.html", context)


@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    return page(request, training_access.run(user=request.user, pk=pk))


def page(
    request: HttpRequest, run: Run, *, remarks: RemarksForm | None = None, status: int = 200
) -> HttpResponse:
    """`remarks` as they were sent, if something is wrong with them."""
    context = _live(run, training_access.researcher(request.user))
    context["remarks"] = remarks or RemarksForm(run=run)
    return render(request, "training/runs/run.html", context, status=status)


def _live(run: Run, by: User) -> dict[str, object]:
    """What the live part shows; the scores of a benchmark by suite."""
    is_benchmark = run_queue.reads_suites(run.kind)
    scores = run_scores.of_run(run=run) if is_benchmark else []
    return {"run": run, "board": _board(run, by), "scores": scores}


@require_GET
def fragment(request: HttpRequest, pk: int) -> HttpResponse:
    """The live part of a run's page. The response to a finished run tells htmx to stop polling."""
    run = training_access.run(user=request.user, pk=pk)
    context = _live(run, training_access.researcher(request.user))
    response = render(request, "training/runs/_run_live.html", context)
    return (
        HttpResponseStopPolling(response.content) if run.state == Run.State.FINISHED else response
    )


@require_POST
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    run = training_access.run(user=request.user, pk=pk)
    if runs_services.request_stop(
        run=run, by=training_access.researcher(request.user), now=timezone.now()
    ):
        messages.info(request, _("The run stops at its next step and saves its state."))
    else:
        messages.info(request, _("The run had already ended."))
    return redirect("run", pk)


@require_http_methods(["GET", "POST"])
def kill(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks for confirmation first: nothing is saved."""
    run = training_access.run(user=request.user, pk=pk)
    if request.method == "GET" and run.state != Run.State.FINISHED:
        return render(request, "training/runs/run_kill.html", {"run": run})
    if request.method == "GET" or not runs_services.kill_run(
        run=run, by=training_access.researcher(request.user), now=timezone.now()
    ):
        messages.info(request, _("The run had already ended."))
    return redirect("run", pk)


@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    run = training_access.run(user=request.user, pk=pk)
    try:
        runs_services.retry_run(
            run=run, by=training_access.researcher(request.user), now=timezone.now()
        )
    except runs_services.UnableToRetry as problem:
        messages.warning(request, problem.sentence)
    else:
        begins = _(
            "The run is queued and starts at its first step, because its checkpoints were deleted."
        )
        goes_on = _("The run is queued and resumes from its last checkpoint.")
        if run.outcome == Run.Outcome.SUCCEEDED:
            begins = goes_on = _(
                "The run is queued. It asks what has no answer yet, and is scored again."
            )
        messages.success(request, begins if run.freed_at else goes_on)
    return redirect("run", pk)


@dataclass(frozen=True)
class Board:
    """The live part of a run's page."""

    live: runs_selectors.Live
    can_be_killed: bool
    can_be_given_up: bool
    resume: str
    """label of the button that asks what a succeeded run has not answered; "" if it has all"""
    can_train_on_best: bool
    can_train_on_revisions: bool
    chart_groups: list[results_charts.ChartGroup]
    samples: shown_samples.ShownSamples
    verdict: Verdict
    attack_rows: list[attack_words.Row]
    headlines: list[results_measures.MeasureRow]
    """beside the one that the verdict is about"""
    result: results_measures.Result
    certainty: results_certainty.Certainty | None
    breakdowns: list[results_measures.Breakdown]
    spot_checks: spot_checks_selectors.SpotChecks | None
    revisions: revisions_words.Shown | None
    preset: str
    differences: list[runs_selectors.Difference]
    changes: list[comparing.ComparedRow]
    log: str
    node: placement.NodeStatus | None
    seats: list[Seat]
    repeat: list[str]
    extended_by: str
    models: list[tuple[str, TrainedModel]]
    """(role, model) of the models beside the base model"""
    snapshot_heading: str
    shares: list[snapshots_selectors.Share]
    behaviour: behaviour.Behaviour | None

    @property
    def is_bare(self) -> bool:
        """Whether there is nothing to see of it yet."""
        return not (
            self.chart_groups or self.samples.rows or self.result.others or self.attack_rows
        )


def _revisions(run: Run) -> revisions_words.Shown | None:
    if not kinds.KINDS[run.kind].reads_principles:
        return None
    found = revisions_selectors.preferred(run=run)
    return revisions_words.shown(found) if found else None


def _board(run: Run, person: User) -> Board:
    preset, differences = runs_selectors.differences_from_preset(run=run)
    known = placement.nodes(now=timezone.now())
    about = kinds.KINDS[run.kind]
    result = results_measures.result(kind=run.kind, metrics=run.metrics)
    has_succeeded = run.outcome == Run.Outcome.SUCCEEDED
    attack = attack_summary.of_run(run)
    return Board(
        live=runs_selectors.live(run=run, now=timezone.now()),
        can_be_killed=runs_selectors.can_be_killed(run=run, now=timezone.now()),
        can_be_given_up=not storage_selectors.why_not_given_up(run=run),
        resume=unfinished.resume_label(run=run) if has_succeeded else "",
        can_train_on_best=(
            has_succeeded
            and about.leaves == RESPONSES
            and run.reward_model is not None
            and not run.is_dry
        ),
        can_train_on_revisions=has_succeeded and about.reads_principles and not run.is_dry,
        chart_groups=_charts(run),
        samples=shown_samples.shown_samples(run),
        verdict=next_steps.verdict(run=run, person=person, attack=attack, now=timezone.now()),
        attack_rows=attack.by_strategy if attack else [],
        headlines=[row for row in result.headlines if row.key not in about.headlines[:1]],
        result=result,
        certainty=results_certainty.certainty(metrics=run.metrics),
        breakdowns=results_measures.breakdowns(metrics=run.metrics),
        spot_checks=spot_checks_selectors.spot_checks(run=run),
        revisions=_revisions(run),
        preset=preset,
        differences=differences,
        changes=comparing.settings_compared(runs=[run.made_from, run]) if run.made_from else [],
        log="\n".join(run.log_tail.splitlines()[-N_LOG_LINES_SHOWN:]),
        node=(
            next((status for status in known if status.node.name == run.node), None)
            if run.state == Run.State.RUNNING
            else None
        ),
        seats=(
            list(multi_node_selectors.seats_of(run=run)) if run.state == Run.State.RUNNING else []
        ),
        repeat=_repeat(run, known) if run.state == Run.State.FINISHED and run.versions else [],
        extended_by=_extended_by(run),
        models=[
            (role.words, run.models_beside[role.name])
            for role in roles.BESIDE
            if role.name in run.models_beside
        ],
        snapshot_heading=about.snapshot_heading,
        shares=snapshots_selectors.shares(snapshot=run.snapshot),
        behaviour=behaviour.behaviour(run=run) if run.state == Run.State.FINISHED else None,
    )


def _charts(run: Run) -> list[results_charts.ChartGroup]:
    """A kind that measures only once has no curves, but may have calibration and margins."""
    about = kinds.KINDS[run.kind]
    about_pairs = [
        results_charts.calibration(run.metrics.get("calibration", [])),
        results_charts.margins(run.metrics.get("margins", [])),
    ]
    drawn = curves.curves(run=run) if about.has_curves else {}
    by_raters = spot_checks_chart.chart(run=run, curves=drawn)
    return results_charts.charts(
        about,
        drawn,
        n_steps=run.n_steps,
        about_pairs=[chart for chart in (by_raters, *about_pairs) if chart],
        metrics=run.metrics,
    )


def _repeat(run: Run, known: list[placement.NodeStatus]) -> list[str]:
    past = differences_between_runs.PastRun(
        run.node, run.attempt, run.n_gpus, run.versions, run.config, run.base_model.location
    )
    machines = [
        differences_between_runs.Machine(status.node.name, status.node.versions)
        for status in known
        if status.is_alive
    ]
    return differences_between_runs.differences(past, machines)


def _extended_by(run: Run) -> str:
    """The label of the setting that an extension raises; "" if the run cannot be extended."""
    name = run_queue.extended_by(run=run)
    if run.state != Run.State.FINISHED or run.kept_step is None or name is None:
        return ""
    return next(gettext(knob.label) for knob in kinds.knobs(run.kind) if knob.name == name)


def _initial(request: HttpRequest, kind: str) -> dict[str, object]:
    """Initial values of the form: a preset, or the settings of the run given by ?from=."""
    if like := plain_text.whole_number(request.GET.get("from", "")):
        run = training_access.run(user=request.user, pk=like)
        if run.kind == kind:
            return {
                "name": run.name,
                "snapshot": run.snapshot_id,
                "ptx_snapshot": run.ptx_snapshot_id,
                "spot_pool": run.spot_pool_id,
                "spot_guideline": run.spot_guideline_id,
                "suites": _suites_in(run.snapshot),
                **{name: getattr(run, f"{name}_id") for name in roles.NAMES},
                "n_gpus": run.n_gpus,
                "memory_gb": run.memory_gb,
                **run.launch,
                "tags": ", ".join(run.tags),
                **run.config,
            }
    choices = ("snapshot", *roles.NAMES)
    wanted: dict[str, object] = {
        name: request.GET[name]
        for name in choices
        if plain_text.whole_number(request.GET.get(name, ""))
    }
    name = runs_forms.proposed_name(
        kind=kind,
        snapshot=_likely_snapshot(request, kind),
        model=_tested_model(wanted) if run_queue.reads_suites(kind) else None,
        today=timezone.localdate(),
    )
    if run_queue.reads_suites(kind):
        wanted["suites"] = _wanted_suites(request)
    return {"name": name} | wanted | runs_forms.preset_values(kind, _default_preset())


def _tested_model(wanted: dict[str, Any]) -> TrainedModel | None:
    return (
        TrainedModel.objects.filter(pk=wanted[roles.BASE]).first() if roles.BASE in wanted else None
    )


def _wanted_suites(request: HttpRequest) -> list[int]:
    """The suites given by ?suite=, as often as there are some, or those of ?snapshot=."""
    asked = [plain_text.whole_number(value) for value in request.GET.getlist("suite")]
    snapshot = plain_text.whole_number(request.GET.get("snapshot", ""))
    frozen = Snapshot.objects.filter(pk=snapshot).first() if snapshot else None
    return [pk for pk in asked if pk] or (_suites_in(frozen) if frozen else [])


def _suites_in(snapshot: Snapshot) -> list[int]:
    return [suite["suite"] for suite in snapshot.card.get("suites", ())]


def _likely_snapshot(request: HttpRequest, kind: str) -> Snapshot | None:
    """The snapshot given by ?snapshot=, or the only one that such a run takes."""
    if run_queue.reads_suites(kind):
        return None
    offered = Snapshot.objects.filter(kind__in=run_queue.snapshot_kinds(kind))
    if asked := plain_text.whole_number(request.GET.get("snapshot", "")):
        return offered.filter(pk=asked).first()
    likely = offered[:2]
    return likely[0] if len(likely) == 1 else None


def _origin(request: HttpRequest) -> tuple[Run | None, str]:
    """The run that the new one is made from (?from=), and how (?as=)."""
    if not (like := plain_text.whole_number(request.GET.get("from", ""))):
        return None, ""
    made_as = request.GET.get("as", "")
    return training_access.run(user=request.user, pk=like), (
        made_as if made_as == Run.MadeAs.RETRY else Run.MadeAs.COPY
    )


def _default_preset() -> str:
    """A demo runs on a laptop."""
    return "small" if settings.MODE == "demo" else runs_selectors.DEFAULT_PRESET


def _queue(request: HttpRequest, form: runs_forms.RunForm) -> Run | None:
    chosen, by = form.cleaned_data, training_access.researcher(request.user)
    origin, made_as = _origin(request)
    try:
        snapshot = chosen.get("snapshot") or suites_services.suites_snapshot(
            suites=chosen["suites"], by=by, now=timezone.now()
        )
        return run_queue.queue_run(
            kind=form.kind,
            name=chosen["name"],
            config=chosen["config"],
            snapshot=snapshot,
            base_model=chosen["base_model"],
            models=form.models,
            ptx_snapshot=chosen.get("ptx_snapshot"),
            raters=form.raters,
            options=form.options(is_dry="dry" in request.POST),
            made_from=origin,
            made_as=made_as,
            by=by,
            now=timezone.now(),
        )
    except run_queue.UnableToPlan as refused:
        form.refuse(refused.problems)
        return None
    except (run_queue.UnableToQueue, UnableToCreate) as problem:
        form.add_error(None, problem.sentence)
        return None
