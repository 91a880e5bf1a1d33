"""Sends documents that a rule removed, and documents that the recipe kept, to raters, who do not
know which is which; and computes from their answers how often the rule is right.

A pair of documents is a comparison: one was removed, the other kept. Raters rank them and answer
for each whether it should be removed.
"""

import hashlib
import heapq
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from arithmetic import intervals
from labeling.campaigns.services import UnableToCreateCampaign, UnableToOpen
from labeling.data import intake
from labeling.guidelines import rating_form
from labeling.models import Campaign, Guideline, Pool, Prompt, RankedResponse, Response, Source
from labeling.votes import counting
from training.models import Curation, RuleSample, SampledDocument
from training.snapshots.curation import ledger, rule_words
from training.snapshots.curation.rules import child, cleaning
from training.snapshots.curation.rules.personal_data import clear
from training.snapshots.curation.services import folder_of

USUAL_N, MOST = 100, 200
LONGEST = 6_000
_LONGEST_NAME = 140
QUESTION = "remove"
_KEEP, _REMOVE = 1, 2
# These need the other document, or the test item, to be judged.
NOT_BY_TEXT_ALONE = (
    "author_cap",
    "decontamination",
    "exact_duplicate",
    "licence",
    "near_duplicate",
)
_SOURCES = ("Curation: removed", "Curation: kept")
_GUIDELINE = "Curation: should this be removed?"
_GUIDELINE_TEXT = """\
You see two texts from a collection that a language model may learn from.

For each one, answer whether it should be removed. Remove a text that would teach a model nothing or
something bad: garbage, advertising, endless repetition, menus and other pieces of a page, or a
language that the collection is not meant to have. Keep a text that a person could read and learn
from, also if you disagree with it or find it dull.

Then rank the two: the better text for a model to learn from comes first. Ties are fine.
"""
Text = tuple[str, str]
"""(id of a document, its text as people may see it)"""


class UnableToRate(Refusal):
    """These documents cannot be rated; the text says why."""


@dataclass(frozen=True)
class Rate:
    """The share of rated documents that should be removed, with its 95 % interval."""

    n: int
    share: float | None
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True)
class MeasuredRule:
    """`precision`: of what the rule removed. `kept`: of what the recipe kept."""

    sample: RuleSample
    precision: Rate
    kept: Rate


def can_be_rated(rule: str) -> bool:
    return rule.split(".")[0] not in NOT_BY_TEXT_ALONE


def send_to_raters(
    *,
    curation: Curation,
    rule: str,
    pool: Pool,
    n: int = USUAL_N,
    overlap: int = 3,
    by: User,
    now: datetime,
) -> RuleSample:
    """Opens a campaign over `n` documents that the rule removed, each beside one that the recipe
    kept, drawn so that the same curation gives the same sample. Raises UnableToRate.
    """
    pairs = _pairs(curation, rule, n)
    with transaction.atomic():
        prompts = _prompts(curation, len(pairs), by=by, now=now)
        responses = [
            _store(prompts, [pair[side] for pair in pairs], side, now=now) for side in (0, 1)
        ]
        campaign = _campaign(
            curation, rule, pool, overlap, prompts, [*responses[0], *responses[1]], by=by, now=now
        )
        sample = RuleSample.objects.create(
            recipe=curation.filters["recipe"], rule=rule, campaign=campaign, created_at=now
        )
        SampledDocument.objects.bulk_create(
            SampledDocument(
                sample=sample, response_id=pk, document=pair[side][0], is_removed=side == 0
            )
            for side in (0, 1)
            for pk, pair in zip(responses[side], pairs, strict=True)
        )
        words = rule_words.in_english(rule)
        after = {"rule": words, "campaign": campaign.pk, "n": len(pairs)}
        audit_log.record(by, "send", curation, after=after, now=now)
    return sample


def measured(*, recipe: str) -> list[MeasuredRule]:
    """What raters have said so far of the rules of a recipe, the newest sample first."""
    samples = RuleSample.objects.filter(recipe=recipe).select_related("campaign")
    return [measured_rule(sample=sample) for sample in samples.order_by("-pk")]


# --- the sample -----------------------------------------------------------------------------------


def _pairs(curation: Curation, rule: str, n: int) -> list[tuple[Text, Text]]:
    """(removed, kept). Raises UnableToRate."""
    if not can_be_rated(rule):
        raise UnableToRate(_("Raters can judge only rules that need nothing but the text."))
    if curation.state != Curation.State.READY:
        raise UnableToRate(_("Only documents of a preview can be rated. Make a preview first."))
    try:
        removed, kept = _removed(curation, rule, n), _kept(curation, n)
    except OSError as problem:
        raise UnableToRate(_("The files of this preview are not on this machine.")) from problem
    pairs = list(zip(removed, kept, strict=False))
    if not pairs:
        raise UnableToRate(
            _("There is nothing to rate: the rule removed no document, or the recipe kept none.")
        )
    return pairs


