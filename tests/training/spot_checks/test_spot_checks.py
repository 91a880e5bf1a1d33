"""Raters compare each checkpoint with the kept one: who is asked, what is kept, and what happens
where raters do not answer.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from labeling.campaigns import services as campaigns_services
from labeling.models import Campaign, ItemResponse, Pool, Prompt, Rater, Response
from tests.labeling.campaigns.judging import add_repeat
from tests.training.conftest import NOW
from tests.training.spot_checks.conftest import (
    N_PROMPTS,
    advance,
    campaign_of,
    check_of,
    claimed,
    judge,
    writes,
)
from training.models import Run, SpotCheck
from training.processes.run_lines import Kept
from training.runs import services as runs_services
from training.runs.run_queue import UnableToQueue
from training.runs.services import AttemptResult
from training.spot_checks import selectors, services

pytestmark = pytest.mark.django_db


def told(run: Run) -> Kept | None:
    return runs_services.record_heartbeat(run_id=run.pk, attempt=1, now=NOW).kept


def sentences(run: Run) -> list[str]:
    shown = selectors.spot_checks(run=Run.objects.get(pk=run.pk))
    assert shown is not None
    return [row.sentence for row in shown.rows]


def headline(run: Run) -> str:
    shown = selectors.spot_checks(run=Run.objects.get(pk=run.pk))
    assert shown is not None
    return shown.sentence


def finish(run: Run, **metrics: Any) -> None:
    result = AttemptResult(Run.Outcome.SUCCEEDED, metrics=metrics)
    assert runs_services.finish_run(run_id=run.pk, attempt=1, result=result, now=NOW)


def test_the_start_is_kept_and_nobody_is_asked_about_it(run: Run, prompts: list[Prompt]) -> None:
    writes(run, prompts, 0)
    advance()

    assert Campaign.objects.count() == 0
    assert told(run) == Kept(0, 0)
    assert sentences(run) == ["Where the run began: the first step that is kept."]


def test_before_anything_is_written_the_process_is_told_nothing(run: Run) -> None:
    assert told(run) is None


def test_raters_compare_the_checkpoint_with_the_kept_one_in_responses_of_their_own(
    run: Run, prompts: list[Prompt], day_shift: Pool
) -> None:
    writes(run, prompts, 0, 10)
    advance()

    campaign = campaign_of(run, 10)
    assert campaign.state == Campaign.State.OPEN
    assert campaign.pool == day_shift
    assert campaign.items.count() == N_PROMPTS
    shown = ItemResponse.objects.filter(item__campaign=campaign).values_list(
        "response__text", flat=True
    )
    assert sorted(shown) == ["Step 0, text 1."] * N_PROMPTS + ["Step 10, text 0."] * N_PROMPTS


def test_a_surely_better_checkpoint_is_kept_and_the_next_is_compared_with_it(
    run: Run, prompts: list[Prompt], rosa: Rater
) -> None:
    writes(run, prompts, 0, 10, 20)
    advance()
    assert check_of(run, 20).campaign is None  # it waits for the verdict on 10

    judge(campaign_of(run, 10), rosa, n=N_PROMPTS, likes_new=True)
    advance()

    check = check_of(run, 10)
    assert check.share == 1.0
    assert check.n == N_PROMPTS
    assert check.low is not None
    assert check.low > 0.5
    assert told(run) == Kept(10, 10)
    assert check_of(run, 20).against == check
    assert "it is kept now" in sentences(run)[1]
    assert sentences(run)[2] == f"0 of {N_PROMPTS} answers against step 10."


def test_a_checkpoint_that_is_not_surely_better_leaves_the_kept_one(
    run: Run, prompts: list[Prompt], rosa: Rater
) -> None:
    """It won 8 of 12: that may be luck."""
    writes(run, prompts, 0, 10, 20)
    advance()
    judge(campaign_of(run, 10), rosa, n=8, likes_new=True)
    judge(campaign_of(run, 10), rosa, n=4, likes_new=False)
    advance()

    assert told(run) == Kept(0, 10)
    assert check_of(run, 20).against == check_of(run, 0)
    assert "not surely better, so step 0 stays" in sentences(run)[1]


def test_of_several_better_checkpoints_the_latest_is_kept(
    run: Run, prompts: list[Prompt], rosa: Rater
) -> None:
    writes(run, prompts, 0, 10, 20, 30)
    for step in (10, 20):
        advance()
        judge(campaign_of(run, step), rosa, n=N_PROMPTS, likes_new=True)
    advance()

    assert told(run) == Kept(20, 20)
    assert check_of(run, 30).against == check_of(run, 20)


def test_nothing_is_decided_before_all_have_answered(
    run: Run, prompts: list[Prompt], rosa: Rater
) -> None:
    """Repeated looks would sooner or later find a lucky moment."""
    writes(run, prompts, 0, 10)
    advance()
    judge(campaign_of(run, 10), rosa, n=N_PROMPTS - 1, likes_new=True)
    advance()

    assert told(run) == Kept(0, 0)


def test_a_repeat_that_was_added_since_is_not_waited_for(
    run: Run, prompts: list[Prompt], rosa: Rater
) -> None:
    writes(run, prompts, 0, 10)
    advance()
    campaign = campaign_of(run, 10)
    judge(campaign, rosa, n=N_PROMPTS, likes_new=True)
    add_repeat(campaign)
    advance()

    assert told(run) == Kept(10, 10)


def test_a_paused_campaign_waits_and_says_so(run: Run, prompts: list[Prompt], rosa: Rater) -> None:
    writes(run, prompts, 0, 10)
    advance()
    campaign = campaign_of(run, 10)
    judge(campaign, rosa, n=3, likes_new=True)
    campaigns_services.pause_campaign(campaign=campaign, by=None, now=NOW)
    advance()

    assert told(run) == Kept(0, 0)
    assert "paused after 3 of 12 answers" in sentences(run)[1]


def test_a_spent_budget_waits_and_says_so(run: Run, prompts: list[Prompt], rosa: Rater) -> None:
    writes(run, prompts, 0, 10)
    advance()
    campaign = campaign_of(run, 10)
    campaigns_services.change_campaign(
        campaign=campaign, values={"budget_unit": "judgments", "budget": 2}, by=None, now=NOW
    )
    judge(campaign, rosa, n=2, likes_new=True)
    campaigns_services.pause_campaign(campaign=campaign, by=None, now=NOW)
    advance()

    assert told(run) == Kept(0, 0)
    assert "budget of its campaign is spent after 2 of 12" in sentences(run)[1]


@pytest.mark.parametrize(("n", "words"), [(0, "0 answers"), (3, "3 answers"), (1, "1 answer, ")])
def test_a_campaign_that_is_closed_with_too_few_answers_leaves_the_kept_one(
    run: Run, prompts: list[Prompt], rosa: Rater, n: int, words: str
) -> None:
    writes(run, prompts, 0, 10, 20)
    advance()
    campaign = campaign_of(run, 10)
    judge(campaign, rosa, n=n, likes_new=True)
    campaigns_services.close_campaign(campaign=campaign, by=None, now=NOW)
    advance()

    assert told(run) == Kept(0, 10)
    assert sentences(run)[1].startswith(words)
    assert "so step 0 stays" in sentences(run)[1]
    assert check_of(run, 20).campaign is not None


def test_a_campaign_closed_with_enough_answers_is_decided_on_these(
    run: Run, prompts: list[Prompt], rosa: Rater
) -> None:
    writes(run, prompts, 0, 10)
    advance()
    campaign = campaign_of(run, 10)
    judge(campaign, rosa, n=8, likes_new=True)
    campaigns_services.close_campaign(campaign=campaign, by=None, now=NOW)
    advance()

    assert told(run) == Kept(10, 10)


def test_if_raters_cannot_be_asked_the_run_does_not_wait_for_them(
    run: Run, prompts: list[Prompt]
) -> None:
    """Its held-out prompts have been withdrawn."""
    writes(run, prompts, 0, 10)
    Response.objects.all().delete()
    advance()

    assert told(run) == Kept(0, 10)
    assert "Raters could not be asked, so step 0 stays." in sentences(run)[1]


def test_answers_after_the_end_move_what_is_kept_but_not_the_saved_model(
    run: Run, prompts: list[Prompt], rosa: Rater
) -> None:
    writes(run, prompts, 0, 10, 20)
    advance()
    finish(run, kept_step=20.0)
    assert headline(run) == "Raters had decided nothing when the run ended: reward chose the step."
    judge(campaign_of(run, 10), rosa, n=N_PROMPTS, likes_new=True)
    services.advance_all(now=NOW + timedelta(hours=1))

    assert "it is kept now. This came after the run had ended." in sentences(run)[1]
    assert sentences(run)[2] == "The run ended before raters were asked about it."
    assert "Raters keep step 10. The saved model is that of step 20" in headline(run)
    assert check_of(run, 20).campaign is None


def test_a_run_that_saved_what_raters_keep_says_only_that(
    run: Run, prompts: list[Prompt], rosa: Rater
) -> None:
    writes(run, prompts, 0, 10)
    advance()
    judge(campaign_of(run, 10), rosa, n=N_PROMPTS, likes_new=True)
    advance()
    finish(run, kept_step=10.0)

    assert headline(run) == "Raters keep step 10."


def test_a_step_that_a_resumed_run_writes_again_is_stored_once(
    run: Run, prompts: list[Prompt]
) -> None:
    writes(run, prompts, 0, 10)
    writes(run, prompts, 0, 10)
    advance()
    advance()

    assert SpotCheck.objects.filter(run=run).count() == 2
    assert Response.objects.count() == 2 * 2 * N_PROMPTS
    assert Campaign.objects.count() == 1


def test_spot_checks_without_raters_are_refused(queued: Callable[..., Run]) -> None:
    with pytest.raises(UnableToQueue, match="Choose a pool and a guideline"):
        queued(has_raters=False)


def test_raters_are_not_noted_for_a_run_without_spot_checks(queued: Callable[..., Run]) -> None:
    run = queued(n_spot_checks=0)

    assert run.spot_pool is None
    assert selectors.spot_checks(run=run) is None
    assert told(claimed(run)) is None


def test_a_run_that_waits_at_each_check_says_so(
    queued: Callable[..., Run], prompts: list[Prompt]
) -> None:
    for waits, words in (("each", "Training waits"), ("end", "Training goes on")):
        run = claimed(queued(spot_waits=waits))
        writes(run, prompts, 0)

        assert words in headline(run)
