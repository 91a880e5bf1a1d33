"""Raters judge what a rule removed: the sample, the campaign, and the measured precision."""

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from accounts.models import User
from benchmarks.fixtures.corpus import Corpus
from labeling.models import Campaign, Comparison, Item, Judgment, Pool, RankedResponse, Rater
from labeling.review import set_aside
from tests.training.conftest import NOW
from tests.training.snapshots.curating import EMAIL
from training.models import Curation, RuleSample, SampledDocument
from training.snapshots.curation import ratings, rule_words
from training.snapshots.pretraining.documents import Document

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
Start = Callable[..., Curation]


def web_pages() -> list[Document]:
    """Pages that the recipe keeps, and four that say the same again and again, with an address."""
    made = list(Corpus(seed=3).documents(1_000))
    good = [page.text for page in made if page.kind == "clean"][:12]
    bad = [f"{page.text} Write to {EMAIL}." for page in made if page.kind == "repetition"][:4]
    return [Document(text, "s") for text in [*good, *bad]]


@pytest.fixture
def preview(start: Start) -> Curation:
    return start(*web_pages(), recipe="text")


def rule_of(preview: Curation) -> str:
    rules: list[str] = list(preview.account["rules"])
    return next(rule for rule in rules if rule.startswith("repetition"))


def judge(item: Item, rater: Rater, says: Callable[[SampledDocument], int]) -> None:
    judgment = Judgment.of_people.create(
        kind="comparison",
        rater=rater,
        prompt=item.prompt,
        campaign=item.campaign,
        item=item,
        submitted_at=NOW,
    )
    comparison = Comparison.objects.create(judgment=judgment)
    shown = SampledDocument.objects.filter(response__prompt=item.prompt)
    for position, document in enumerate(shown.order_by("pk")):
        RankedResponse.objects.create(
            comparison=comparison,
            response=document.response,
            position=position,
            rank=position + 1,
            ratings={ratings.QUESTION: says(document)},
        )


def test_a_sample_becomes_a_campaign_of_pairs_without_personal_data(
    noor: User, preview: Curation, day_shift: Pool
) -> None:
    rule = rule_of(preview)

    sample = ratings.send_to_raters(
        curation=preview, rule=rule, pool=day_shift, n=3, overlap=2, by=noor, now=NOW
    )

    campaign = sample.campaign
    assert (campaign.state, campaign.overlap, campaign.items.count()) == ("open", 2, 3)
    found = SampledDocument.objects.filter(sample=sample)
    assert found.filter(is_removed=True).count() == found.filter(is_removed=False).count() == 3
    texts = list(found.values_list("response__text", flat=True))
    assert not [text for text in texts if EMAIL in text]
    assert sum("<EMAIL>" in text for text in texts) >= 3
    assert {item.prompt.split for item in campaign.items.all()} == {"test"}
    form = campaign.guideline_version.form["questions"]
    assert [question["name"] for question in form] == [ratings.QUESTION]


def test_the_campaigns_name_says_the_rule_in_words(
    noor: User, preview: Curation, day_shift: Pool
) -> None:
    rule = rule_of(preview)
    words = str(rule_words.rule_words(rule))

    names = [
        ratings.send_to_raters(
            curation=preview, rule=rule, pool=day_shift, n=n, overlap=2, by=noor, now=NOW
        ).campaign.name
        for n in (3, 4)
    ]

    assert names == [f"{preview.name} · {words}", f"{preview.name} · {words} (2)"]
    assert rule not in names[0]


def test_earlier_campaigns_are_named_by_the_words_of_their_rule_unless_a_person_has_named_them(
    noor: User, preview: Curation, day_shift: Pool
) -> None:
    rule = rule_of(preview)
    first, second = (
        ratings.send_to_raters(
            curation=preview, rule=rule, pool=day_shift, n=n, overlap=2, by=noor, now=NOW
        ).campaign
        for n in (3, 4)
    )
    wanted = first.name
    Campaign.objects.filter(pk=first.pk).update(name=f"{preview.name} · {rule} · {preview.pk}")
    Campaign.objects.filter(pk=second.pk).update(name="Ours")

    for _again in range(2):
        import_module("training.migrations.0019_names_of_rules").name_by_words(apps, None)

    assert [Campaign.objects.get(pk=one.pk).name for one in (first, second)] == [wanted, "Ours"]


