"""Stores what a model answered in a benchmark run, and scores it. Every call may be repeated."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from arithmetic import plain_text
from jobs import guard
from jobs.messages import Message
from training.benchmarks.scorecards import pairs
from training.benchmarks.scorecards.summary import ScoredAnswer, Summary, rewards_of, summarise
from training.benchmarks.scoring import scorers
from training.benchmarks.scoring.answers import Answer, Item, Score, Scorer
from training.configs.evaluation.attack import AttackConfig
from training.models import (
    AnswerScore,
    BenchmarkAnswer,
    Run,
    Suite,
    SuiteItem,
    SuiteScore,
    TrainedModel,
)
from training.processes import not_numbers

_BATCH = 500
_BESIDE: tuple[tuple[str, ...], ...] = (
    ("likelihood", "likelihood_by_length", "choice_in_text"),
    ("refusal", "refusal_strings"),
)
"""A suite that has one of these as its scorer is scored with all of them. The first with a score
stands for the suite: an endpoint gives no likelihoods, so its answers are read instead.
"""
_ENDED_WELL = (Run.Outcome.SUCCEEDED, Run.Outcome.STOPPED)
_COLUMNS = ["model", "is_main", "n", "n_missing", "score", "low", "high", "details", "computed_at"]

OVERLAPS = Message(
    "training.benchmarks.scorecards.tasks.find_overlap",
    limit=timedelta(minutes=30),
    argument="run_id",
    otherwise="The scorecard says that the overlap was not checked.",
)
"""Reads the training data: it may be long."""


@dataclass(frozen=True)
class _Scored:
    """What one scorer says about the answers of a run to one suite."""

    scorer: str
    is_share: bool
    answers: list[ScoredAnswer]


def store_answers(
    *, run_id: int, attempt: int, rows: Iterable[Mapping[str, object]], now: datetime
) -> bool:
    """Stores lines of the child's answers.jsonl. An item keeps its first answer, so rows may come
    again; a row without an answer gives way to one that has it. False, and nothing stored, when the
    attempt is over.
    """
    with transaction.atomic():
        ours = Run.objects.select_for_update().filter(
            pk=run_id, attempt=attempt, state=Run.State.RUNNING
        )
        if not guard.update_one(ours, heartbeat_at=now):
            return False
        for batch in _batches(rows):
            known = SuiteItem.objects.filter(pk__in=[row["item"] for row in batch])
            pks = set(known.values_list("pk", flat=True))
            answered = [row for row in batch if not row.get("missing")]
            _make_way(run_id, answered)
            rows_in_order = answered + [row for row in batch if row.get("missing")]
            BenchmarkAnswer.objects.bulk_create(
                [_answer(run_id, row) for row in rows_in_order if row["item"] in pks],
                ignore_conflicts=True,
            )
    return True


def score_run(*, run: Run, beside: Sequence[str] = (), now: datetime) -> list[SuiteScore]:
    """Scores every stored answer of a run with its suites' scorers, and with those named in
    `beside` where they take its kind. Makes the scores of the model's newest run the current ones.

    An item without an answer, or whose answer the scorer cannot read, is counted as missing and
    never as wrong. The answers of an attack are scored one by one: they are no scores of suites.
    """
    if run.kind == AttackConfig.kind:
        for suite in _suites_of(run):
            _score_answers(run, suite, scorers.SCORERS["refusal"])
        return []
    computed = []
    for suite in _suites_of(run):
        scored = [_score_answers(run, suite, scorer) for scorer in _scorers_of(suite, beside)]
        main = next((result.scorer for result in scored if result.answers), None)
        for place, result in enumerate(scored):
            is_main = result.scorer == main or (main is None and place == 0)
            if result.answers or is_main:
                computed.append(_suite_score(run, suite, result, now=now, is_main=is_main))
    with transaction.atomic():
        _keep_overlap(run, computed)
        # Two runs of one model may end together: one of them decides first which is newer.
        TrainedModel.objects.select_for_update().get(pk=run.base_model_id)
        SuiteScore.objects.bulk_create(
            computed,
            update_conflicts=True,
            unique_fields=["run", "suite", "scorer"],
            update_fields=_COLUMNS,
        )
        for row in computed:
            if row.is_main:
                _replaced_by(row).update(is_main=False)
        show_newest(model_id=run.base_model_id, suites=[row.suite_id for row in computed])
        OVERLAPS.wake_on_commit(run.pk)
    return list(SuiteScore.objects.filter(run=run).order_by("suite_id", "scorer"))


def show_newest(*, model_id: int, suites: Iterable[int]) -> None:
    """Makes the scores of the newest finished run on each suite the model's current ones. A run
    that was stopped counts only where none succeeded, and one with `max_items` only where none took
    all items of the suite.
    """
    ended = SuiteScore.objects.filter(
        model_id=model_id,
        run__state=Run.State.FINISHED,
        run__outcome__in=_ENDED_WELL,
        run__is_dry=False,
    )
    for suite in sorted(set(suites)):
        runs = ended.filter(suite_id=suite).values_list(
            "run__outcome",
            "run__config__max_items",
            "suite__n_items",
            "run__finished_at",
            "run_id",
        )
        newest = max(
            (
                (outcome == Run.Outcome.SUCCEEDED, (most or n_items) >= n_items, at, pk)
                for outcome, most, n_items, at, pk in runs
            ),
            default=None,
        )
        shown = SuiteScore.objects.filter(model_id=model_id, suite_id=suite)
        newest_run = [newest[-1]] if newest else []
        shown.filter(is_current=True).exclude(run__in=newest_run).update(is_current=False)
        shown.filter(is_current=False, run__in=newest_run).update(is_current=True)


def _make_way(run_id: int, answered: Sequence[Mapping[str, object]]) -> None:
    """Deletes earlier rows of these that have no answer."""
    keys = {(row["item"], row.get("strategy", ""), row.get("sample", 0)) for row in answered}
    stored = BenchmarkAnswer.objects.filter(run_id=run_id, item_id__in={key[0] for key in keys})
    without = stored.exclude(missing="").values_list("pk", "item_id", "strategy", "sample")
    gone = [pk for pk, *key in without if tuple(key) in keys]
    BenchmarkAnswer.objects.filter(pk__in=gone).delete()


def _batches(rows: Iterable[Mapping[str, object]]) -> Iterator[list[Mapping[str, object]]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, _BATCH)):
        yield batch


def _answer(run_id: int, row: Mapping[str, Any]) -> BenchmarkAnswer:
    return BenchmarkAnswer(
        run_id=run_id,
        item_id=row["item"],
        strategy=row.get("strategy", ""),
        sample=row.get("sample", 0),
        asked=_storable(row.get("asked")),
        text=plain_text.storable(row.get("text") or ""),
        follow_ups=[plain_text.storable(text) for text in row.get("follow_ups") or ()],
        values=not_numbers.without(row.get("values") or {}),
        sampling=not_numbers.without(row.get("sampling") or {}),
        is_ended=row.get("is_ended"),
        missing=plain_text.storable(row.get("missing") or "")[:300],
    )


def _storable(messages: Sequence[Mapping[str, str]] | None) -> list[dict[str, str]] | None:
    if messages is None:
        return None
    return [
        {name: plain_text.storable(text) for name, text in message.items()} for message in messages
    ]


def _suites_of(run: Run) -> QuerySet[Suite]:
    """The suites that the run was to answer, and any that it has answers to."""
    asked = Suite.objects.filter(pk__in=run.snapshot.filters.get("suites", ()))
    items = BenchmarkAnswer.objects.filter(run=run).values("item__suite").distinct()
    answered = Suite.objects.filter(pk__in=items)
    return (asked | answered).order_by("pk")


def _scorers_of(suite: Suite, beside: Sequence[str]) -> list[Scorer]:
    """The suite's own scorer first. None for a suite that only people score."""
    together = next((names for names in _BESIDE if suite.scorer in names), ())
    names = dict.fromkeys([suite.scorer, *together, *beside])
    known = [scorers.SCORERS[name] for name in names if name in scorers.SCORERS]
    return [scorer for scorer in known if scorer.name == suite.scorer or suite.kind in scorer.kinds]


