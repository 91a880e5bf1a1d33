"""Comparison of runs: what it comes to, settings that differ, what each run measured, and their
responses to the same prompts.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext

from arithmetic import plain_text
from knobs.fields import Knob
from pages.verdicts import Action, Verdict
from training.configs import kinds, roles
from training.configs.roles import Role
from training.models import Run
from training.processes.launch import Launch
from training.results import comparison, curves
from training.results.charts import ComparedCurves
from training.results.measures import result
from training.runs import run_queue
from training.runs.selectors import RunFilter, setting_in_words, visible_samples
from training.runs.selectors import runs as every_run

N_COMPARED = 6
N_OFFERED = 50
N_PROMPTS_SHOWN = 6
_JUDGES = ("reward_model", "other_model", "reference_model")
"""The roles of models that a run's figures depend on, besides the one that it is about."""


@dataclass(frozen=True)
class ComparedRow:
    """One row of a table with one column per run. `differs`: the cells are not all the same."""

    name: str | Promise
    cells: list[str]
    differs: bool


def runs_compared(*, pks: Collection[int]) -> list[Run]:
    """The runs with these ids, in this order; at most N_COMPARED. Unknown ids are skipped."""
    wanted = list(dict.fromkeys(pks))[:N_COMPARED]
    runs = Run.objects.select_related("snapshot", "ptx_snapshot", *roles.NAMES).in_bulk(wanted)
    return [runs[pk] for pk in wanted if pk in runs]


def names(runs: Sequence[Run]) -> list[str]:
    """With its number where several have the same name."""
    every = [run.name for run in runs]
    return [f"{run.name} ({run.pk})" if every.count(run.name) > 1 else run.name for run in runs]


def verdict(runs: Sequence[Run]) -> Verdict:
    """Of runs compared with the first. Suites are compared by scorecards."""
    if len(runs) < 2:
        return Verdict("")
    found = comparison.of_runs(
        [_judged(name, run) for name, run in zip(names(runs), runs, strict=True)]
    )
    models = dict.fromkeys(run.base_model_id for run in runs)
    if len(models) < 2 or not all(run_queue.reads_suites(run.kind) for run in runs):
        return found
    query = urlencode([("model", pk) for pk in models])
    cards = Action(
        gettext("Compare scorecards"), f"{reverse('scorecard_compare')}?{query}&order=age"
    )
    return found.with_actions([cards])


def _judged(name: str, run: Run) -> comparison.ComparedRun:
    judges = [
        (role, model.pk) for role, model in sorted(run.models_beside.items()) if role in _JUDGES
    ]
    return comparison.ComparedRun(
        name,
        run.kind,
        run.config,
        {} if run.is_dry or run.outcome != Run.Outcome.SUCCEEDED else run.metrics,
        (run.snapshot.fingerprint, run.metrics.get("held_out_split"), *judges),
        run.base_model_id,
    )


def curves_compared(runs: Sequence[Run]) -> list[ComparedCurves]:
    return [
        ComparedCurves(name, kinds.KINDS[run.kind], curves.curves(run=run))
        for name, run in zip(names(runs), runs, strict=True)
    ]


def runs_to_compare(*, beside: Sequence[Run], words: str = "") -> QuerySet[Run]:
    """Runs to offer for the comparison, newest first: of the same kinds as those already chosen.
    `words` searches as in the list of runs; a number also matches a run's id.
    """
    runs = every_run(narrowed=RunFilter(words=words))
    if (number := plain_text.whole_number(words)) is not None:
        runs = Run.objects.filter(Q(pk__in=runs.values("pk")) | Q(pk=number))
    offered = runs.exclude(pk__in=[run.pk for run in beside])
    if beside:
        offered = offered.filter(kind__in={run.kind for run in beside})
    return offered.order_by("-pk")[:N_OFFERED]