def test_precision_is_the_share_that_raters_would_remove_too(
    noor: User, preview: Curation, day_shift: Pool, rosa: Rater, raul: Rater
) -> None:
    rule = rule_of(preview)
    sample = ratings.send_to_raters(
        curation=preview, rule=rule, pool=day_shift, n=4, overlap=2, by=noor, now=NOW
    )
    assert ratings.measured_rule(sample=sample).precision == ratings.Rate(0, None)
    first, *others = sample.campaign.items.order_by("position")

    judge(first, rosa, lambda document: 1)
    judge(first, raul, lambda document: 1)
    for item in others:
        judge(item, rosa, lambda document: 1 + document.is_removed)

    [found] = ratings.measured(recipe=preview.filters["recipe"])
    assert (found.precision.n, found.precision.share) == (4, 0.75)
    ends = round(found.precision.low, 3), round(found.precision.high, 3)
    assert ends == (0.301, 0.954)
    assert (found.kept.n, found.kept.share) == (4, 0.0)
    assert found.kept.high < 0.5

    for judgment in sample.campaign.judgments.filter(rater=rosa):
        set_aside.set_aside(judgment=judgment, reason="Guessed.", by=noor, now=NOW)
    assert ratings.measured_rule(sample=sample).precision.n == 1


@pytest.mark.parametrize("rule", ["exact_duplicate", "decontamination.verbatim", "none", "length"])
def test_only_rules_that_removed_something_by_its_text_can_be_rated(
    noor: User, preview: Curation, day_shift: Pool, rule: str
) -> None:
    with pytest.raises(ratings.UnableToRate):
        ratings.send_to_raters(
            curation=preview, rule=rule, pool=day_shift, n=3, overlap=1, by=noor, now=NOW
        )

    assert not Campaign.objects.exists()
    assert not RuleSample.objects.exists()


def test_a_word_that_is_no_rule_has_no_page(
    noor: User, preview: Curation, signed_in: Callable[..., Client]
) -> None:
    client, page = signed_in(noor), f"/curations/{preview.pk}/rate/"

    for word in ("c4", "repetition.ever", ""):
        assert client.get(page, {"rule": word}).status_code == 404
    assert client.get(page, {"rule": "length"}).status_code == 200


def test_a_rule_is_rated_and_measured_on_its_pages(
    noor: User, preview: Curation, day_shift: Pool, rosa: Rater, signed_in: Callable[..., Client]
) -> None:
    client, rule = signed_in(noor), rule_of(preview)
    page = f"/curations/{preview.pk}/rate/?rule={rule}"
    assert page in client.get(f"/curations/{preview.pk}/?rule={rule}").text
    assert "?rule=exact_duplicate" not in re.findall(
        r"/rate/(\S+?)\"", client.get(f"/curations/{preview.pk}/?rule=exact_duplicate").text
    )

    assert "Repetition: " in client.get(page).text
    form: dict[str, Any] = {"pool": day_shift.pk, "n": 4, "overlap": 1}
    refused = client.post(f"/curations/{preview.pk}/rate/?rule=exact_duplicate", form)
    sent = client.post(page, form)

    assert "nothing but the text" in refused.text
    recipe = f"/recipes/{preview.filters['recipe']}/"
    assert sent["Location"] == recipe
    assert "Not rated yet" in client.get(recipe).text
    for item in Item.objects.all():
        judge(item, rosa, lambda document: 1 + document.is_removed)
    assert "100%" in client.get(recipe).text.replace("\xa0", "").replace(" %", "%")