def _score_answers(run: Run, suite: Suite, scorer: Scorer) -> _Scored:
    """Scores the answers and stores each score."""
    answers = BenchmarkAnswer.objects.filter(run=run, item__suite=suite, missing="")
    scored, rows = [], []
    for answer in answers.select_related("item").order_by("item__position").iterator(_BATCH):
        score = scorer.score(
            Item(
                kind=suite.kind,
                prompt=answer.item.prompt,
                content=answer.item.content,
                options=suite.options,
            ),
            Answer(
                text=answer.text,
                follow_ups=answer.follow_ups,
                values=answer.values,
                is_ended=answer.is_ended,
            ),
        )
        if score is None or not math.isfinite(score.value):
            continue
        scored.append(_scored_answer(suite, answer, score))
        rows.append(
            AnswerScore(
                answer=answer,
                scorer=scorer.key,
                value=score.value,
                label=score.label,
                certainty=score.certainty,
            )
        )
    _store_scores(rows)
    return _Scored(scorer.key, pairs.is_share(scorer.key), scored)


def _scored_answer(suite: Suite, answer: BenchmarkAnswer, score: Score) -> ScoredAnswer:
    rewards, lengths = rewards_of(
        kind=suite.kind, content=answer.item.content, text=answer.text, values=answer.values
    )
    return ScoredAnswer(
        item=answer.item_id,
        value=score.value,
        label=score.label,
        category=answer.item.category,
        cluster=answer.item.cluster,
        margin=rewards[0] - rewards[1] if suite.kind == Suite.Kind.PAIRS and rewards else None,
        rewards=rewards,
        lengths=lengths,
    )


