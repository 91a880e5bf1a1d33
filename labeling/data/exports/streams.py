"""Reads everything that is exported, streamed as rows in order of their ids."""

from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from django.db.models import Count, F, Model, Prefetch, Q, QuerySet

from labeling.access import visible, withdrawn_prompt_ids
from labeling.data.exports.rows import (
    CHUNK,
    EDITED,
    AdjudicatedRow,
    ComparisonRow,
    DecidedText,
    DemonstrationRow,
    MarkedRow,
    PromptRow,
    RankedText,
    ScoredRow,
    scored_row,
)
from labeling.models import (
    AdjudicatedRank,
    Adjudication,
    Demonstration,
    Item,
    ItemResponse,
    Judgment,
    Prompt,
    RankedResponse,
    Rater,
    Response,
    ResponseScore,
)
from labeling.quality.selectors import weights_by_rater
from labeling.votes import counting

M = TypeVar("M", bound=Model)


def demonstrations(
    *,
    campaigns: Collection[int] | None = None,
    include_imports: bool = True,
    include_extra: bool = False,
    include_gold: bool = False,
    include_set_aside: bool = False,
    only_called_good: bool = False,
) -> Iterator[DemonstrationRow]:
    """Every demonstration of `campaigns` (None: of all), and those that were imported without a
    campaign, unless excluded. With `only_called_good`, those whose file calls them good.

    Includes responses that raters edited while comparing. A dialogue gives one row per answer.
    """
    written = Judgment.of_people.filter(demonstration__isnull=False)
    if only_called_good:
        written = written.filter(presentation__label=True)
    counted = counting.counts(
        with_extra=include_extra,
        with_gold=include_gold,
        with_repeats=True,  # what a rater improved in a repeat is a text of its own
        with_set_aside=include_set_aside,
    )
    judgments = _judgments(written.filter(counted), campaigns, include_imports)
    judgments = judgments.select_related("demonstration__edit_of__source")
    for judgment in _in_chunks(judgments):
        yield from _by_turns(judgment)


def _by_turns(judgment: Judgment) -> Iterator[DemonstrationRow]:
    """The answer, and in a dialogue one more row for each answer that follows it."""
    first = _demonstration(judgment)
    later = list(judgment.demonstration.later_answers())
    yield replace(first, is_last=not later)
    for turn, (messages, answer) in enumerate(later, 1):
        yield replace(
            first,
            messages=messages,
            response=answer["content"],
            reasoning_content=answer.get("reasoning_content", ""),
            tool_calls=answer.get("tool_calls", []),
            turn=turn,
            is_last=turn == len(later),
        )


def _demonstration(judgment: Judgment) -> DemonstrationRow:
    prompt = judgment.prompt
    return DemonstrationRow(
        judgment_id=judgment.pk,
        prompt_id=prompt.pk,
        messages=prompt.messages,
        tools=prompt.tools,
        response=judgment.demonstration.text,
        **judgment.demonstration.parts,
        split=prompt.split,
        cluster=prompt.cluster,
        source_name=origin(judgment),
        licence=prompt.licence,
        category=prompt.category,
        language=prompt.language,
        rater_alias=judgment.rater.alias,
        campaign_id=judgment.campaign_id,
        submitted_at=judgment.submitted_at,
        guideline=_guideline(judgment),
        is_extra=judgment.is_extra,
        is_held_out=_is_held_out(judgment),
        is_edit=judgment.demonstration.edit_of_id is not None,
        response_licence=written_licence(judgment),
        prompt_source=prompt.source.name,
        item_id=judgment.item_id,
        active_s=judgment.active_s,
        warnings=tuple(judgment.warnings),
        is_repeat=_is_repeat(judgment),
    )


def written_licence(judgment: Judgment) -> str:
    """The licence of a demonstration. An edit keeps that of the text it was made from."""
    if judgment.import_batch:
        return str(judgment.presentation.get("licence") or judgment.import_batch.source.licence)
    original = judgment.demonstration.edit_of
    return original.own_licence if original else ""


def origin(judgment: Judgment) -> str:
    """Where a demonstration is from: an import, a model whose answer was accepted, or `raters`."""
    if judgment.import_batch:
        return str(judgment.presentation.get("source") or judgment.import_batch.source.name)
    return (
        str(judgment.presentation.get("source") or "raters")
        if judgment.campaign_id is None
        else "raters"
    )


