"""Queries for the list of runs and for a run's page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import DurationField, Expression, ExpressionWrapper, F, OrderBy, Q, QuerySet
from django.db.models.functions import Coalesce, Lower, Now
from django.utils.translation import gettext

from knobs.fields import Knob
from labeling import access as labeling_access
from labeling.guidelines import selectors as guidelines_selectors
from training.configs import kinds
from training.configs.knobs import Settings
from training.models import Run, RunPoint, RunSample
from training.processes.run_lines import shown_prompt
from training.runs.placement import queued_runs

N_SAMPLES_SHOWN = 20


DEFAULT_PRESET = "balanced"


# A run without a new step for this long may be hanging, so the page offers to force-stop it.
STALLED_AFTER = timedelta(minutes=5)


ORDERS: Mapping[str, F | Expression] = {
    "name": Lower("name"),
    "queued": F("created_at"),
    "duration": ExpressionWrapper(
        Coalesce("finished_at", Now()) - F("started_at"), output_field=DurationField()
    ),
}


@dataclass(frozen=True)
class RunFilter:
    """Filters of the list; empty means all. `state` is a state or an outcome. `sort`: a key of
    ORDERS, with "-" in front for the reverse; empty for the newest first.
    """

    kind: str = ""
    state: str = ""
    words: str = ""
    sort: str = ""

    @property
    def is_narrow(self) -> bool:
        return bool(self.kind or self.state or self.words)


@dataclass(frozen=True)
class Live:
    """Progress of a run. `share` goes from 0 to 1, None before the first step. `left_s` is the
    estimated time left, None if unknown.
    """

    share: float | None
    left_s: float | None
    is_silent: bool


@dataclass(frozen=True)
class Difference:
    """A setting that differs from the preset, in words."""

    label: str
    value: str
    was: str


def queued_run_ids() -> list[int]:
    """In the order in which they start."""
    return list(queued_runs().values_list("pk", flat=True))


def running_attempt(*, run_id: int, attempt: int) -> QuerySet[Run]:
    """The run, as long as this attempt of it goes on."""
    return Run.objects.filter(pk=run_id, attempt=attempt, state=Run.State.RUNNING)


def runs(*, narrowed: RunFilter) -> QuerySet[Run]:
    """The newest first, unless the filter says otherwise."""
    rows = Run.objects.select_related(
        "created_by", "snapshot", "base_model", "trained_model"
    ).defer("log_tail")
    queryset = rows.order_by(*_order(narrowed), "-created_at", "-pk")
    if narrowed.kind:
        queryset = queryset.filter(kind=narrowed.kind)
    if narrowed.state:
        queryset = queryset.filter(Q(state=narrowed.state) | Q(outcome=narrowed.state))
    for word in narrowed.words.split():
        queryset = queryset.filter(
            Q(name__icontains=word)
            | Q(base_model__name__icontains=word)
            | Q(snapshot__name__icontains=word)
            | Q(tags__icontains=word)
            | Q(remarks__icontains=word)
        )
    return queryset


def _order(narrowed: RunFilter) -> list[OrderBy]:
    """The result can be sorted by within one kind: those of others are not comparable."""
    key = narrowed.sort.removeprefix("-")
    expression = ORDERS.get(key)
    if key == "result" and (about := kinds.KINDS.get(narrowed.kind)) and about.best:
        expression = F(f"metrics__{about.best.metric}")
    if expression is None:
        return []
    if narrowed.sort.startswith("-"):
        return [expression.desc(nulls_last=True)]
    return [expression.asc(nulls_last=True)]


def seconds(*, run: Run, now: datetime) -> float | None:
    """From its start to its end, or until now; None if it has not started."""
    if run.started_at is None:
        return None
    return max(0.0, ((run.finished_at or now) - run.started_at).total_seconds())


def has_active() -> bool:
    return Run.objects.exclude(state=Run.State.FINISHED).exists()


def share(*, run: Run) -> float | None:
    """Progress from 0 to 1; None before the first step."""
    return min(1.0, run.step / run.n_steps) if run.n_steps else None


def live(*, run: Run, now: datetime) -> Live:
    """The time left is estimated from this attempt alone: earlier attempts may have used another
    node, and time in the queue must not count. None for a run that is silent or
    about to stop.
    """
    done = share(run=run)
    if run.state != Run.State.RUNNING or not run.n_steps:
        return Live(done, None, is_silent=False)
    silence = timedelta(seconds=max(30, 4 * settings.RUN_HEARTBEAT_S))
    is_silent = run.heartbeat_at is not None and now - run.heartbeat_at > silence
    own = RunPoint.objects.filter(run=run, attempt=run.attempt)
    ends = [own.order_by(order).values_list("step", "at").first() for order in ("step", "-step")]
    goes_on = not is_silent and run.stop_requested_at is None
    if not goes_on or ends[0] is None or ends[1] is None or ends[1][0] <= ends[0][0]:
        return Live(done, None, is_silent)
    (first, began), (last, ended) = ends[0], ends[1]
    per_step_s = (ended - began).total_seconds() / (last - first)
    left_s = per_step_s * (run.n_steps - last) - (now - ended).total_seconds()
    return Live(done, max(1.0, left_s) if last < run.n_steps else None, is_silent)


def can_be_killed(*, run: Run, now: datetime) -> bool:
    """Whether to offer a force-stop: somebody has already asked the run to stop, or it has made no
    progress for minutes.
    """
    if run.state != Run.State.RUNNING:
        return False
    moved_at = run.progress_at or run.started_at
    return run.stop_requested_at is not None or (
        moved_at is not None and now - moved_at > STALLED_AFTER
    )


def visible_samples(*, runs: Sequence[Run]) -> QuerySet[RunSample]:
    """Without those to a prompt with words of somebody who has withdrawn."""
    samples = RunSample.objects.filter(run__in=runs)
    withdrawn = {shown_prompt(chat) for chat in labeling_access.chats_of_withdrawn()}
    if not withdrawn:
        return samples
    prompts = set(samples.values_list("prompt", flat=True).distinct())
    return samples.exclude(prompt__in=prompts & withdrawn)


def newest_samples(*, run: Run) -> list[RunSample]:
    """N_SAMPLES_SHOWN of them."""
    newest = (F("attempt").desc(), F("step").desc(), "line")
    return list(visible_samples(runs=[run]).order_by(*newest)[:N_SAMPLES_SHOWN])


def differences_from_preset(*, run: Run) -> tuple[str, list[Difference]]:
    """The preset nearest to the run's config, and the settings that differ from it."""
    ranked = [
        (name, _differences(run, preset))
        for name, preset in kinds.PRESETS.get(run.kind, {}).items()
    ]
    # The default preset wins a tie.
    return min(
        ranked,
        key=lambda pair: (len(pair[1]), pair[0] != DEFAULT_PRESET),
        default=(DEFAULT_PRESET, []),
    )


