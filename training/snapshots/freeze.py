"""Freezes judgments into a folder: train.jsonl, validation.jsonl, test.jsonl and card.json. The
only module of training that reads labeling.data.exports.

Rows are in the order of their judgments and contain nothing about the export itself, so the same
judgments give the same bytes and the same fingerprint.
"""

import hashlib
import heapq
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from accounts.refusals import Refusal
from labeling.data.exports import consensus, streams
from labeling.data.exports import rows as exports_rows
from training.configs import kinds
from training.configs.knobs import RESPONSES
from training.models import Run, Snapshot, TrainedModel
from training.processes import run_dir
from training.snapshots import draws, new_judgments
from training.snapshots.contents import files, judged, revised, sampled, verdicts
from training.snapshots.contents.files import DEMONSTRATIONS
from training.snapshots.contents.filters import Filters
from training.snapshots.contents.parts import answer_parts, with_tools
from training.snapshots.contents.snapshot_card import (
    Row,
    card_of,
    n_decided_pairs,
    text_key,
)
from training.snapshots.curation.ledger import LEDGER
from training.snapshots.curation.rows import CuratedRows
from training.snapshots.response_numbers import numbers_of

MAX_DEMONSTRATIONS = 200


_JudgedRow = exports_rows.DemonstrationRow | exports_rows.ComparisonRow
_AnyRow = _JudgedRow | exports_rows.PromptRow | exports_rows.ScoredRow | exports_rows.MarkedRow


class UnableToCreate(Refusal):
    """The filters leave no rows; the text says what to change."""


@dataclass(frozen=True)
class FrozenFolder:
    """What was written. `judgment_ids`: every judgment that a run learns from, each once."""

    fingerprint: str
    n_rows: int
    card: dict[str, Any]
    judgment_ids: list[int]
    prompt_ids: list[int] = field(default_factory=list)
    """of rows without a judgment, each once"""


def freeze(
    *, kind: str, filters: Filters, folder: Path, curation: CuratedRows | None = None
) -> FrozenFolder:
    """Writes the folder atomically. `curation` is what a recipe did to the rows. Raises
    UnableToCreate, and then leaves nothing behind.
    """
    left_out: Counter[str] = Counter()
    rows = rows_of(kind=kind, filters=filters, left_out=left_out)
    if curation is not None:
        rows = curation.left(rows, left_out)
    aside = folder.with_name(f"{run_dir.TEMPORARY}{folder.name}")
    aside.mkdir(parents=True)
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, aside, ignore_errors=True)
        tally = files.write(rows, aside)
        if not tally.by_split.total():
            raise UnableToCreate(files.empty_sentence(_wanted(kind, filters), left_out))
        if kind == "comparisons":
            beside = demonstrations_beside(filters)
            if curation is not None:
                beside = list(curation.left(beside, Counter()))
            files.write_demonstrations(beside, aside, tally)
        card = card_of(
            kind=kind,
            filters=filters.as_json(),
            tally=tally,
            left_out=left_out,
            best_of=_best_of(filters) if kind != "prompts" else [],
            has_verdicts=filters.takes_verdicts and kind in ("comparisons", "unpaired"),
        )
        if curation is not None:
            card["curation"] = curation.curated.about
            shutil.copyfile(curation.curated.ledger, aside / LEDGER)
        run_dir.write_json(aside / run_dir.SNAPSHOT_CARD, card)
        for file in aside.iterdir():
            file.chmod(0o444)
        aside.rename(folder)
        undo.pop_all()
    return FrozenFolder(
        fingerprint(folder),
        tally.by_split.total(),
        card,
        tally.judgment_ids,
        list(dict.fromkeys(tally.prompt_ids)),
    )


def fingerprint(folder: Path) -> str:
    """SHA-256 of the sorted SHA-256 sums of the data files, computed from the files."""
    sums = []
    names = [f"{split}.jsonl" for split in run_dir.SPLITS]
    names += [DEMONSTRATIONS] if (folder / DEMONSTRATIONS).exists() else []
    for name in names:
        with (folder / name).open("rb") as file:
            sums.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {name}\n")
    return hashlib.sha256("".join(sorted(sums)).encode()).hexdigest()