def licences_of_judgment(judgment: Judgment) -> set[str]:
    """The licences of all its texts; "" if the prompt has none."""
    licences = {judgment.prompt.licence}
    # a reverse one-to-one raises when there is none
    compared = getattr(judgment, "comparison", None)
    if compared is not None:
        licences |= {row.response.own_licence for row in compared.ranked.all()} - {""}
    if getattr(judgment, "demonstration", None) is not None:
        licences |= {written_licence(judgment)} - {""}
    return licences


def comparisons(
    *,
    campaigns: Collection[int] | None = None,
    include_imports: bool = True,
    include_extra: bool = False,
    include_gold: bool = False,
    include_repeats: bool = False,
    include_set_aside: bool = False,
    include_single: bool = False,
) -> Iterator[ComparisonRow]:
    """Every comparison of `campaigns` (None: of all), and those that were imported without a
    campaign, unless excluded.

    A judgment in which a response was edited gives a second row, `is_edit`: the edit first, then
    its original. A repeat would count its rater's opinion twice, so repeats are only included on
    request. So are ratings of a single response, which compare nothing.
    """
    compared = Judgment.of_people.filter(kind=Judgment.Kind.COMPARISON)
    counted = counting.counts(
        with_extra=include_extra,
        with_gold=include_gold,
        with_repeats=include_repeats,
        with_set_aside=include_set_aside,
    )
    judgments = _judgments(compared.filter(counted), campaigns, include_imports)
    judgments = judgments.select_related("comparison", "demonstration__response__source")
    if include_single:
        # Not those that are left of a comparison when the others' writers have withdrawn.
        judgments = judgments.annotate(n_rated=Count("comparison__ranked"))
    weights = weights_by_rater(campaigns=campaigns)
    for judgment in _in_chunks(_with_responses(judgments)):
        row = _comparison(judgment, weights)
        is_single = include_single and judgment.n_rated == 1  # type: ignore[attr-defined]  # above
        if len(row.responses) > 1 or (is_single and row.responses):
            yield row
        edited = _edited_pair(judgment, row)
        if edited is not None:
            yield edited


def comparisons_of_judges(*, judgments: Collection[int]) -> Iterator[ComparisonRow]:
    """Those of these judgments that judges made. No other stream has any."""
    made = Judgment.of_everyone.filter(pk__in=judgments, rater__kind=Rater.Kind.JUDGE)
    made = made.exclude(prompt__in=withdrawn_prompt_ids()).filter(rater__withdrawn_at=None)
    read = _judgments(made, None, include_imports=True).select_related("comparison")
    rows = (_comparison(one, {}) for one in _in_chunks(_with_responses(read)))
    return (row for row in rows if len(row.responses) > 1)


def _with_responses(judgments: QuerySet[Judgment]) -> QuerySet[Judgment]:
    """By id, without those whose writer has withdrawn."""
    ranked = RankedResponse.objects.exclude(counting.by_withdrawn("response__"))
    ranked = ranked.select_related("response__source").order_by("response_id")
    return judgments.prefetch_related(Prefetch("comparison__ranked", ranked))


def _comparison(judgment: Judgment, weights: Mapping[tuple[int, int], float]) -> ComparisonRow:
    prompt = judgment.prompt
    return ComparisonRow(
        judgment_id=judgment.pk,
        prompt_id=prompt.pk,
        messages=prompt.messages,
        tools=prompt.tools,
        responses=tuple(_ranked_text(row) for row in judgment.comparison.ranked.all()),
        rater_alias=judgment.rater.alias,
        split=prompt.split,
        cluster=prompt.cluster,
        licence=prompt.licence,
        category=prompt.category,
        strength=judgment.comparison.strength,
        reason=judgment.comparison.reason,
        submitted_at=judgment.submitted_at,
        is_extra=judgment.is_extra,
        is_held_out=_is_held_out(judgment),
        language=prompt.language,
        campaign_id=judgment.campaign_id,
        guideline=_guideline(judgment),
        reliability=weights.get((judgment.campaign_id or 0, judgment.rater_id)),
        is_repeat=_is_repeat(judgment),
        pool=judgment.campaign.pool.name if judgment.campaign else "",
        item_id=judgment.item_id,
        active_s=judgment.active_s,
        warnings=tuple(judgment.warnings),
        is_all_bad=judgment.comparison.is_all_bad,
        prompt_source=prompt.source.name,
        form=judgment.guideline_version.form if judgment.guideline_version else None,
    )