def settings_compared(*, runs: Sequence[Run]) -> list[ComparedRow]:
    """Inputs and settings that are not the same in all runs whose kinds have them. Empty for a
    single run.
    """
    about = [
        (gettext("Snapshot"), [run.snapshot.name for run in runs]),
        (
            gettext("Text for PPO-ptx"),
            [run.ptx_snapshot.name if run.ptx_snapshot else "" for run in runs],
        ),
        (gettext("Model"), [run.base_model.name for run in runs]),
        *((gettext(role.words), [_named(run, role) for run in runs]) for role in roles.BESIDE),
        (gettext("GPUs"), [str(run.n_gpus) for run in runs]),
        (gettext("Memory (GB)"), [str(run.memory_gb) for run in runs]),
        (gettext("Processes"), [_launched(run) for run in runs]),
        (gettext("Machines"), [str(Launch.from_json(run.launch).n_machines) for run in runs]),
    ]
    rows = [_row(name, cells) for name, cells in about]
    for name, knob in _settings(runs).items():
        own = [
            setting_in_words(knob, run.config.get(name))
            if any(setting.name == name for setting in kinds.knobs(run.kind))
            else None
            for run in runs
        ]
        rows.append(_row(gettext(knob.label), own))
    return [row for row in rows if row.differs]


def _settings(runs: Sequence[Run]) -> dict[str, Knob]:
    run_kinds = dict.fromkeys(run.kind for run in runs)
    return {knob.name: knob for kind in run_kinds for knob in kinds.knobs(kind)}


def _row(
    name: str | Promise, cells: Sequence[str | None], *, is_result: bool = False
) -> ComparedRow:
    """`None` for a run that has no such thing, which is no difference by itself."""
    distinct = {cell for cell in cells if cell is not None}
    words = str(name)
    title = capfirst(words) if words[:1].isascii() else words  # β stays β
    return ComparedRow(title, [cell or "–" for cell in cells], is_result or len(distinct) > 1)


def measures_compared(*, runs: Sequence[Run]) -> list[ComparedRow]:
    """The headline figures of their kinds come first. Where kinds differ each has rows of its own
    for them, because the losses of two kinds are different things, and what only one run has
    measured is left out.
    """
    results = [result(kind=run.kind, metrics=run.metrics) for run in runs]
    are_mixed = len({run.kind for run in runs}) > 1
    figures_of: list[dict[str, str]] = []
    headlines: list[str] = []
    for run, measured in zip(runs, results, strict=True):
        kind = f" ({run.kind_label})" if are_mixed else ""
        own = {f"{row.name}{kind}": row.figure for row in measured.headlines}
        headlines += own
        figures_of.append(own | {str(row.name): row.figure for row in measured.others})
    every = dict.fromkeys([*headlines, *(name for own in figures_of for name in own)])
    return [
        _row(
            name,
            [own.get(name) for own in figures_of],
            is_result=name in headlines and any(name not in own for own in figures_of),
        )
        for name in every
        if not are_mixed or sum(name in own for own in figures_of) > 1
    ]


def samples_compared(*, runs: Sequence[Run]) -> list[tuple[str, list[str]]]:
    """Prompts that at least two of the runs answered, with the newest response of each run."""
    written: dict[str, dict[int, str]] = {}
    newest_last = visible_samples(runs=runs).order_by("attempt", "step", "line")
    for run_id, prompt, response in newest_last.values_list("run_id", "prompt", "response"):
        written.setdefault(prompt, {})[run_id] = response
    shared = [(prompt, by_run) for prompt, by_run in written.items() if len(by_run) > 1]
    return [
        (prompt, [by_run.get(run.pk, "–") for run in runs])
        for prompt, by_run in shared[:N_PROMPTS_SHOWN]
    ]


def _named(run: Run, role: Role) -> str:
    model = run.models_beside.get(role.name)
    return model.name if model else "–"


def _launched(run: Run) -> str:
    launch = Launch.from_json(run.launch)
    if not launch.is_parallel:
        return str(launch.n_processes)
    words = (
        gettext("%(n)s with %(strategy)s, offloaded")
        if launch.offloads
        else gettext("%(n)s with %(strategy)s")
    )
    return words % {"n": launch.n_processes, "strategy": launch.strategy.upper()}
