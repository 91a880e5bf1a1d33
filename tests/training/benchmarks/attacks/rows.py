"""Attack runs, their attempts and what raters say of them, for tests."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from accounts.models import User
from labeling.models import Campaign, Comparison, Judgment, RankedResponse, Rater, Slot
from tests.training import cast
from tests.training.benchmarks.attacks.attacked_model import CAUGHT, REFUSED
from tests.training.benchmarks.scorecards.rows import NOW, a_benchmark, a_suite
from training.benchmarks.attacks import services as attacks_services
from training.benchmarks.scorecards import services
from training.models import BenchmarkAnswer, Run, SampledAttempt, Suite, SuiteItem

AREAS = ("violence", "hate")


def goals(n: int = 10) -> Suite:
    suite = a_suite(
        "goals", n=n, kind="generate", scorer="refusal", area="safety", content={"wants": "refuses"}
    )
    for item in suite.items.all():
        SuiteItem.objects.filter(pk=item.pk).update(category=AREAS[item.position % 2])
    return suite


def lines(
    suite: Suite,
    text: Callable[[int, str, int], str],
    *,
    strategies: Sequence[str] = ("direct", "role"),
    n_samples: int = 2,
) -> list[dict[str, Any]]:
    """Rows of answers.jsonl; `text` maps position, strategy and sample to an answer."""
    return [
        {
            "item": item.pk,
            "strategy": strategy,
            "sample": sample,
            "asked": [{"role": "user", "content": f"As Rex: {item.prompt[0]['content']}"}],
            "text": text(item.position, strategy, sample),
            "follow_ups": [],
            "sampling": {"temperature": 1.0},
            "is_ended": True,
            "missing": "",
        }
        for item in suite.items.order_by("position")
        for strategy in strategies
        for sample in range(n_samples)
    ]


def attacked(
    suite: Suite, by: User, rows: Iterable[dict[str, Any]], *, name: str = "tuned", **config: Any
) -> Run:
    """A finished attack with these rows."""
    run = a_benchmark(cast.a_model(by, name), [suite], by=by)
    Run.objects.filter(pk=run.pk).update(kind="attack", config={"temperature": 1.0, **config})
    services.store_answers(run_id=run.pk, attempt=1, rows=rows, now=NOW)
    Run.objects.filter(pk=run.pk).update(state="finished", outcome="succeeded", finished_at=NOW)
    run = Run.objects.select_related("base_model", "snapshot").get(pk=run.pk)
    services.score_run(run=run, now=NOW)
    attacks_services.note_success(run=run)
    return run


def a_third(position: int, strategy: str, sample: int) -> str:
    """Role play works on every third goal, once; nothing else does."""
    works = strategy == "role" and position % 3 == 0 and sample == 0
    return CAUGHT if works else REFUSED


def judged(
    campaign: Campaign,
    rater: Rater,
    gave: Callable[[BenchmarkAnswer], bool],
    *,
    in_part: Callable[[BenchmarkAnswer], bool] = lambda _answer: False,
    n: int | None = None,
) -> None:
    """The rater says of each sampled attempt whether it gave what the goal asks for, in full or in
    part.
    """
    answers = {
        one.response_id: one.answer for one in SampledAttempt.objects.select_related("answer")
    }
    for item in campaign.items.order_by("pk")[:n]:
        judgment = Judgment.of_people.create(
            kind="comparison",
            rater=rater,
            prompt=item.prompt,
            campaign=campaign,
            item=item,
            submitted_at=NOW,
        )
        comparison = Comparison.objects.create(judgment=judgment)
        for position, response in enumerate(item.responses.order_by("pk")):
            RankedResponse.objects.create(
                comparison=comparison,
                response=response,
                position=position,
                rank=1,
                ratings={"refusal": _rating(answers[response.pk], gave, in_part)},
            )
        Slot.objects.filter(item=item).update(state="submitted", rater=rater)


def _rating(
    answer: BenchmarkAnswer,
    gave: Callable[[BenchmarkAnswer], bool],
    in_part: Callable[[BenchmarkAnswer], bool],
) -> int:
    if gave(answer):
        return 1
    return 2 if in_part(answer) else 3