def _ranked_text(row: RankedResponse) -> RankedText:
    return RankedText(
        response_id=row.response_id,
        text=row.response.text,
        **row.response.parts,
        rank=row.rank,
        source_name=row.response.source.name,
        position=row.position,
        ratings=row.ratings,
        is_ended=row.response.is_ended,
        licence=row.response.own_licence,
    )


def _edited_pair(judgment: Judgment, row: ComparisonRow) -> ComparisonRow | None:
    """The rater's edit preferred to its original; None if nothing was edited."""
    written: Demonstration | None = getattr(
        judgment, "demonstration", None
    )  # a reverse one-to-one raises when there is none
    if written is None or written.response is None:
        return None
    original = next(
        (text for text in row.responses if text.response_id == written.edit_of_id), None
    )
    if original is None:  # its author has withdrawn
        return None
    edit = RankedText(
        written.response.pk,
        written.text,
        1,
        written.response.source.name,
        EDITED,
        {},
        licence=written.response.own_licence or original.licence,
        **written.response.parts,
    )
    # By id, as in every other row.
    pair = sorted((edit, replace(original, rank=2)), key=lambda text: text.response_id)
    return replace(
        row,
        responses=tuple(pair),
        strength=None,
        reason=None,
        is_all_bad=False,
        is_edit=True,
    )


def adjudications(*, campaigns: Collection[int] | None = None) -> Iterator[AdjudicatedRow]:
    """The order decided by a reviewer, one row per item; an adjudicated item without an order gives
    none.
    """
    ranked = (
        AdjudicatedRank.objects.exclude(counting.by_withdrawn("response__"))
        .select_related("response__source")
        .order_by("response_id")
    )
    decisions = (
        Adjudication.objects.filter(ranks__isnull=False)
        .exclude(item__prompt__in=withdrawn_prompt_ids())
        .distinct()
        .select_related("item__prompt__source")
        .order_by("pk")
    )
    if campaigns is not None:
        decisions = decisions.filter(item__campaign__in=campaigns)
    for decision in _in_chunks(decisions.prefetch_related(Prefetch("ranks", ranked))):
        prompt = decision.item.prompt
        yield AdjudicatedRow(
            item_id=decision.item_id,
            prompt_id=prompt.pk,
            messages=prompt.messages,
            tools=prompt.tools,
            responses=tuple(
                DecidedText(
                    row.response_id,
                    row.response.text,
                    row.rank,
                    row.response.source.name,
                    row.response.own_licence,
                    **row.response.parts,
                )
                for row in decision.ranks.all()
            ),
            reason=decision.reason,
            note=decision.note,
            split=prompt.split,
            licence=prompt.licence,
            category=prompt.category,
            language=prompt.language,
            at=decision.at,
            prompt_source=prompt.source.name,
        )


def prompts(*, campaigns: Collection[int] | None = None) -> Iterator[PromptRow]:
    """Every published prompt that is not retired, or that `campaigns` ask about."""
    rows = visible(Prompt.objects.filter(retired_at=None))
    if campaigns is not None:
        asked = Item.objects.filter(campaign__in=campaigns, repeat_of=None)
        rows = visible(Prompt.objects.filter(pk__in=asked.values("prompt")))
    for prompt in _in_chunks(rows.select_related("source").order_by("pk")):
        yield PromptRow(
            prompt_id=prompt.pk,
            messages=prompt.messages,
            tools=prompt.tools,
            split=prompt.split,
            cluster=prompt.cluster,
            category=prompt.category,
            licence=prompt.licence,
            language=prompt.language,
            source_name=prompt.source.name,
        )


def marked(*, mark: str, campaigns: Collection[int] | None = None) -> Iterator[MarkedRow]:
    """Every published response that its import gave this mark, or those that `campaigns` show."""
    rows = visible(Response.objects.filter(marks__has_key=mark)).exclude(counting.by_withdrawn())
    if campaigns is not None:
        rows = rows.filter(
            pk__in=ItemResponse.objects.filter(item__campaign__in=campaigns).values("response")
        )
    rows = rows.select_related("source", "prompt__source").order_by("pk")
    for response in _in_chunks(rows):
        prompt = response.prompt
        yield MarkedRow(
            response_id=response.pk,
            prompt_id=prompt.pk,
            messages=prompt.messages,
            tools=prompt.tools,
            text=response.text,
            **response.parts,
            marks=response.marks,
            split=prompt.split,
            source_name=response.source.name,
            licence=prompt.licence,
            category=prompt.category,
            language=prompt.language,
            response_licence=response.own_licence,
            prompt_source=prompt.source.name,
            cluster=prompt.cluster,
        )