def _removed(curation: Curation, rule: str, n: int) -> list[Text]:
    folder = folder_of(curation=curation)
    of_rule = (entry for entry in ledger.read(folder) if entry.rule == rule and entry.is_removed)
    chosen = heapq.nsmallest(min(n, MOST), of_rule, key=lambda entry: _draw(entry.id))
    place_of = {entry.document: entry.id for entry in chosen}
    texts: dict[str, str] = {}
    [work] = folder.glob("work-*")
    with (work / child.DOCUMENTS).open("rb") as file:
        for place, line in enumerate(islice(file, max(place_of, default=-1) + 1)):
            if place in place_of:
                texts[place_of[place]] = json.loads(line)["text"]
    return [(entry.id, _shown(texts[entry.id])) for entry in chosen]


def _kept(curation: Curation, n: int) -> list[Text]:
    [work] = folder_of(curation=curation).glob("work-*")
    chosen = heapq.nsmallest(
        min(n, MOST), cleaning.kept(work), key=lambda kept_text: _draw(kept_text[0])
    )
    return [(key, _shown(document.text)) for key, document in chosen]


def _draw(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _shown(text: str) -> str:
    whole = clear(text)
    return whole if len(whole) <= LONGEST else f"{whole[:LONGEST]} …"


# --- the campaign ---------------------------------------------------------------------------------


def _prompts(curation: Curation, n: int, *, by: User, now: datetime) -> list[int]:
    """One for each pair, in the test split: no model trains on them."""
    words = _("Two texts from “%(name)s”, pair %(number)s. Should a model learn from them?")
    prompts = []
    for number in range(1, n + 1):
        content = words % {"name": curation.name, "number": number}
        try:
            prompt = intake.save_prompt(
                messages=[{"role": "user", "content": content}],
                category=Prompt.Category.OTHER,
                language="",
                split=Prompt.Split.TEST,
                licence="",
                by=by,
                now=now,
            )
        except intake.UnableToPlace as problem:
            raise UnableToRate(_("A prompt like these is used for training already.")) from problem
        prompts.append(prompt.pk)
    return prompts


def _store(prompts: Sequence[int], texts: Sequence[Text], side: int, *, now: datetime) -> list[int]:
    """Stores the texts as responses to the prompts. Returns their ids, in the same order."""
    source = intake.source_for_texts(name=_SOURCES[side])
    stored = Response.objects.filter(source=source)
    number = 1 + (stored.aggregate(n=Max("number"))["n"] or 0)
    rows = [
        intake.NewResponse(prompt_id=pk, text=text, number=number, sampling={}, is_ended=None)
        for pk, (_id, text) in zip(prompts, texts, strict=True)
    ]
    intake.store_responses(source=source, rows=rows, now=now)
    stored_ids = dict(stored.filter(number=number).values_list("prompt_id", "pk"))
    return [stored_ids[pk] for pk in prompts]


def _campaign(
    curation: Curation,
    rule: str,
    pool: Pool,
    overlap: int,
    prompts: Sequence[int],
    responses: Sequence[int],
    *,
    by: User,
    now: datetime,
) -> Campaign:
    about = f" · {rule_words.rule_words(rule)}"
    name = curation.name[: _LONGEST_NAME - len(about)] + about
    sources = Source.objects.filter(name__in=_SOURCES).values_list("pk", flat=True)
    try:
        return intake.open_comparison_campaign(
            name=intake.free_campaign_name(name),
            pool=pool,
            guideline=_guideline(by=by, now=now),
            prompt_ids=prompts,
            source_ids=list(sources),
            response_ids=responses,
            n_responses=2,
            overlap=overlap,
            by=by,
            now=now,
        )
    except (UnableToCreateCampaign, UnableToOpen) as refused:
        raise UnableToRate(refused.sentence) from refused


def _guideline(*, by: User, now: datetime) -> Guideline:
    asked = rating_form.Scale(
        QUESTION,
        "Should this text be removed?",
        low=_KEEP,
        high=_REMOVE,
        low_label="keep",
        high_label="remove",
        is_required=True,
    )
    return intake.guideline_with_question(
        name=_GUIDELINE, text=_GUIDELINE_TEXT, question=asked, by=by, now=now
    )


# --- what raters said -----------------------------------------------------------------------------


def measured_rule(*, sample: RuleSample) -> MeasuredRule:
    votes: dict[int, list[int]] = defaultdict(list)
    answers = RankedResponse.objects.filter(
        counting.counts("comparison__judgment__"),
        comparison__judgment__campaign=sample.campaign,
    ).values_list("response_id", "ratings")
    for response, ratings in answers:
        if QUESTION in ratings:
            votes[response].append(int(ratings[QUESTION] >= _REMOVE))
    documents = list(sample.documents.values_list("response_id", "is_removed"))
    return MeasuredRule(
        sample,
        _rate([votes[pk] for pk, is_removed in documents if is_removed]),
        _rate([votes[pk] for pk, is_removed in documents if not is_removed]),
    )


def _rate(votes: list[list[int]]) -> Rate:
    """By the majority of each document's raters; a tie counts half."""
    rated = [vote for vote in votes if vote]
    if not rated:
        return Rate(0, None)
    score = sum(_majority(vote) for vote in rated)
    return Rate(len(rated), score / len(rated), *intervals.wilson(score, len(rated)))


def _majority(votes: list[int]) -> float:
    twice = 2 * sum(votes)
    return 0.5 if twice == len(votes) else float(twice > len(votes))
