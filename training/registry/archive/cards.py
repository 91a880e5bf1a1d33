"""A model's card and its lineage as JSON. Both are published with the weights, so a generated card
is Markdown in English whatever the reader's language is.
"""

import json
from collections import Counter
from typing import Any

from django.utils import translation

from labeling.models import Judgment
from training.benchmarks.scorecards import selectors as scorecards_selectors
from training.benchmarks.scorecards.pages import exports
from training.models import Endpoint, Snapshot, TrainedModel
from training.processes.run_dir import counted
from training.registry.selectors import LineageStep, lineage, reward_lineages
from training.results import certainty
from training.results.measures import measures
from training.snapshots.selectors import best_response_runs
from training.verdicts import look_names

_HUB_LICENCES = {
    "apache-2.0",
    "mit",
    "cc-by-4.0",
    "cc-by-sa-4.0",
    "cc0-1.0",
    "cc-by-nc-4.0",
    "bsd-3-clause",
    "gpl-3.0",
    "openrail",
}


def card_text(*, model: TrainedModel) -> str:
    """The card that a person wrote, or else a generated one."""
    return model.card or generated_card(model=model)


def generated_card(*, model: TrainedModel) -> str:
    steps = lineage(model=model)
    reward_steps = [step for line in reward_lineages(steps=steps) for step in line]
    parts = [
        _front(model, steps),
        f"# {model.name}",
        _opening(model),
        "## Lineage",
        "\n".join(_origin(step) for step in steps),
    ]
    if reward_steps:
        parts += [
            "## Reward models",
            "\n".join(_origin(step) for step in reward_steps),
        ]
    parts += [
        "## Licences",
        "\n".join(f"- {line}" for line in _licence_lines([*steps, *reward_steps])),
    ]
    with translation.override("en"):
        sureness = _sureness(model)
        measured = measures(kind=model.run.kind if model.run else "", metrics=model.metrics)
        benchmarks = exports.markdown(scorecards_selectors.scorecard(models=[model]))
    if measured:
        rows = "\n".join(f"| {row.name} | {row.before or '–'} | {row.figure} |" for row in measured)
        parts += ["## Results", f"| Measure | Before | After |\n|---|---|---|\n{rows}"]
    if sureness:
        parts.append(sureness)
    if benchmarks:
        parts += ["## Benchmarks", benchmarks]
    if model.run is not None:
        settings = json.dumps(model.run.config, indent=1, ensure_ascii=False)
        parts += ["## Settings", f"```json\n{settings}\n```"]
    if model.notes:
        parts += ["## Notes", model.notes]
    return "\n\n".join(parts) + "\n"


def lineage_json(*, model: TrainedModel) -> dict[str, Any]:
    """From this model back to its base: the run, settings and data of each step.

    `rewards`: the same for each reward model involved. `scores`: its scorecard, which a card that
    a person wrote may not have.
    """
    steps = lineage(model=model)
    rewards = [
        {"model": line[0].model.name, "steps": [_step_json(step) for step in line]}
        for line in reward_lineages(steps=steps)
    ]
    return {
        "model": model.name,
        "steps": [_step_json(step) for step in steps],
        "rewards": rewards,
        "scores": exports.records(scorecards_selectors.scorecard(models=[model])),
    }


def licences(*, model: TrainedModel) -> list[tuple[str, str, list[tuple[str, int]]]]:
    """(model, its licence, rows of training data by licence) for each step of the lineage."""
    return [
        (step.model.name, step.model.licence, _data_licences(step)) for step in _all_steps(model)
    ]


def n_judgments_behind(*, model: TrainedModel) -> int:
    """People's judgments in all snapshots of the lineage and in those of its reward models, each
    once.
    """
    snapshots = [step.snapshot.pk for step in _all_steps(model) if step.snapshot is not None]
    return (
        Judgment.versions_of_people.filter(memberships__snapshot__in=snapshots).distinct().count()
        if snapshots
        else 0
    )


def _all_steps(model: TrainedModel) -> list[LineageStep]:
    """The model's lineage, then the lineages of its reward models."""
    steps = lineage(model=model)
    return [*steps, *(step for line in reward_lineages(steps=steps) for step in line)]


def is_elsewhere(*, model: TrainedModel) -> bool:
    """Whether it is an external model."""
    return Endpoint.objects.filter(model=model).exists()


def _front(model: TrainedModel, steps: list[LineageStep]) -> str:
    """The metadata that hubs read: licence, base model and tags."""
    licence = model.licence.lower()
    lines = [f"license: {licence if licence in _HUB_LICENCES else 'other'}"]
    if licence and licence not in _HUB_LICENCES:
        lines.append(f"license_name: {json.dumps(model.licence)}")
    base = steps[-1].model
    if base != model and not base.location.startswith("/") and "://" not in base.location:
        lines.append(f"base_model: {base.location}")
    tags = ["preferably", *([model.run.kind] if model.run else [])]
    pipeline = (
        "text-classification" if model.kind == TrainedModel.Kind.REWARD else "text-generation"
    )
    lines += [f"pipeline_tag: {pipeline}", "tags:", *(f"- {tag}" for tag in tags)]
    return "---\n" + "\n".join(lines) + "\n---"


def _opening(model: TrainedModel) -> str:
    kind = "A reward model" if model.kind == TrainedModel.Kind.REWARD else "A language model"
    stage = TrainedModel.Stage(model.stage).value
    return f"{kind} ({stage}), registered {model.created_at:%Y-%m-%d}."