def is_intact(folder: Path, expected: str) -> bool:
    """Whether the files are unchanged since they were frozen."""
    try:
        return fingerprint(folder) == expected
    except OSError:
        return False


def rows(folder: Path, split: str, *, skip: int, n: int) -> list[Any]:
    """At most `n` rows of a split after the first `skip`. Raises OSError if the files
    are not here.
    """
    with (folder / f"{split}.jsonl").open("rb") as file:
        return [json.loads(line) for line in islice(file, skip, skip + n)]


# --- rows -----------------------------------------------------------------------------------------


def rows_of(*, kind: str, filters: Filters, left_out: Counter[str]) -> Iterator[Row]:
    """The rows that the filters choose now; `left_out` counts the others."""
    of_kind = {
        "demonstrations": _best_responses if filters.takes_best else _demonstrations,
        "comparisons": (_model_pairs if filters.best_of or filters.revised_in else _comparisons),
        "unpaired": _unpaired,
        "prompts": _prompts,
    }
    return of_kind[kind](filters, left_out)


def demonstrations_beside(filters: Filters) -> list[Row]:
    """Demonstrations on training prompts, stored with comparisons: a reward model is shifted so
    that they have a mean score of 0. None beside pairs that a reward model made.
    """
    if filters.best_of or filters.revised_in:
        return []
    wanted = replace(filters, campaigns=())
    rows = (row for row in _demonstrations(wanted, Counter()) if row.split == "train")
    return heapq.nsmallest(
        MAX_DEMONSTRATIONS,
        rows,
        key=lambda row: (text_key(row.content["prompt"]), row.judgment_id or 0),
    )


def _demonstrations(filters: Filters, left_out: Counter[str]) -> Iterator[Row]:
    for row in streams.demonstrations(
        campaigns=filters.campaigns or None,
        include_imports=filters.includes_imports,
        include_extra=filters.includes_extra,
        include_set_aside=filters.includes_set_aside,
    ):
        if _is_left_out(row, filters, left_out):
            continue
        content = {
            "id": f"demonstration-{row.judgment_id}" + (f"-{row.turn}" if row.turn else ""),
            "prompt": row.messages,
            "completion": row.turn_of(row.response),
            "judgment": row.judgment_id,
            "cluster": row.cluster,
            "source": row.source_name,
        }
        yield _judged(row, with_tools(content, row), (row.source_name,))


def _best_responses(filters: Filters, left_out: Counter[str]) -> Iterator[Row]:
    """One row per run and prompt, since the scores of different reward models cannot be compared;
    one per item that raters ranked.
    """
    _require_revisions(filters)
    scored = (row for where in _scored(filters) for row in streams.best_scored(**where))
    revisions = (last for last, _first in revised.pairs(runs=filters.revised_in))
    for row in chain(scored, revisions, consensus.best_voted(campaigns=filters.best_voted_in)):
        if _is_filtered(row, filters, left_out):
            continue
        if why := sampled.why_left_out(row):
            left_out[why] += 1
            continue
        yield sampled.best(row)


def _model_pairs(filters: Filters, left_out: Counter[str]) -> Iterator[Row]:
    """The same, the best response against the worst, and a revision against the first answer."""
    _require_revisions(filters)
    scored = (pair for where in _scored(filters) for pair in streams.scored_pairs(**where))
    for best, worst in chain(scored, revised.pairs(runs=filters.revised_in)):
        if any(_is_filtered(row, filters, left_out) for row in (best, worst)):
            continue
        if not best.text.strip() and not best.tool_calls:
            left_out["empty response"] += 1
            continue
        yield sampled.pair(best, worst)


def _require_revisions(filters: Filters) -> None:
    for run in revised.missing(runs=filters.revised_in):
        words = _("Run %(run)s revised no answers. Choose a run that did.")
        raise UnableToCreate(words % {"run": run})


