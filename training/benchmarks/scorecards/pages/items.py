"""The items on which models differ, with what each of them answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.utils.translation import gettext

from training.benchmarks.scorecards import pairs, words
from training.benchmarks.scorecards.pages import details
from training.benchmarks.scorecards.selectors import Line
from training.models import AnswerScore, BenchmarkAnswer, Suite, SuiteItem, TrainedModel
from training.results import certainty

ITEMS_PER_PAGE = 10


@dataclass(frozen=True)
class Given:
    """A model's answer to an item; `value` is None where it gave none."""

    model: TrainedModel
    answer: BenchmarkAnswer | None
    value: float | None
    label: str = ""
    words: str = ""
    """the value as the page says it"""
    chosen: str = ""
    """the choice or response that it prefers, where it wrote no text"""
    likely: str = ""
    """how likely that is the better one of a pair, by a reward model's calibrated margin"""


@dataclass(frozen=True)
class DifferingItem:
    item: SuiteItem
    given: Sequence[Given]
    expected: str

    @property
    def prompt(self) -> str:
        """Of a task of lm-evaluation-harness, the record that it writes its prompt from."""
        record = self.item.content.get("row", {})
        lines = [f"{name}: {value}" for name, value in record.items()]
        return "\n\n".join([*(str(turn.get("content", "")) for turn in self.item.prompt), *lines])


def differing(*, line: Line, page: str | int | None = 1) -> Page[DifferingItem]:
    """The items of a suite that two models with the same scorer scored differently, the widest
    gaps first.
    """
    scored = [cell for cell in line.cells if cell.score is not None]
    scores = pairs.item_scores(cell.score for cell in scored if cell.score)
    by_scorer: dict[str, dict[int, list[float]]] = {}
    for (_run, _suite, scorer), item_scores in scores.items():
        for item, value in item_scores.values.items():
            by_scorer.setdefault(scorer, {}).setdefault(item, []).append(value)
    gaps: dict[int, float] = {}
    for values in by_scorer.values():
        for item, several in values.items():
            gaps[item] = max(gaps.get(item, 0.0), max(several) - min(several))
    wanted = sorted((item for item, gap in gaps.items() if gap > 0), key=lambda i: (-gaps[i], i))
    found_page = Paginator(wanted, ITEMS_PER_PAGE).get_page(page)
    shown = _with_answers(line, list(found_page.object_list))
    listed: Page[Any] = found_page
    listed.object_list = shown
    return listed


def _with_answers(line: Line, items: Sequence[int]) -> list[DifferingItem]:
    runs = {cell.score.run_id: cell.score.scorer for cell in line.cells if cell.score is not None}
    answers = {
        (row.run_id, row.item_id): row
        for row in BenchmarkAnswer.objects.filter(run__in=runs, item__in=items)
    }
    scores = {
        (row.answer_id, row.scorer): row
        for row in AnswerScore.objects.filter(
            answer__in=[row.pk for row in answers.values()], scorer__in=set(runs.values())
        )
    }
    rows = SuiteItem.objects.in_bulk(list(items))
    return [
        DifferingItem(
            rows[pk],
            [
                _given(cell.model, cell.score.run_id, cell.score.scorer, rows[pk], answers, scores)
                for cell in line.cells
                if cell.score is not None
            ],
            expected(line.suite, rows[pk].content),
        )
        for pk in items
    ]


def _given(
    model: TrainedModel,
    run: int,
    scorer: str,
    item: SuiteItem,
    answers: Mapping[tuple[int, int], BenchmarkAnswer],
    scores: Mapping[tuple[int, str], AnswerScore],
) -> Given:
    answer = answers.get((run, item.pk))
    score = scores.get((answer.pk, scorer)) if answer else None
    if answer is None or score is None:
        return Given(model, answer, None)
    return Given(
        model,
        answer,
        score.value,
        str(details.LABELS.get(score.label, score.label)),
        words.of_item(score.value, share=pairs.is_share(scorer)),
        preferred(item.content, answer.values),
        _likely(model, answer.values),
    )


def _likely(model: TrainedModel, values: Mapping[str, Any]) -> str:
    if values.get("by") != "reward" or "better" not in values:
        return ""
    return certainty.likely_better(scorer=model, margin=abs(values["better"] - values["worse"]))


def expected(suite: Suite, content: Mapping[str, Any]) -> str:
    """The right answer in words; "" where the item names none."""
    if suite.kind == Suite.Kind.CHOICE:
        return str(content["choices"][content["answer"]])
    if suite.kind == Suite.Kind.PAIRS:
        return str(content["better"])
    if suite.kind == Suite.Kind.BEST_OF_K:
        return "\n\n".join(content["responses"][place] for place in content["best"])
    if suite.kind == Suite.Kind.FLIP:
        return ", ".join(content["accepts"])
    words = {"complies": gettext("an answer"), "refuses": gettext("a refusal")}
    wanted = content.get("wants") or suite.options.get("wants", "")
    return words.get(wanted) or str(content.get("expected", ""))


def preferred(content: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """The choice or response with the highest value; "" for a written answer."""
    if "better" in content and "better" in values:
        return str(content["better" if values["better"] > values["worse"] else "worse"])
    options = content.get("choices") or content.get("responses")
    numbers = values.get("log_likelihoods") or values.get("scores")
    if not options or not numbers or len(options) != len(numbers):
        return ""
    return str(options[max(range(len(numbers)), key=numbers.__getitem__)])
