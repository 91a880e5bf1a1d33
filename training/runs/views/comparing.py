"""Comparison of runs: settings that differ, what each run measured, and their responses to the same
prompts.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext

from arithmetic import plain_text
from knobs.fields import Knob
from training.configs import kinds, roles
from training.configs.roles import Role
from training.models import Run
from training.processes.launch import Launch
from training.results.measures import result
from training.runs.selectors import RunFilter, setting_in_words, visible_samples
from training.runs.selectors import runs as every_run

N_COMPARED = 6
N_OFFERED = 50
N_PROMPTS_SHOWN = 6


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
    """The headline figures of their kinds come first."""
    results = [result(kind=run.kind, metrics=run.metrics) for run in runs]
    figures_of = [
        {str(row.name): row.figure for row in (*measured.headlines, *measured.others)}
        for measured in results
    ]
    headlines = [str(row.name) for measured in results for row in measured.headlines]
    names = dict.fromkeys([*headlines, *(name for measured in figures_of for name in measured)])
    return [
        _row(
            name,
            [measured.get(name) for measured in figures_of],
            is_result=name in headlines and any(name not in measured for measured in figures_of),
        )
        for name in names
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