def _scored(filters: Filters) -> Iterator[sampled.Where]:
    for run in _scored_runs(filters):
        source, scorer = run.base_model.source_id, _reward_model(run).source_id
        if source is not None and scorer is not None:  # else it has stored nothing yet
            yield {"source": source, "numbers": numbers_of(run.pk), "scorer": scorer}


def _scored_runs(filters: Filters) -> list[Run]:
    """Raises UnableToCreate for a run whose responses no reward model has scored."""
    runs = Run.objects.filter(
        pk__in=filters.best_of,
        kind__in=kinds.kinds_leaving(RESPONSES),
        reward_model__isnull=False,
        is_dry=False,
    )
    by_pk = {
        run.pk: run for run in runs.select_related("base_model", "reward_model").order_by("pk")
    }
    for pk in filters.best_of:
        if pk not in by_pk:
            raise UnableToCreate(
                _(
                    "Run %(run)s has no responses scored by a reward model. Choose a sampling run"
                    " with a reward model."
                )
                % {"run": pk}
            )
    return list(by_pk.values())


def _reward_model(run: Run) -> TrainedModel:
    assert run.reward_model is not None  # _scored_runs takes no other run
    return run.reward_model


def _best_of(filters: Filters) -> list[dict[str, object]]:
    """The sampling runs, for the card."""
    return [
        {"run": run.pk, "model": run.base_model.name, "reward_model": _reward_model(run).name}
        for run in _scored_runs(filters)
    ]


def _compared(
    filters: Filters, left_out: Counter[str], *, include_single: bool = False
) -> Iterator[exports_rows.ComparisonRow]:
    rows = streams.comparisons(
        campaigns=filters.campaigns or None,
        include_imports=filters.includes_imports,
        include_extra=filters.includes_extra,
        include_repeats=filters.includes_repeats,
        include_set_aside=filters.includes_set_aside,
        include_single=include_single,
    )
    everything = chain(rows, judged.rows(filters, left_out))
    return (row for row in everything if not _is_left_out(row, filters, left_out))


def _unpaired(filters: Filters, left_out: Counter[str]) -> Iterator[Row]:
    """What raters said of responses, then what files say of them."""
    for row in _compared(filters, left_out, include_single=True):
        weight = _weight(row, filters)
        if weight == 0:
            left_out["rater no more reliable than chance"] += 1
            continue
        called = verdicts.of_comparison(
            row, weight, left_out, is_weighed=filters.weighs_by_reliability
        )
        yield from (judged.with_judge(response, row) for response in called)
    if not filters.includes_imports:
        return
    for marked in streams.marked(mark="label"):
        if not isinstance(marked.marks["label"], bool):
            left_out["label neither good nor bad"] += 1
        elif not _is_filtered(marked, filters, left_out):
            yield verdicts.of_import(marked)
    for good in streams.demonstrations(only_called_good=True):
        if not _is_left_out(good, filters, left_out):
            yield verdicts.called_good(good)


def _comparisons(filters: Filters, left_out: Counter[str]) -> Iterator[Row]:
    fresh = _fresh(filters)
    for row in _compared(filters, left_out):
        if fresh is not None and row.judgment_id not in fresh:
            left_out["not fresh"] += 1
            continue
        n_pairs = n_decided_pairs([response.rank for response in row.responses])
        if n_pairs == 0:
            left_out["no decided pair"] += 1
            continue
        weight = _weight(row, filters)
        if weight == 0:
            left_out["rater no more reliable than chance"] += 1
            continue
        content = {
            "id": f"comparison-{row.judgment_id}" + ("-edit" if row.is_edit else ""),
            "prompt": row.messages,
            "responses": [_response(response) for response in row.responses],
            "judgment": row.judgment_id,
            "rater": row.rater_alias,
            "weight": weight,
            "strength": row.strength,
            "category": row.category,
            "pool": row.pool,
            "cluster": row.cluster,
        }
        content = with_tools(content, row)
        frozen = _judged(row, content, tuple(r.source_name for r in row.responses), n_pairs)
        if filters.weighs_by_reliability:
            frozen = replace(frozen, weight=weight)
        yield judged.with_judge(frozen, row)


