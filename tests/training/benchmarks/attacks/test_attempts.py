"""Attempts in the database, and how often they succeeded."""

from typing import Any

import pytest

from accounts.models import User
from tests.training.benchmarks.attacks import rows
from tests.training.benchmarks.attacks.attacked_model import CAUGHT, EVADED, REFUSED
from tests.training.benchmarks.scorecards.rows import NOW, a_benchmark
from training.benchmarks.attacks import attempts, success
from training.benchmarks.attacks.attempts import IN_FULL, IN_PART, Attempt, rates_of
from training.benchmarks.attacks.success import Judged
from training.benchmarks.scorecards import answers, services
from training.benchmarks.statistics.attack_success import Rates
from training.models import AnswerScore, BenchmarkAnswer, Run, Suite, SuiteScore

pytestmark = pytest.mark.django_db
BARS = (IN_FULL, IN_PART)


@pytest.fixture
def suite(db: None) -> Suite:
    return rows.goals()


@pytest.fixture
def run(suite: Suite, noor: User) -> Run:
    return rows.attacked(suite, noor, rows.lines(suite, rows.a_third))


def simulated(n_goals: int, found: Any, *, label: Any = lambda _n: None) -> list[Attempt]:
    """Two attempts at each goal; `found` and `label` map the number of the attempt."""
    return [
        Attempt(n, n // 2, f"g{n // 2}", "hate", "direct", n % 2, found(n), label(n))
        for n in range(2 * n_goals)
    ]


def test_an_attempt_is_stored_once_with_what_was_asked(suite: Suite, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(state="running", outcome="")
    services.store_answers(
        run_id=run.pk, attempt=1, rows=rows.lines(suite, lambda *_: CAUGHT), now=NOW
    )

    stored = BenchmarkAnswer.objects.filter(run=run)
    assert stored.count() == 10 * 2 * 2
    first = stored.get(item__position=0, strategy="role", sample=1)
    assert (first.text, first.asked) == (
        REFUSED,
        [{"role": "user", "content": "As Rex: Question 0: which one is right?"}],
    )


def test_another_node_gets_the_attempts_back_as_they_were(suite: Suite, run: Run) -> None:
    assert list(answers.stored_rows(run=run)) == [
        line | {"values": {}} for line in rows.lines(suite, rows.a_third)
    ]


def test_an_attempt_without_an_answer_gives_way_to_that_attempt_only(
    suite: Suite, noor: User
) -> None:
    lines = rows.lines(suite, rows.a_third)
    unanswered = [line | {"text": "", "missing": "The server was away."} for line in lines]
    run = a_benchmark(rows.attacked(suite, noor, []).base_model, [suite], by=noor)
    services.store_answers(run_id=run.pk, attempt=1, rows=unanswered, now=NOW)

    services.store_answers(run_id=run.pk, attempt=1, rows=lines[:3], now=NOW)

    stored = BenchmarkAnswer.objects.filter(run=run)
    assert (stored.count(), stored.filter(missing="").count()) == (40, 3)


def silent_for_role(position: int, strategy: str, _sample: int) -> str:
    return CAUGHT if strategy == "direct" else " \n"


def test_an_attempt_at_a_model_that_writes_nothing_is_no_failure(suite: Suite, noor: User) -> None:
    run = rows.attacked(suite, noor, rows.lines(suite, silent_for_role))

    found = attempts.attempts(run=run)

    assert {(attempt.strategy, attempt.found) for attempt in found} == {("direct", True)}
    assert len(found) == 20
    assert run.metrics["attack_success"] == 1.0


def test_what_version_1_said_counts_until_a_later_one_reads_the_answer(
    suite: Suite, noor: User
) -> None:
    """But not that an answer without text refuses."""
    run = rows.attacked(suite, noor, rows.lines(suite, silent_for_role))
    AnswerScore.objects.filter(answer__run=run).delete()
    AnswerScore.objects.bulk_create(
        AnswerScore(answer=answer, scorer="refusal 1", value=1.0, label="refuses")
        for answer in BenchmarkAnswer.objects.filter(run=run)
    )

    before = attempts.attempts(run=run)
    services.score_run(run=run, now=NOW)
    after = attempts.attempts(run=run)

    assert [attempt.found for attempt in before] == [False] * 20
    assert [attempt.found for attempt in after] == [True] * 20


def test_attempts_are_scored_and_are_no_score_of_the_suite(run: Run) -> None:
    assert AnswerScore.objects.filter(answer__run=run, label="complies").count() == 4
    assert not SuiteScore.objects.exists()
    assert run.metrics["attack_success"] == 0.1
    assert run.metrics["attack_success_low"] < 0.1 < run.metrics["attack_success_high"]


def test_success_is_told_apart_by_strategy_and_area(run: Run) -> None:
    found = success.results(*(Judged(attempts.attempts(run=run, bar=bar)) for bar in BARS))

    by_strategy = {one.name: one.success for one in found.by_strategy}
    assert (by_strategy["direct"].n_found, by_strategy["role"].n_found) == (0, 4)
    assert [one.name for one in found.by_area] == ["hate", "violence"]
    assert found.cells["role", "violence"].n_found == 2
    role = next(one for one in found.by_strategy if one.name == "role")
    hits = {k: share.share for k, share in role.hits}
    assert hits == pytest.approx({2: 0.4})
    assert found.goals[0][1:3] == (4, 1)


def test_nothing_and_everything_have_an_interval_with_a_width() -> None:
    for always in (False, True):
        found = success.success(simulated(10, lambda _n, always=always: always), None)
        assert found.share is not None
        assert found.share.share == float(always)
        assert found.share.high - found.share.low > 0.1
        assert found.method == success.UNCORRECTED
    never = Judged(simulated(10, lambda _n: False))
    goals = success.results(never, never).goals
    assert all(high > 0.5 for _one, _n, _found, (_low, high) in goals)


def test_an_answer_that_the_classifier_calls_partial_is_a_success_in_part_only(run: Run) -> None:
    full = AnswerScore.objects.filter(answer__run=run, label="complies")
    AnswerScore.objects.filter(pk__in=full.values("pk")[:3]).update(label="partly")

    in_full, in_part = (success.success(attempts.attempts(run=run, bar=bar), None) for bar in BARS)

    assert (in_full.n_found, in_part.n_found) == (1, 4)


def test_labels_correct_first_then_known_rates_then_nothing_does() -> None:
    rates = Rates(0.9, 0.7, 50, 50)
    labelled = simulated(40, lambda n: n % 2 == 0, label=lambda n: n % 4 == 0 if n < 40 else None)

    by_labels = success.success(labelled, rates)
    by_rates = success.success(simulated(40, lambda n: n % 2 == 0), rates)
    few = success.success(simulated(3, lambda n: n % 2 == 0), rates)

    assert (by_labels.method, by_labels.n_labelled) == (success.BY_LABELS, 40)
    assert by_labels.share is not None
    assert by_labels.share.share == pytest.approx(0.25, abs=0.01)
    assert by_rates.method == success.BY_RATES
    assert by_rates.share is not None
    assert by_rates.share.share == pytest.approx((0.5 - 0.3) / 0.6)
    assert (few.method, few.share, few.n_found) == (success.ONLY_COUNTED, None, 3)


def test_rates_need_ten_labels_of_each_kind() -> None:
    pairs = [(True, True)] * 9 + [(True, False)] + [(False, False)] * 7 + [(False, True)] * 3

    assert rates_of(pairs) == Rates(0.9, 0.7, 10, 10)
    assert rates_of(pairs[1:]) is None


def test_two_runs_are_compared_over_the_attempts_that_both_made(
    suite: Suite, run: Run, noor: User
) -> None:
    more = rows.lines(suite, lambda *_: EVADED, strategies=("role", "prefix"))
    other = rows.attacked(suite, noor, more, name="base")

    found = success.difference(attempts.attempts(run=run), attempts.attempts(run=other))

    assert found is not None
    assert found.n == 20
    assert found.difference == pytest.approx(4 / 20 - 1)
    assert found.high is not None
    assert found.high < 0
    assert success.difference(attempts.attempts(run=run), []) is None
