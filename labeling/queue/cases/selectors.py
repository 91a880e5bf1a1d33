"""Read queries of cases: open and settled ones, with what raters wrote when they skipped."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from labeling.access import withdrawn_prompt_ids
from labeling.models import Case, ItemQuestion, Pass, Prompt, StepAttempt

REASON_OF = {
    Case.Queue.REPAIR: Pass.Reason.PROMPT_UNCLEAR,
    Case.Queue.SAFETY: Pass.Reason.OFFENSIVE,
    Case.Queue.TECHNICAL: Pass.Reason.TECHNICAL,
}
QUESTIONS = "questions"
ONBOARDING = "onboarding"


@dataclass(frozen=True)
class CaseRow:
    case: Case
    passes: list[Pass]
    """the raters' skips, oldest first"""


def cases(*, queue: str, is_settled: bool) -> QuerySet[Case]:
    """Open cases oldest first, settled ones newest first. There is nothing to decide about a prompt
    whose writer has withdrawn.
    """
    queryset = _decidable(Case.objects.filter(queue=queue, settled_at__isnull=not is_settled))
    order = ("-settled_at", "-pk") if is_settled else ("opened_at", "pk")
    return queryset.select_related(
        "item__campaign", "item__prompt", "owner", "settled_by"
    ).order_by(*order)


def case_rows(*, cases: Iterable[Case]) -> list[CaseRow]:
    """A row for each of `cases`, with one more query for all of them."""
    shown = list(cases)
    by_case: dict[tuple[int, str], list[Pass]] = {}
    passes = (
        Pass.objects.filter(item__in=[case.item_id for case in shown])
        .select_related("rater")
        .order_by("created_at")
    )
    for entry in passes:
        by_case.setdefault((entry.item_id, entry.reason), []).append(entry)
    return [
        CaseRow(case, by_case.get((case.item_id, REASON_OF[Case.Queue(case.queue)]), []))
        for case in shown
    ]


def n_waiting() -> dict[str, int]:
    """Open cases by queue, with raters' questions and onboarding answers to review."""
    waiting = _decidable(Case.objects.filter(settled_at=None))
    counts = dict(waiting.values_list("queue").annotate(n=Count("pk")).order_by())
    return counts | {
        QUESTIONS: ItemQuestion.objects.filter(answered_at=None).count(),
        ONBOARDING: StepAttempt.objects.filter(state=StepAttempt.State.WAITING).count(),
    }


def _decidable(rows: QuerySet[Case]) -> QuerySet[Case]:
    return rows.exclude(item__prompt__in=withdrawn_prompt_ids())


def cases_of_prompt(*, prompt: Prompt) -> QuerySet[Case]:
    return (
        Case.objects.filter(item__prompt=prompt)
        .select_related("settled_by", "owner")
        .order_by("-opened_at")
    )