def setting_in_words(knob: Knob, value: object) -> str:
    """The value of a setting as people read it; of a choice its name."""
    if knob.choices and isinstance(value, str) and value in knob.choices:
        return gettext(knob.choices[value]).partition(":")[0]
    if knob.name == "constitution" and isinstance(value, int):
        if not value:
            return gettext("none")
        version = guidelines_selectors.constitution(version=value)
        return str(version["guideline"]) if version else str(value)
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, float):
        return f"{value:g}"
    return "–" if value is None else str(value)


def _differences(run: Run, preset: Settings) -> list[Difference]:
    usual = kinds.as_json(preset)
    return [
        Difference(
            gettext(knob.label),
            setting_in_words(knob, run.config.get(knob.name, knob.default)),
            setting_in_words(knob, usual[knob.name]),
        )
        for knob in kinds.knobs(run.kind)
        if run.config.get(knob.name, knob.default) != usual[knob.name]
    ]


def sampled_sources(*, run: Run) -> list[int]:
    """The sources of all models that have answered the same snapshot of prompts."""
    answered = Run.objects.filter(
        kind=run.kind,
        snapshot=run.snapshot_id,
        outcome=Run.Outcome.SUCCEEDED,
        is_dry=False,
        base_model__source__isnull=False,
    )
    sources = answered.order_by("base_model__source")
    return [pk for pk in sources.values_list("base_model__source", flat=True).distinct() if pk]
