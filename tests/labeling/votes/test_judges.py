"""A judge is a rater that is no person: it has no login, and nothing of it counts unasked."""

import pytest
from django.db import IntegrityError

from accounts.models import User
from labeling.models import Campaign, Comparison, Judgment, RankedResponse, Rater
from labeling.votes import counting

pytestmark = pytest.mark.django_db


@pytest.fixture
def judge() -> Rater:
    return Rater.everyone.create(alias="Judge", kind=Rater.Kind.JUDGE)


@pytest.fixture
def verdict(judge: Rater, comparison_campaign: Campaign) -> Judgment:
    """On the campaign's first item, with an earlier version."""
    item = comparison_campaign.items.order_by("pk")[0]
    before = Judgment(is_current=False)
    for version in (before, Judgment(version=2, supersedes=before)):
        version.kind = Judgment.Kind.COMPARISON
        version.rater, version.campaign, version.item = judge, comparison_campaign, item
        version.prompt = item.prompt
        version.save()
    comparison = Comparison.objects.create(judgment=version)
    for place, response in enumerate(item.responses.order_by("pk")):
        RankedResponse.objects.create(
            comparison=comparison, response=response, position=place, rank=place + 1
        )
    return version


def test_a_rater_is_a_person_unless_said_otherwise() -> None:
    assert Rater.everyone.create(alias="Rosa").kind == Rater.Kind.PERSON


def test_a_judge_has_no_login(judge: Rater) -> None:
    user = User.objects.create_user(email="judge@example.org", name="Judge")

    with pytest.raises(IntegrityError, match="rater_with_user_is_person"):
        Rater.everyone.filter(pk=judge.pk).update(user=user)


def test_people_are_without_judges(judge: Rater) -> None:
    rosa = Rater.everyone.create(alias="Rosa")

    assert set(Rater.people.all()) == {rosa}
    assert set(Rater.everyone.all()) == {rosa, judge}


def test_a_judge_s_judgment_is_only_among_everyone_s(verdict: Judgment) -> None:
    assert list(Judgment.of_everyone.all()) == [verdict]
    assert Judgment.versions_of_everyone.count() == 2
    assert not Judgment.of_people.exists()
    assert not Judgment.versions_of_people.exists()


def test_a_relation_contains_people_s_judgments(verdict: Judgment) -> None:
    assert verdict.campaign is not None
    assert verdict.item is not None

    assert not verdict.campaign.judgments.exists()
    assert not verdict.item.judgments.exists()
    assert not verdict.prompt.judgments.exists()


def test_a_condition_chooses_along_a_path(verdict: Judgment) -> None:
    path = "comparison__judgment__"

    of_people = RankedResponse.objects.filter(Judgment.of_people.condition(path))
    of_everyone = RankedResponse.objects.filter(Judgment.of_everyone.condition(path))

    assert not of_people.exists()
    assert of_everyone.count() == RankedResponse.objects.count() > 0


def test_what_counts_is_of_people(verdict: Judgment) -> None:
    assert not counting.does_count(verdict)
    assert not Judgment.of_everyone.filter(counting.counts()).exists()
    assert not RankedResponse.objects.filter(counting.counts("comparison__judgment__")).exists()
