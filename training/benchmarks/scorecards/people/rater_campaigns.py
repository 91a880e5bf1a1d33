"""Sends answers of a benchmark run to raters, in a campaign beside another run's answers."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from labeling.campaigns.services import UnableToCreateCampaign, UnableToOpen
from labeling.data import intake
from labeling.models import Campaign, Guideline, Pool, Prompt, Response, Source
from training.benchmarks.scorecards.people.verdicts import verdicts
from training.benchmarks.scoring.refusal import classifier
from training.configs.evaluation.attack import AttackConfig
from training.models import BenchmarkAnswer, RatedSuite, Run, Suite
from training.snapshots.response_numbers import response_number

MOST = 500
"""Answers sent in one act: each prompt is compared with every stored one first."""


class UnableToSend(Refusal):
    """The answers cannot be judged; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Who judges, by which guideline, and which of the answers."""

    name: str
    pool: Pool
    guideline: Guideline
    overlap: int = 3
    n: int = 100
    only_unsure: bool = False
    """only answers of which the refusal classifier is not sure"""
    sensitive: Sequence[str] = field(default_factory=tuple)
    """Prompt.Upset values: only raters who agreed to them get the items"""


@dataclass(frozen=True)
class Sent:
    """`n_left_out`: answers whose prompt is nearly a prompt that models train on."""

    rated: RatedSuite
    n: int
    n_left_out: int


@dataclass(frozen=True)
class _Pair:
    """Two answers to one item: this run's, and the run's that it is compared with."""

    ours: BenchmarkAnswer
    theirs: BenchmarkAnswer

    @property
    def both(self) -> tuple[BenchmarkAnswer, BenchmarkAnswer]:
        return self.ours, self.theirs


def runs_to_compare(*, run: Run, suite: Suite) -> Sequence[Run]:
    """Finished runs of other models with written answers to the suite, the newest first."""
    with_answers = Run.objects.filter(
        answers__item__suite=suite,
        answers__missing="",
        answers__strategy="",
        state=Run.State.FINISHED,
    )
    others = with_answers.exclude(base_model__source=run.base_model.source)
    return list(others.select_related("base_model").distinct().order_by("-finished_at", "-pk"))


def send_to_raters(
    *, run: Run, suite: Suite, against: Run, terms: Terms, by: User, now: datetime
) -> Sent:
    """Store the prompts in the test split and both runs' answers as responses, and open a campaign
    in which raters compare them. Raises UnableToSend.
    """
    sources = _sources(run, against, suite)
    pairs = _chosen(_pairs(run, against, suite), terms)
    if not pairs:
        raise UnableToSend(_no_pairs(terms))
    with transaction.atomic():
        placed = _placed(pairs, suite, terms, by=by, now=now)
        if not placed:
            raise UnableToSend(
                _("Every one of these prompts is nearly identical to one that models train on.")
            )
        responses = _stored(placed, sources, now=now)
        campaign = _campaign(placed, responses, sources, terms, by=by, now=now)
        rated = RatedSuite.objects.create(
            run=run, suite=suite, against=against, campaign=campaign, created_at=now
        )
        audit_log.record(
            by,
            "send",
            run,
            after={"suite": str(suite), "campaign": campaign.pk, "against": against.pk},
            now=now,
        )
    return Sent(rated, len(placed), len(pairs) - len(placed))


def _sources(run: Run, against: Run, suite: Suite) -> tuple[Source, Source]:
    if run.kind == AttackConfig.kind:
        raise UnableToSend(_("Attempts of an attack go to raters from the page of its attacks."))
    if suite.kind != Suite.Kind.GENERATE:
        raise UnableToSend(_("Raters can judge written answers only, and this suite has none."))
    ours, theirs = run.base_model.source, against.base_model.source
    if ours is None or theirs is None:
        raise UnableToSend(_("One of the models has no source for its responses yet."))
    if ours == theirs:
        raise UnableToSend(_("Both runs are of the same model. Choose a run of another model."))
    return ours, theirs


def _pairs(run: Run, against: Run, suite: Suite) -> list[_Pair]:
    """By position; without answers that are missing, empty or the same."""
    stored = BenchmarkAnswer.objects.filter(item__suite=suite, missing="").exclude(text="")
    theirs = {answer.item_id: answer for answer in stored.filter(run=against)}
    answers = stored.filter(run=run).select_related("item").order_by("item__position")
    return [
        _Pair(answer, theirs[answer.item_id])
        for answer in answers
        if answer.item_id in theirs and answer.text.strip() != theirs[answer.item_id].text.strip()
    ]


def _chosen(pairs: list[_Pair], terms: Terms) -> list[_Pair]:
    """The least sure first if only those are wanted, otherwise a draw that is always the same."""
    if not terms.only_unsure:
        return sorted(pairs, key=lambda pair: _drawn(pair.ours.item.key))[: terms.n]
    bound = classifier.unsure_below()
    certain = _certainties(pairs)
    unsure = [pair for pair in pairs if certain.get(pair.ours.pk, 0.0) < bound]
    return sorted(unsure, key=lambda pair: certain.get(pair.ours.pk, 0.0))[: terms.n]


def _certainties(pairs: Iterable[_Pair]) -> dict[int, float]:
    """How sure the refusal classifier is of our answers, by id."""
    rows = (
        verdicts()
        .filter(answer__in=[pair.ours.pk for pair in pairs])
        .values_list("answer_id", "certainty")
    )
    known = {pk: certainty for pk, certainty in rows if certainty is not None}
    return {
        pair.ours.pk: known[pair.ours.pk]
        if pair.ours.pk in known
        else classifier.classify(pair.ours.text, classifier.shipped())[1]
        for pair in pairs
    }


def _drawn(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _no_pairs(terms: Terms) -> str:
    if terms.only_unsure:
        return _("There is no answer of which the refusal classifier is unsure.")
    return _("The two runs have no differing answers to the same items.")


def _placed(
    pairs: Sequence[_Pair], suite: Suite, terms: Terms, *, by: User, now: datetime
) -> dict[int, _Pair]:
    """The pairs by the id of their prompt, in the test split. A prompt that is nearly one of
    another split stays out, and so does an item that asks the same as one before it.
    """
    by_prompt: dict[int, _Pair] = {}
    for pair in pairs:
        try:
            prompt = intake.save_prompt(
                messages=pair.ours.item.prompt,
                category=Prompt.Category.OTHER,
                language="",
                split=Prompt.Split.TEST,
                licence=suite.licence,
                sensitive=terms.sensitive,
                by=by,
                now=now,
            )
        except intake.UnableToPlace:
            continue
        if prompt.split == Prompt.Split.TEST:
            by_prompt.setdefault(prompt.pk, pair)
    return by_prompt


def _stored(
    placed: dict[int, _Pair], sources: tuple[Source, Source], *, now: datetime
) -> list[int]:
    """Store the answers as responses, and link them. Returns the responses' ids."""
    for side, source in enumerate(sources):
        rows = [
            intake.NewResponse(
                prompt_id=prompt_id,
                text=pair.both[side].text,
                number=response_number(run_id=pair.both[side].run_id, number=0),
                sampling=pair.both[side].sampling,
                is_ended=pair.both[side].is_ended,
            )
            for prompt_id, pair in placed.items()
        ]
        intake.store_responses(source=source, rows=rows, now=now)
        numbers = {row.number for row in rows}
        responses = Response.objects.filter(
            prompt__in=placed, source=source, number__in=numbers
        ).values_list("prompt_id", "pk")
        for prompt_id, response_id in responses:
            placed[prompt_id].both[side].response_id = response_id
    answers = [answer for pair in placed.values() for answer in pair.both]
    BenchmarkAnswer.objects.bulk_update(answers, ["response"], batch_size=500)
    return [answer.response_id for answer in answers if answer.response_id is not None]


def _campaign(
    placed: dict[int, _Pair],
    responses: Sequence[int],
    sources: tuple[Source, Source],
    terms: Terms,
    *,
    by: User,
    now: datetime,
) -> Campaign:
    try:
        return intake.open_comparison_campaign(
            name=terms.name,
            pool=terms.pool,
            guideline=terms.guideline,
            prompt_ids=placed.keys(),
            source_ids=[source.pk for source in sources],
            response_ids=responses,
            n_responses=2,
            overlap=terms.overlap,
            by=by,
            now=now,
        )
    except (UnableToCreateCampaign, UnableToOpen) as refused:
        raise UnableToSend(refused.sentence) from refused