def _response(ranked: exports_rows.RankedText) -> dict[str, object]:
    """`rating` is the answer on the scale “overall”, or on the only scale of the form; absent if
    that was not answered.
    """
    response: dict[str, object] = {
        "text": ranked.text,
        "rank": ranked.rank,
        "response": ranked.response_id,
        "source": ranked.source_name,
        "is_ended": ranked.is_ended is not False,
        **answer_parts(ranked),
    }
    scales = {name: value for name, value in ranked.ratings.items() if not isinstance(value, bool)}
    rating = scales.get("overall", next(iter(scales.values())) if len(scales) == 1 else None)
    return response if rating is None else response | {"rating": rating}


def _fresh(filters: Filters) -> set[int] | None:
    if filters.fresh_for is None:
        return None
    snapshot = Snapshot.objects.get(pk=filters.fresh_for)
    return set(new_judgments.comparisons_after(snapshot=snapshot).values_list("pk", flat=True))


def _weight(row: exports_rows.ComparisonRow, filters: Filters) -> float:
    """Rounded, so that the same reliability gives the same bytes. A rater without data has weight
    1, and so has an edit, which nobody else could confirm.
    """
    if isinstance(row, judged.VerdictRow):
        return row.verdict.weight
    if not filters.weighs_by_reliability or row.reliability is None or row.is_edit:
        return 1.0
    return round(row.reliability, 4)


def _prompts(filters: Filters, left_out: Counter[str]) -> Iterator[Row]:
    fitting = (row for row in streams.prompts() if not _is_filtered(row, filters, left_out))
    rows: Iterable[exports_rows.PromptRow] = (
        row for row in fitting if _is_wanted_split(row, filters, left_out)
    )
    if filters.draw is not None:
        rows = draws.drawn(filters.draw, rows, left_out)
    elif filters.limit is not None:
        chosen = heapq.nsmallest(
            filters.limit, rows, key=lambda row: (text_key(row.messages), row.prompt_id)
        )
        rows = sorted(chosen, key=lambda row: row.prompt_id)
    for row in rows:
        content = {
            "id": f"prompt-{row.prompt_id}",
            "prompt": row.messages,
            "prompt_id": row.prompt_id,
        }
        content = with_tools(content, row)
        yield Row(row.split, content, None, row.cluster, row.licences, row.category)


def _judged(
    row: _JudgedRow, content: dict[str, object], sources: tuple[str, ...], n_pairs: int = 0
) -> Row:
    return Row(
        split=row.split,
        content=content,
        judgment_id=row.judgment_id,
        cluster=row.cluster,
        licences=row.licences,
        category=row.category,
        sources=sources,
        rater=row.rater_alias,
        guideline=row.guideline,
        n_pairs=n_pairs,
        is_edit=row.is_edit,
    )


def _is_left_out(row: _JudgedRow, filters: Filters, left_out: Counter[str]) -> bool:
    """Held-out raters evaluate and never train, so only their judgments on test prompts
    are used.
    """
    if row.is_held_out and row.split != "test":
        left_out["held-out rater on a prompt that trains"] += 1
        return True
    return _is_filtered(row, filters, left_out)


def _is_filtered(row: _AnyRow, filters: Filters, left_out: Counter[str]) -> bool:
    if filters.categories and row.category not in filters.categories:
        left_out["other category"] += 1
        return True
    if filters.licences and not row.licences <= set(filters.licences):
        left_out["other licence"] += 1
        return True
    return False


def _wanted(kind: str, filters: Filters) -> str:
    """What a snapshot is made of, as files.empty_sentence names it."""
    if kind == "prompts" or not filters.takes_best:
        return kind
    return "responses" if filters.best_of or filters.revised_in else "votes"


def _is_wanted_split(row: exports_rows.PromptRow, filters: Filters, left_out: Counter[str]) -> bool:
    if row.split in filters.splits:
        return True
    left_out[f"{row.split} prompt"] += 1
    return False
