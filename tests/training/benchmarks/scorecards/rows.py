"""Suites, benchmark runs and answers for tests of scorecards."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from training.benchmarks.scorecards import services
from training.models import Run, Snapshot, Suite, SuiteItem, SuiteScore, TrainedModel

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def a_suite(
    slug: str = "arithmetic",
    *,
    n: int = 20,
    kind: str = "choice",
    scorer: str = "likelihood",
    area: str = "capability",
    version: str = "1",
    content: dict[str, Any] | None = None,
    clusters: int = 0,
) -> Suite:
    """A suite of `n` items in two categories; `clusters` of equal size, or each item alone."""
    suite = Suite.objects.create(
        slug=slug,
        version=version,
        name=slug.replace("-", " ").capitalize(),
        kind=kind,
        area=area,
        scorer=scorer,
        licence="CC0-1.0",
        n_items=n,
        items_hash="0" * 64,
    )
    SuiteItem.objects.bulk_create(
        SuiteItem(
            suite=suite,
            position=place,
            key=f"q-{place}",
            category="even" if place % 2 == 0 else "odd",
            cluster=f"c{place % clusters}" if clusters else "",
            prompt=[{"role": "user", "content": f"Question {place}: which one is right?"}],
            content=content or {"choices": ["yes", "no"], "answer": 0},
        )
        for place in range(n)
    )
    return suite


def a_benchmark(
    model: TrainedModel, suites: Sequence[Suite], *, by: User, state: str = "running", **fields: Any
) -> Run:
    snapshot = Snapshot.objects.create(
        name="Suites",
        kind=Snapshot.Kind.SUITES,
        folder="suites-cast",
        n_rows=sum(suite.n_items for suite in suites),
        fingerprint="5" * 64,
        filters={"suites": [suite.pk for suite in suites]},
    )
    return Run.objects.create(
        name=f"Benchmark of {model.name}",
        kind="benchmark",
        snapshot=snapshot,
        base_model=model,
        created_by=by,
        state=state,
        attempt=1,
        **fields,
    )


def chosen(suite: Suite, rights: Sequence[bool]) -> list[dict[str, Any]]:
    """Rows of answers.jsonl to a `choice` suite, right or wrong as told; fewer than items leave
    the rest unanswered.
    """
    pks = suite.items.order_by("position").values_list("pk", flat=True)
    return [
        {"item": pk, "text": "", "values": {"log_likelihoods": [-1.0, -2.0] if right else [-2, -1]}}
        for pk, right in zip(pks, rights, strict=False)
    ]


def scored(
    model: TrainedModel, suite: Suite, rights: Sequence[bool], *, by: User, hours: int = 0
) -> SuiteScore:
    """A finished benchmark run whose answers were right or wrong as told."""
    run = a_benchmark(model, [suite], by=by)
    services.store_answers(run_id=run.pk, attempt=1, rows=chosen(suite, rights), now=NOW)
    return ended(run, hours=hours).get(suite=suite, is_main=True)


def ended(run: Run, *, hours: int = 0, outcome: str = "succeeded") -> QuerySet[SuiteScore]:
    """Ends the run and scores it; returns its scores."""
    at = NOW + timedelta(hours=hours)
    Run.objects.filter(pk=run.pk).update(state=Run.State.FINISHED, outcome=outcome, finished_at=at)
    services.score_run(run=Run.objects.get(pk=run.pk), now=at)
    return SuiteScore.objects.filter(run=run)


def full_cards(by: User) -> tuple[TrainedModel, TrainedModel, TrainedModel]:
    """(base, tuned, a reward model) with scores in every area: tuned refuses less and knows as
    much, and three items of a suite stand in its training data.
    """
    base, tuned, judge = (
        TrainedModel.objects.create(name=name, kind=kind, location=f"/models/{name}")
        for name, kind in [
            ("SmolLM2-135M-Instruct", "policy"),
            ("helpful-and-harmless-ppo-november", "policy"),
            ("reward-of-november", "reward"),
        ]
    )
    TrainedModel.objects.filter(pk=tuned.pk).update(parent=base)
    for slug, area, n, rights in [
        ("everyday-knowledge", "capability", 200, (120, 124)),
        ("simple-arithmetic", "capability", 60, (31, 29)),
        ("harmful-requests", "safety", 100, (92, 90)),
        ("harmless-requests-that-sound-harmful", "over-refusal", 120, (55, 104)),
        ("are-you-sure", "honesty", 40, (30, 12)),
    ]:
        suite = a_suite(slug, n=n, area=area)
        for model, right in zip((base, tuned), rights, strict=True):
            answered = n - 3 if slug == "simple-arithmetic" else n
            score = scored(model, suite, [place < right for place in range(answered)], by=by)
            if model == tuned and slug == "everyday-knowledge":
                note = {"n": 3, "by_snapshot": {"1": [1, 2, 3]}, "not_checked": []}
                SuiteScore.objects.filter(pk=score.pk).update(
                    details=score.details | {"overlap": note}
                )
    _judged(judge, by)
    return base, TrainedModel.objects.get(pk=tuned.pk), judge


def _judged(judge: TrainedModel, by: User) -> None:
    suite = a_suite(
        "pairs-of-responses",
        n=50,
        kind="pairs",
        scorer="preferred",
        area="reward",
        content={"better": "A short answer.", "worse": "An answer that goes on and on."},
    )
    run = a_benchmark(judge, [suite], by=by)
    lines = [
        {
            "item": item.pk,
            "values": {"better": 1.0, "worse": 2.0 if place % 4 == 0 else 0.1, "by": "reward"},
        }
        for place, item in enumerate(suite.items.all())
    ]
    services.store_answers(run_id=run.pk, attempt=1, rows=lines, now=NOW)
    ended(run)