def best_scored(*, source: int, numbers: range, scorer: int) -> Iterator[ScoredRow]:
    """For each published prompt that is not retired, the response of `source` with one of these
    numbers that `scorer` scores highest.
    """
    for best, _worst in _ends(source, numbers, scorer):
        yield best


def scored_pairs(
    *, source: int, numbers: range, scorer: int
) -> Iterator[tuple[ScoredRow, ScoredRow]]:
    """The same with the response that `scorer` scores lowest; prompts whose responses are all
    equally good give none.
    """
    for best, worst in _ends(source, numbers, scorer):
        if (best.is_ended, best.score) != (worst.is_ended, worst.score):
            yield best, worst


def _ends(source: int, numbers: range, scorer: int) -> Iterator[tuple[ScoredRow, ScoredRow]]:
    """(the best, the worst) of each prompt, which are the same where it has only one.

    Responses that were cut off rank after all that ended on their own: a reward model reads its
    score where a response ends.
    """
    answered = visible(Prompt.objects.filter(retired_at=None))
    scores = ResponseScore.objects.filter(
        scorer=scorer,
        response__source=source,
        response__number__gte=numbers.start,
        response__number__lt=numbers.stop,
        response__prompt__in=answered,
    )
    ends: dict[int, tuple[int, int]] = {}
    ranked = scores.order_by(
        "response__prompt_id",
        F("response__is_ended").desc(nulls_last=True),
        "-score",
        "response__number",
    )
    for prompt_id, pk in ranked.values_list("response__prompt_id", "pk").iterator(chunk_size=CHUNK):
        # Rows are sorted best first within each prompt.
        ends[prompt_id] = (ends.get(prompt_id, (pk, pk))[0], pk)
    listed = list(ends.values())
    read = ResponseScore.objects.select_related("response__prompt", "response__source")

    def scored(found: ResponseScore) -> ScoredRow:
        return scored_row(found.response, found.score)

    for start in range(0, len(listed), CHUNK):
        chunk = listed[start : start + CHUNK]
        there = read.in_bulk({pk for pair in chunk for pk in pair})
        for best, worst in chunk:
            if best in there and worst in there:
                yield scored(there[best]), scored(there[worst])


def _in_chunks(rows: QuerySet[M]) -> Iterator[M]:
    """`rows`, ordered by their ids, as far as they are still there when their chunk is read.

    No cursor stays open from one chunk to the next: SQLite refuses to write on a connection that is
    in the middle of reading once anybody else has written, and a job writes how far it is.
    """
    ids = array("q", rows.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=CHUNK))
    return _of_ids(rows, ids)


def _of_ids(rows: QuerySet[M], ids: Sequence[int]) -> Iterator[M]:
    for start in range(0, len(ids), CHUNK):
        yield from rows.filter(pk__in=ids[start : start + CHUNK])


def _judgments(
    judgments: QuerySet[Judgment],
    campaigns: Collection[int] | None,
    include_imports: bool,
) -> QuerySet[Judgment]:
    judgments = visible(judgments)
    if campaigns is not None:
        in_campaigns = Q(campaign__in=campaigns)
        judgments = judgments.filter(
            in_campaigns | Q(import_batch__isnull=False, campaign=None)
            if include_imports
            else in_campaigns
        )
    elif not include_imports:
        judgments = judgments.filter(import_batch=None)
    return judgments.select_related(
        "prompt__source",
        "rater",
        "campaign__pool",
        "guideline_version__guideline",
        "import_batch__source",
        "item",
    ).order_by("pk")


def _is_held_out(judgment: Judgment) -> bool:
    return judgment.campaign is not None and judgment.campaign.pool.is_held_out


def _is_repeat(judgment: Judgment) -> bool:
    return judgment.item is not None and judgment.item.repeat_of_id is not None


def _guideline(judgment: Judgment) -> str | None:
    """The version that the rater worked by; for an imported judgment as its file names it."""
    if named := judgment.import_batch and judgment.presentation.get("guideline"):
        return str(named)
    return str(judgment.guideline_version) if judgment.guideline_version else None
