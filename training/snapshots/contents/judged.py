"""Comparisons that AI judges made where no person did, with what allowed each."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import QuerySet

from labeling.data.exports import streams
from labeling.data.exports.rows import ComparisonRow
from labeling.models import Judgment, Prompt
from labeling.votes import counting
from training.snapshots.contents.filters import Filters, Judges
from training.snapshots.contents.snapshot_card import ByJudge, Row
from training.verdicts import learnable
from training.verdicts.learnable import Learnable


@dataclass(frozen=True, kw_only=True)
class VerdictRow(ComparisonRow):
    verdict: Learnable


def rows(filters: Filters, left_out: Counter[str]) -> Iterator[VerdictRow]:
    """None on a pair that people answered, as far as the filters take their answers, whatever they
    chose. None on prompts that evaluate: what a model comes to is measured on people's answers.
    """
    by_judgment = _verdicts(filters, left_out)
    for row in streams.comparisons_of_judges(judgments=by_judgment):
        if row.split != Prompt.Split.TRAIN:
            left_out["verdict on a prompt that evaluates"] += 1
            continue
        yield VerdictRow(**vars(row), verdict=by_judgment[row.judgment_id])


def n_rows(filters: Filters) -> int:
    """At most: without reading the pairs, of which some may be on prompts that evaluate."""
    return len(_verdicts(filters, Counter()))


def with_judge(row: Row, source: ComparisonRow) -> Row:
    """The row as frozen; of a verdict it names the judge's version and the look that allowed it,
    and counts no rater.
    """
    if not isinstance(source, VerdictRow):
        return row
    version, look = source.verdict.version, source.verdict.look
    lineage = {
        "version": version.pk,
        "look": look.pk if look else None,
        "confidence": round(source.verdict.pair.confidence, 6),
    }
    by_judge = ByJudge(
        judge=source.rater_alias,
        version=version.pk,
        number=version.number,
        sha256=version.sha256,
        look=look.pk if look else None,
        slice=look.slice if look else "",
        weight=source.verdict.weight,
    )
    content = {**row.content, "judge": lineage}
    return replace(row, content=content, rater=None, weight=None, judge=by_judge)


def _verdicts(filters: Filters, left_out: Counter[str]) -> dict[int, Learnable]:
    """By judgment: those on pairs that nobody answered."""
    if not filters.takes_verdicts:
        return {}
    found = learnable.verdicts(
        campaigns=filters.campaigns,
        only_trusted=filters.judges == Judges.TRUSTED,
        left_out=left_out,
    )
    answered = _answered(filters, [one.pair.item for one in found])
    return _judgments([one for one in found if one.pair.item not in answered])


def _answered(filters: Filters, items: Collection[int]) -> set[int]:
    counted = counting.counts(
        with_extra=filters.includes_extra,
        with_repeats=filters.includes_repeats,
        with_set_aside=filters.includes_set_aside,
    )
    answers = Judgment.of_people.filter(counted, item__in=items)
    return set(answers.values_list("item", flat=True))


def _judgments(found: Collection[Learnable]) -> dict[int, Learnable]:
    """Id of the judge's judgment → its verdict."""
    of: dict[tuple[int, int], Learnable] = {
        (one.pair.item, one.version.judge_id): one for one in found
    }
    rows: QuerySet[Judgment, Any] = Judgment.of_everyone.filter(
        item__in={item for item, _judge in of}, rater__judge__in={judge for _item, judge in of}
    )
    listed = rows.values_list("pk", "item", "rater__judge")
    return {pk: of[item, judge] for pk, item, judge in listed if (item, judge) in of}