def _sureness(model: TrainedModel) -> str:
    """How a reward model's differences become probabilities, and whether these hold."""
    measured = certainty.certainty(metrics=model.metrics)
    if measured is None or measured.says_nothing:
        return measured.verdict if measured else ""
    return (
        f"Divide a difference of two rewards by {model.metrics['temperature']:.4g}: the logistic"
        " function of the result is the probability that raters prefer the response with the"
        f" higher one. {measured.verdict}"
    )


def _origin(step: LineageStep) -> str:
    if step.model.parent is not None and step.run is None:
        return (
            f"- **{step.model.name}** is {step.model.parent.name} served by an external endpoint:"
            f" `{step.model.location}`."
        )
    if step.run is None or step.snapshot is None:
        return f"- **{step.model.name}** is a base model: `{step.model.location}`."
    parent = step.model.parent.name if step.model.parent else "random weights"
    data = (
        f"{step.snapshot.name} ({step.snapshot.n_rows} {step.snapshot.kind}, fingerprint"
        f" `{step.snapshot.fingerprint[:16]}`)"
    )
    if n := step.snapshot.card.get("demonstrations"):
        data += f" with {counted(n, 'demonstration')} beside them"
    if mixed := step.run.ptx_snapshot:
        data += (
            f", mixed with {mixed.name} ({mixed.n_rows} {mixed.kind}, fingerprint"
            f" `{mixed.fingerprint[:16]}`)"
        )
    chosen = [
        f"{run.base_model} in “{run}”, selected by {run.reward_model}"
        for run in best_response_runs(snapshot=step.snapshot)
    ]
    if chosen:
        is_paired = step.snapshot.kind == Snapshot.Kind.COMPARISONS
        which = "best responses against the worst" if is_paired else "best responses"
        data += f", the {which} of {'; '.join(chosen)}"
    if step.snapshot.filters.get("best_voted_in"):
        data += ", the responses that raters preferred"
    data += _verdicts(step.snapshot)
    run = f"the {step.run.kind} run “{step.run.name}”"
    rewarded = f", with rewards from {step.run.reward_model}" if step.run.reward_model else ""
    if step.run.reference_model:
        rewarded += f", with the KL measured to {step.run.reference_model}"
    return f"- **{step.model.name}** was trained by {run} from {parent} on {data}{rewarded}."


def _verdicts(snapshot: Snapshot) -> str:
    """How many of its rows that train are verdicts of judges, and by what right."""
    judges = snapshot.card.get("verdicts", {}).get("judges", [])
    if not judges:
        return ""
    looks = look_names.named(looks=[one["look"] for one in judges if one["look"]])
    listed = (
        f"{one['judge']} version {one['number']}"
        f" ({100 * one['share']:.1f} % of the rows that train, {100 * one['share_of_weight']:.1f} %"
        f" of their weight, allowed by {looks[one['look']].name if one['look'] else 'no look'})"
        for one in judges
    )
    return f", with verdicts of AI judges: {'; '.join(listed)}"


def _licence_lines(steps: list[LineageStep]) -> list[str]:
    lines = []
    for step in steps:
        lines.append(f"{step.model.name}: {step.model.licence or 'unknown'}")
        data = ", ".join(
            f"{n} rows {name or 'without a licence'}" for name, n in _data_licences(step)
        )
        if data:
            lines.append(f"training data of {step.model.name}: {data}")
    return lines


def _data_licences(step: LineageStep) -> list[tuple[str, int]]:
    n_by_licence = Counter(step.snapshot.card.get("licences", {}) if step.snapshot else {})
    if step.run is not None and step.run.ptx_snapshot is not None:
        n_by_licence.update(step.run.ptx_snapshot.card.get("licences", {}))
    return sorted(n_by_licence.items(), key=lambda pair: (-pair[1], pair[0]))


def _step_json(step: LineageStep) -> dict[str, object]:
    run, snapshot = step.run, step.snapshot
    step_json: dict[str, object] = {
        "model": step.model.name,
        "kind": step.model.kind,
        "stage": step.model.stage,
        "licence": step.model.licence,
        "parent": step.model.parent.name if step.model.parent else None,
        "metrics": step.model.metrics,
        "registered_at": step.model.created_at,
    }
    if run is not None:
        step_json["run"] = {
            "id": run.pk,
            "name": run.name,
            "kind": run.kind,
            "config": run.config,
            "versions": run.versions,
            "reward_model": run.reward_model.name if run.reward_model else None,
            "reference_model": run.reference_model.name if run.reference_model else None,
            "finished_at": run.finished_at,
        }
    if snapshot is not None:
        step_json["snapshot"] = _snapshot_json(snapshot)
    if run is not None and run.ptx_snapshot is not None:
        step_json["ptx_snapshot"] = _snapshot_json(run.ptx_snapshot)
    return step_json


def _snapshot_json(snapshot: Snapshot) -> dict[str, object]:
    known: dict[str, object] = {
        "id": snapshot.pk,
        "name": snapshot.name,
        "kind": snapshot.kind,
        "rows": snapshot.n_rows,
        "fingerprint": snapshot.fingerprint,
        "licences": snapshot.card.get("licences", {}),
        "sources": snapshot.card.get("sources", {}),
        "best_of": snapshot.card.get("best_of", []),
        "demonstrations": snapshot.card.get("demonstrations", 0),
    }
    verdicts = snapshot.card.get("verdicts")
    return known | {"verdicts": verdicts} if verdicts else known