def _store_scores(rows: Sequence[AnswerScore]) -> None:
    AnswerScore.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["answer", "scorer"],
        update_fields=["value", "label", "certainty"],
        batch_size=_BATCH,
    )


def _suite_score(
    run: Run, suite: Suite, scored: _Scored, *, now: datetime, is_main: bool
) -> SuiteScore:
    summary: Summary = summarise(scored.answers, is_share=scored.is_share)
    n_reached = BenchmarkAnswer.objects.filter(run=run, item__suite=suite).count()
    n_not_reached = max(0, _n_asked(run, suite) - n_reached)
    return SuiteScore(
        run=run,
        model_id=run.base_model_id,
        suite=suite,
        scorer=scored.scorer,
        is_main=is_main,
        is_current=False,
        n=summary.n,
        n_missing=n_reached - summary.n,
        score=summary.score,
        low=summary.low,
        high=summary.high,
        details=summary.details | {"n_not_reached": n_not_reached},
        computed_at=now,
    )


def _keep_overlap(run: Run, computed: Sequence[SuiteScore]) -> None:
    """A run that is scored again has not been trained on anything new."""
    scores = SuiteScore.objects.filter(run=run, details__has_key="overlap")
    known = {score.suite_id: score.details["overlap"] for score in scores}
    for row in computed:
        if row.suite_id in known:
            row.details["overlap"] = known[row.suite_id]


def _n_asked(run: Run, suite: Suite) -> int:
    """A run may ask only a part of a suite; the other items are not missing."""
    most: int | None = run.config.get("max_items")
    return min(suite.n_items, most) if most else suite.n_items


def _replaced_by(row: SuiteScore) -> QuerySet[SuiteScore]:
    """Other scores of the same run and suite that stood on the card before: by another version of
    the scorer, for example.
    """
    same = SuiteScore.objects.filter(run_id=row.run_id, suite_id=row.suite_id, is_main=True)
    return same.exclude(scorer=row.scorer)
