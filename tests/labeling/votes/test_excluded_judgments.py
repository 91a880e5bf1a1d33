"""Judgments that are set aside, and those of a withdrawn rater, leave statistics and exports."""

from datetime import timedelta

import pytest

from accounts.models import AuditEvent, User
from labeling.data.exports import streams
from labeling.models import Campaign, Judgment, Pool, Rater
from labeling.people.pools import selectors as pools_selectors
from labeling.people.withdrawals import withdrawal
from labeling.quality import selectors as quality_selectors
from labeling.queue import feed
from labeling.review import set_aside
from tests.cast import NOON
from tests.labeling.quality.judging import judge_all, report_of

pytestmark = pytest.mark.django_db


# --- set aside ------------------------------------------------------------------------------------


def test_a_judgment_set_aside_leaves_agreement_and_comes_back(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater, alice: User
) -> None:
    judge_all(comparison_campaign, rosa)
    judge_all(comparison_campaign, raul)
    whole = report_of(comparison_campaign).n_judgments
    judgment = Judgment.of_people.filter(rater=raul).latest("pk")

    set_aside.set_aside(judgment=judgment, reason="Guessed.", by=alice, now=NOON)
    stale = quality_selectors.stale_quality_ids(now=NOON + timedelta(days=1))
    without = report_of(comparison_campaign)
    set_aside.take_back(judgment=judgment, by=alice, now=NOON)

    assert stale == [comparison_campaign.pk]
    assert (whole, without.n_judgments, report_of(comparison_campaign).n_judgments) == (10, 9, 10)
    assert without.results["agreement"]["raw_half"]["n"] == 24
    assert without.results["n_set_aside"] == 1


def test_a_judgment_set_aside_leaves_exports_unless_it_is_asked_for(
    comparison_campaign: Campaign, rosa: Rater, alice: User
) -> None:
    judge_all(comparison_campaign, rosa)
    set_aside.set_aside(judgment=Judgment.of_people.latest("pk"), reason="", by=alice, now=NOON)

    assert len(list(streams.comparisons())) == 4
    assert len(list(streams.comparisons(include_set_aside=True))) == 5


def test_setting_aside_and_taking_back_are_written_down_once_each(
    comparison_campaign: Campaign, rosa: Rater, alice: User
) -> None:
    judge_all(comparison_campaign, rosa)
    judgment = Judgment.of_people.latest("pk")

    assert set_aside.set_aside(judgment=judgment, reason="Guessed.", by=alice, now=NOON)
    assert not set_aside.set_aside(judgment=judgment, reason="Again.", by=alice, now=NOON)
    judgment = Judgment.of_people.get(pk=judgment.pk)
    assert set_aside.take_back(judgment=judgment, by=alice, now=NOON)
    assert not set_aside.take_back(judgment=judgment, by=alice, now=NOON)

    assert AuditEvent.objects.filter(action="set_aside").count() == 1
    assert AuditEvent.objects.filter(action="take_back").count() == 1


# --- withdrawn raters -----------------------------------------------------------------------------


def test_a_withdrawn_raters_judgments_leave_what_is_exported(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater, alice: User
) -> None:
    judge_all(comparison_campaign, rosa)
    judge_all(comparison_campaign, raul)

    withdrawal.withdraw_rater(rater=rosa, by=alice, now=NOON)

    assert {row.rater_alias for row in streams.comparisons()} == {raul.alias}


def test_a_withdrawn_rater_is_given_nothing_more(
    comparison_campaign: Campaign, rosa: Rater, alice: User
) -> None:
    withdrawal.withdraw_rater(rater=rosa, by=alice, now=NOON)

    assert not rosa.memberships.filter(is_active=True).exists()


def test_a_withdrawn_rater_is_not_offered_to_a_pool(
    rosa: Rater, day_shift: Pool, alice: User
) -> None:
    withdrawal.withdraw_rater(rater=rosa, by=alice, now=NOON)

    assert rosa not in pools_selectors.raters_outside(pool=day_shift)


def test_a_withdrawn_raters_judgments_leave_the_feed(
    comparison_campaign: Campaign, rosa: Rater, alice: User
) -> None:
    judge_all(comparison_campaign, rosa)
    withdrawal.withdraw_rater(rater=rosa, by=alice, now=NOON)

    assert feed.judgment_feed(n=100, now=NOON + timedelta(days=1)) == []


def test_withdrawing_twice_is_written_down_once(rosa: Rater, alice: User) -> None:
    assert withdrawal.withdraw_rater(rater=rosa, by=alice, now=NOON)
    rosa.refresh_from_db()

    assert not withdrawal.withdraw_rater(rater=rosa, by=alice, now=NOON)
    assert AuditEvent.objects.filter(action="withdraw").count() == 1


def test_a_withdrawal_can_be_taken_back(
    comparison_campaign: Campaign, rosa: Rater, alice: User
) -> None:
    judge_all(comparison_campaign, rosa)
    withdrawal.withdraw_rater(rater=rosa, by=alice, now=NOON)

    withdrawal.readmit_rater(rater=rosa, by=alice, now=NOON)

    assert len(list(streams.comparisons())) == 5
