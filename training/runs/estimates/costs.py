"""Forecast of a run: configs.cost.estimates applied to what is known of its snapshot and models,
and a duration from past runs.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from training.configs import kinds, roles
from training.configs.cost import estimates
from training.configs.cost.estimates import Cost
from training.configs.cost.sizes import Inputs, Rows, Shape, SuiteSize
from training.configs.knobs import Settings, SpotCheckKnobs
from training.configs.roles import NONE
from training.models import Run, Snapshot, TrainedModel
from training.processes import run_dir
from training.processes.launch import SINGLE_PROCESS, Launch
from training.runs.estimates import plan, planned
from training.runs.estimates.plan import Asked
from training.runs.estimates.planned import Planned
from training.storage import artifacts

CONFIG_BYTES = 1024**2
"""The largest config.json that is read; those of large models have 50 KB."""
N_ROWS_READ = 200
N_RUNS_READ = 50


@dataclass(frozen=True)
class Pace:
    """How long the run would take on one kind of device, judged by past runs of its kind. `device`
    is the name the child process reported.
    """

    device: str
    seconds: float
    n_runs: int
    n_processes: int = 1
    """per run, over all its machines"""
    is_as_wide: bool = True
    """whether those runs used as many processes and machines as this one requests"""


@dataclass(frozen=True)
class Forecast:
    cost: Cost
    paces: list[Pace]
    is_shape_known: bool
    n_votes: int
    """what its spot checks ask of raters in all"""
    planned: Planned
    """what it would hold on the nodes"""


def forecast(
    *,
    kind: str,
    config: Settings,
    snapshot: Snapshot,
    base_model: TrainedModel,
    models: Mapping[str, TrainedModel] = NONE,
    launch: Launch = SINGLE_PROCESS,
    rows: Rows | None = None,
    n_gpus: int = 0,
    memory_gb: int = 0,
    now: datetime,
) -> Forecast:
    """Estimates a run before it starts. `models` are those beside the base model, by role. Reads
    the start of the snapshot's file, unless its `rows` are known, and the model's config.json if
    they are on this machine.
    """
    shape, known = shape_of(model=base_model), config_of(model=base_model)
    inputs = inputs_of(snapshot=snapshot, base_model=base_model, models=models)
    beside = _shapes(models, shape) if shape else NONE
    rows = rows or rows_of(snapshot=snapshot)
    cost = estimates.cost(config, rows, inputs, shape, beside)
    n_votes = (
        config.n_spot_votes(cost.n_steps, rows.n_held_out)
        if isinstance(config, SpotCheckKnobs)
        else 0
    )
    if shape is None or estimates.is_mixture(known):
        misfits = tuple(plan.launch_misfits(config, launch, n_gpus))
        held = Planned(misfits, unknown=_why_unknown(base_model, known))
    else:
        asked = Asked(config, shape, rows, n_gpus, launch, beside, known)
        is_measured = _has_dry_run(base_model, asked)
        held = planned.on_nodes(asked, memory_gb=memory_gb, is_measured=is_measured, now=now)
    return Forecast(
        cost, paces(kind=kind, cost=cost, launch=launch), shape is not None, n_votes, held
    )


def _has_dry_run(model: TrainedModel, asked: Asked) -> bool:
    """Whether a dry run with these settings, on as many GPUs, has succeeded."""
    done = Run.objects.filter(is_dry=True, outcome=Run.Outcome.SUCCEEDED, base_model=model)
    settled = {"kind": asked.config.kind, "config": kinds.as_json(asked.config)}
    return done.filter(n_gpus=asked.n_gpus, launch=asked.launch.as_json(), **settled).exists()


def _why_unknown(model: TrainedModel, known: Mapping[str, Any]) -> str:
    if estimates.is_mixture(known):
        return _(plan.MIXTURE)
    if hasattr(model, "endpoint"):
        return _("An external model runs elsewhere, so this site's nodes hold none of it.")
    return _(
        "What each GPU would hold is not known: the model's config.json is not on this machine, or"
        " names its sizes otherwise."
    )


def inputs_of(
    *, snapshot: Snapshot, base_model: TrainedModel, models: Mapping[str, TrainedModel]
) -> Inputs:
    """What a run with these is given. `models` are those beside the base model, by role."""
    return Inputs(
        snapshot.kind,
        base_model.kind,
        frozenset(models),
        suites=tuple(
            SuiteSize(suite["kind"], suite["n_items"]) for suite in snapshot.card.get("suites", ())
        ),
        is_endpoint=hasattr(base_model, "endpoint"),
    )


def _shapes(models: Mapping[str, TrainedModel], usual: Shape) -> dict[str, Shape]:
    """By role. A model of unknown shape counts like another of its kind, or like the base model."""
    shapes: dict[str, Shape] = {}
    by_kind: dict[str, Shape] = {}
    for role in roles.BESIDE:
        if role.name in models:
            known = shape_of(model=models[role.name]) or by_kind.get(role.kind, usual)
            shapes[role.name] = by_kind[role.kind] = known
    return shapes


def shape_of(*, model: TrainedModel) -> Shape | None:
    """Read from the model's folder; otherwise from the metrics of its run, or of a run that started
    from it. None if unknown.
    """
    if (path := _config_path(model)) is not None:
        return estimates.shape_of(read_config(path))
    known = model.metrics.get("shape")
    if known is None:
        runs = Run.objects.filter(base_model=model, metrics__has_key="shape").order_by("-pk")
        known = runs.values_list("metrics__shape", flat=True).first()
    return Shape(**known) if known else None


def config_of(*, model: TrainedModel) -> dict[str, Any]:
    """Its config.json; empty if that is not on this machine."""
    path = _config_path(model)
    return read_config(path) if path else {}


def _config_path(model: TrainedModel) -> Path | None:
    path = Path(artifacts.resolve(model.location)) / "config.json"
    return path if artifacts.is_folder(model.location) and path.is_file() else None


def read_config(path: Path) -> dict[str, Any]:
    """Empty if it is too large, or nothing that a model has: the folder may be of somebody else."""
    with path.open("rb") as file:
        content = file.read(CONFIG_BYTES + 1)
    try:
        config = json.loads(content) if len(content) <= CONFIG_BYTES else None
    except (ValueError, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}


def rows_of(*, snapshot: Snapshot, contents: Sequence[dict[str, Any]] | None = None) -> Rows:
    """From the snapshot's card. Lengths are averages over the first rows of its file, if that is on
    this machine, or over `contents`.
    """
    card, splits = snapshot.card, snapshot.card.get("splits", {})
    n_train = splits.get("train", snapshot.n_rows)
    share = n_train / snapshot.n_rows if snapshot.n_rows else 1.0
    read = _read(snapshot) if contents is None else contents
    prompt, response, n_responses = _lengths(snapshot, read)
    return Rows(
        n_rows=n_train,
        n_prompts=max(1, round(card.get("prompts", snapshot.n_rows) * share)),
        n_pairs=card.get("pairs", {}).get("train", 0),
        n_held_out=splits.get("validation", 0) or splits.get("test", 0),
        prompt_tokens=prompt,
        response_tokens=response,
        n_responses=n_responses,
        n_test=splits.get("test", 0),
        n_total_rows=snapshot.n_rows,
    )


def paces(*, kind: str, cost: Cost, launch: Launch = SINGLE_PROCESS) -> list[Pace]:
    """Seconds by device: tokens × parameters × the median seconds per token and parameter of past
    runs.

    Past runs with the same number of processes and machines are preferred. If there are none, the
    nearest are used unscaled, since nobody knows how well a run scales before it is tried.
    """
    if cost.n_parameters is None:
        return []
    past = Run.objects.filter(
        kind=kind, outcome=Run.Outcome.SUCCEEDED, is_dry=False, metrics__has_key="seconds"
    )
    seen = past.order_by("-pk").values_list("estimate", "metrics", "versions", "launch")[
        :N_RUNS_READ
    ]
    rates: dict[str, dict[tuple[int, int], list[float]]] = defaultdict(lambda: defaultdict(list))
    for estimate, metrics, versions, raw in seen:
        size = (estimate.get("n_tokens") or 0) * (estimate.get("n_parameters") or 0)
        if size and "device" in versions:
            rates[versions["device"]][_width(Launch.from_json(raw))].append(
                metrics["seconds"] / size
            )
    size, wanted = cost.n_tokens * cost.n_parameters, _width(launch)
    listed = []
    for device, by_width in sorted(rates.items()):
        width = min(by_width, key=lambda width: (_apart(width, wanted), width))
        seconds = median(by_width[width]) * size
        listed.append(
            Pace(
                device,
                seconds,
                len(by_width[width]),
                width[0] * width[1],
                is_as_wide=width == wanted,
            )
        )
    return listed


def _width(launch: Launch) -> tuple[int, int]:
    return launch.n_processes, launch.n_machines


def _apart(pace: tuple[int, int], other_pace: tuple[int, int]) -> tuple[int, int]:
    return abs(pace[0] * pace[1] - other_pace[0] * other_pace[1]), abs(pace[1] - other_pace[1])


def _read(snapshot: Snapshot) -> list[dict[str, Any]]:
    """The first rows of its file; none if that is not on this machine."""
    split = "test" if snapshot.kind == Snapshot.Kind.SUITES else "train"
    path = Path(settings.SNAPSHOTS_DIR) / snapshot.folder / f"{split}.jsonl"
    return list(islice(run_dir.read_lines(path), N_ROWS_READ)) if path.is_file() else []


def _lengths(snapshot: Snapshot, rows: Sequence[dict[str, Any]]) -> tuple[float, float, float]:
    """(tokens per prompt, tokens per response, responses per row), estimated from characters.
    Defaults without rows.
    """
    if not rows:
        return 128.0, 256.0, 4.0 if snapshot.kind == Snapshot.Kind.COMPARISONS else 1.0
    prompts = [_n_tokens(_prompt(row)) for row in rows]
    written = [_responses(row) for row in rows]
    n_responses = sum(map(len, written))
    n_tokens = sum(_n_tokens([text]) for texts in written for text in texts)
    return sum(prompts) / len(rows), n_tokens / max(n_responses, 1), n_responses / len(rows)


def _prompt(row: dict[str, Any]) -> list[str]:
    """A task of lm-evaluation-harness writes its prompts from a record, `row`."""
    record = row.get("row", {})
    return [*map(str, record.values()), *(turn["content"] for turn in row.get("prompt", []))]


def _responses(row: dict[str, Any]) -> list[str]:
    if "suite" in row:
        named = [row[name] for name in ("better", "worse") if name in row]
        return [*row.get("choices", ()), *row.get("responses", ()), *named]
    if "responses" in row:
        return [response["text"] for response in row["responses"]]
    if "completion" in row:
        return [message["content"] for message in row["completion"]]
    return [row["text"]] if "text" in row else []


def _n_tokens(texts: Iterable[str]) -> float:
    return sum(map(len, texts)) / estimates.CHARACTERS_A_TOKEN
