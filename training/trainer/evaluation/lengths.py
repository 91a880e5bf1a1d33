"""Items that are longer than the model reads, found before anything is answered."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from training.processes import run_dir
from training.processes.run_dir import AnticipatedFailure, counted
from training.trainer.evaluation.answerers import WithContext
from training.trainer.evaluation.items import Item, NoAnswer

_MAX_NAMED = 20


class TooLong(AnticipatedFailure):
    """Some items are longer than the model reads; the sentence names their lines."""


def require_room(asked: Sequence[Item], model: WithContext, snapshot: Path) -> None:
    """Raises TooLong if the model cannot read all of the items."""
    ordered = sorted(asked, key=lambda item: (item.suite, item.line))
    lengths = [(item, _n_tokens(item, model)) for item in ordered]
    too_long = [(item, n_tokens) for item, n_tokens in lengths if n_tokens > model.max_tokens]
    if not too_long:
        return
    names = _names(snapshot)
    named = [
        f"{names.get(item.suite, f'suite {item.suite}')}, line {item.line} ({item.row['key']}):"
        f" {n_tokens}"
        for item, n_tokens in too_long[:_MAX_NAMED]
    ]
    if len(too_long) > _MAX_NAMED:
        named.append(f"{len(too_long) - _MAX_NAMED} more")
    raise TooLong(
        f"{counted(len(too_long), 'item')} longer than {model.max_tokens} tokens, the most that"
        f" this run reads at once. Nothing was run. {'; '.join(named)}. Raise the max tokens if the"
        " model's context allows it, or upload a version of the suite without these lines."
    )


def _n_tokens(item: Item, model: WithContext) -> int:
    try:
        return model.n_tokens(item)
    except NoAnswer:
        return 0


def _names(snapshot: Path) -> Mapping[int, str]:
    """Suite → its name, from the snapshot's card."""
    card = json.loads((snapshot / run_dir.SNAPSHOT_CARD).read_text(encoding="utf-8"))
    return {suite["suite"]: f"“{suite['name']}”" for suite in card.get("suites", [])}
