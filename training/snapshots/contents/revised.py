"""The answers that runs revised by principles."""

from collections.abc import Iterator, Sequence

from django.db.models import F, Max, Min, QuerySet

from labeling.access import visible
from labeling.data.exports.rows import ScoredRow, scored_row
from labeling.models import Prompt, Response
from training.configs import kinds
from training.models import Run
from training.snapshots.response_numbers import numbers_of


def missing(*, runs: Sequence[int]) -> list[int]:
    """Those that are no runs of a kind that revises."""
    revising = _revising(runs).values_list("pk", flat=True)
    return sorted(set(runs) - set(revising))


def pairs(*, runs: Sequence[int]) -> Iterator[tuple[ScoredRow, ScoredRow]]:
    """(the last revision, the answer before all of them) of each published prompt that is not
    retired and has both.
    """
    for run in _revising(runs).select_related("base_model").order_by("pk"):
        if run.base_model.source_id is not None:  # else it has stored nothing yet
            yield from _ends(answers(source=run.base_model.source_id, run_id=run.pk))


def _revising(runs: Sequence[int]) -> QuerySet[Run]:
    readers = [name for name, config in kinds.KINDS.items() if config.reads_principles]
    return Run.objects.filter(pk__in=runs, kind__in=readers, is_dry=False)


def answers(*, source: int, run_id: int) -> QuerySet[Response]:
    """What a run's model wrote to published prompts that are not retired: the answers and their
    revisions, by number.
    """
    numbers = numbers_of(run_id)
    return visible(
        Response.objects.filter(
            source=source,
            number__gte=numbers.start,
            number__lt=numbers.stop,
            prompt__in=visible(Prompt.objects.filter(retired_at=None)),
        )
    )


def _ends(rows: QuerySet[Response]) -> Iterator[tuple[ScoredRow, ScoredRow]]:
    ends = rows.values("prompt_id").annotate(first=Min("number"), last=Max("number"))
    revised = ends.filter(last__gt=F("first")).order_by("prompt_id")
    for prompt, first, last in revised.values_list("prompt_id", "first", "last"):
        both = rows.filter(prompt=prompt, number__in=(first, last))
        read = {row.number: row for row in both.select_related("prompt", "source")}
        if len(read) == 2:
            yield scored_row(read[last], 1.0), scored_row(read[first], 0.0)
