"""Answers of a file in a campaign of their own: items, raters, repeats, and what is shown when."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Count

from labeling.campaigns import services as campaigns_services
from labeling.campaigns.services import UnableToOpen
from labeling.data.imports import services as imports_services
from labeling.data.imports.services import UnableToImport
from labeling.models import (
    Campaign,
    Comparison,
    Demonstration,
    Import,
    Item,
    Judgment,
    Prompt,
    RankedResponse,
    Rater,
    Response,
    Slot,
)
from labeling.quality.services import compute_quality
from tests.cast import NOON
from tests.labeling.importers.import_rows import clock

pytestmark = pytest.mark.django_db

Answered = Callable[..., Import]


@pytest.fixture
def answers(tmp_path: Path) -> Answered:
    """Import a table of answers, written as lines of CSV, and give back the import as it ended."""

    def answers(*lines: str, runs: bool = True, **changed: Any) -> Import:
        path = tmp_path / f"{Import.objects.count()}.csv"
        path.write_text("\n".join(lines) + "\n")
        wanted: dict[str, Any] = {
            "file_format": None,
            "source_name": "crowd",
            "licence": "CC0-1.0",
            "campaign": "A crowd's answers",
            "is_rung": False,
            "by": None,
            "now": NOON,
        } | changed
        batch = imports_services.start_import(path=path, file_name="a.csv", **wanted)
        if runs:
            imports_services.IMPORTS.run(batch.pk, clock=clock)
            batch.refresh_from_db()
        return batch

    return answers


PAIRS = ("id,prompt,response_a,response_b,rater,winner,at", "7,Hi,x,y,ann,A,2024-05-01T10:00:00Z")


def test_a_vote_becomes_a_judgment_with_its_item_rater_and_time(answers: Answered) -> None:
    batch = answers(*PAIRS, "7,Hi,x,y,bob,tie,2024-05-02T10:00:00Z")

    campaign = Campaign.objects.get()
    assert (batch.state, campaign.name) == (Import.State.PUBLISHED, "A crowd's answers")
    assert (campaign.state, campaign.overlap, campaign.n_responses) == ("closed", 2, 2)
    item = campaign.items.get()
    assert list(item.judgments.order_by("pk").values_list("rater__origin", "submitted_at")) == [
        ("crowd: ann", datetime(2024, 5, 1, 10, tzinfo=UTC)),
        ("crowd: bob", datetime(2024, 5, 2, 10, tzinfo=UTC)),
    ]
    assert Slot.objects.filter(item=item, state=Slot.State.SUBMITTED).count() == 2
    assert campaign.pool.raters.count() == 2


def test_ratings_of_one_response_are_a_campaign_with_a_form(answers: Answered) -> None:
    answers(
        "text,rater,quality,toxic,topic",
        *("One text.,ann,3,yes,news", "One text.,bob,5,no,prose"),
        *("Another.,ann,1,no,prose", "Another.,bob,2,yes,news"),
    )

    campaign = Campaign.objects.get()
    assert campaign.n_responses == 1
    assert [
        (question["kind"], question["name"])
        for question in campaign.guideline_version.form["questions"]
    ] == [("scale", "quality"), ("flag", "toxic"), ("scale", "topic")]
    first = RankedResponse.objects.order_by("pk")[0]
    assert (first.rank, first.ratings) == (None, {"quality": 3, "toxic": True, "topic": "news"})


def test_a_line_that_is_there_twice_counts_once(answers: Answered) -> None:
    batch = answers(*PAIRS, PAIRS[1])

    assert Judgment.of_people.count() == 1
    assert batch.counts["repeated_judgments"] == 1


def test_a_second_opinion_of_a_rater_is_a_repeat(answers: Answered) -> None:
    answers(*PAIRS, "7,Hi,x,y,ann,B,2024-05-02T10:00:00Z", "7,Hi,x,y,ann,tie,2024-05-03T10:00:00Z")

    first, second, third = Item.objects.order_by("position")
    assert (first.repeat_of, second.repeat_of, third.repeat_of) == (None, first, second)
    assert Judgment.of_people.count() == 3


def test_second_answers_count_alike_whether_they_are_equal_or_not(answers: Answered) -> None:
    """54 of 60 second answers are the same as the first: self-agreement is 90 %."""
    winners = [(f"{n}", "AB"[n % 2], "AB"[(n + (n < 6)) % 2]) for n in range(60)]
    lines = [
        f"{n},Hi {n},x,y,rita,{winner}" for n, first, again in winners for winner in first + again
    ]

    batch = answers("id,prompt,response_a,response_b,rater,winner", *lines)

    report = compute_quality(campaign_id=Campaign.objects.get().pk, now=NOON)
    assert report is not None
    own = report.results["agreement"]["self"]
    assert (own["value"], own["n"]) == (pytest.approx(0.9), 60)
    assert (Judgment.of_people.count(), batch.counts["repeated_judgments"]) == (120, 0)


@pytest.mark.parametrize("name", ["at", "answer_id"])
def test_a_file_that_is_there_twice_in_itself_counts_once(answers: Answered, name: str) -> None:
    value = {"at": "2024-05-01T10:00:0{}Z", "answer_id": "v{}"}[name]
    lines = [f"{n},Hi {n},x,y,ann,A,{value.format(n)}" for n in range(5)]

    batch = answers(f"id,prompt,response_a,response_b,rater,winner,{name}", *lines, *lines)

    assert (Judgment.of_people.count(), batch.counts["repeated_judgments"]) == (5, 5)


def test_many_answers_of_one_rater_to_one_item_are_placed_in_little_time(answers: Answered) -> None:
    batch = answers("item,rater,score", *(f"1,ann,{n % 5}" for n in range(300)))

    assert (Judgment.of_people.count(), batch.state) == (300, Import.State.PUBLISHED)


def test_two_models_may_say_the_same(answers: Answered) -> None:
    answers(PAIRS[0], "7,Hi,same,same,ann,tie,2024-05-01T10:00:00Z")

    assert Comparison.objects.get().ranked.count() == 2
    assert Response.objects.filter(text="same").count() == 2


def test_any_number_of_raters_can_answer_an_item(answers: Answered) -> None:
    answers("item,rater,score", *(f"1,r{n},{n % 5}" for n in range(300)))

    assert Item.objects.annotate(n=Count("judgments")).get().n == 300
    assert Campaign.objects.get().overlap == 300


def test_long_names_of_raters_that_begin_alike_stay_two(answers: Answered) -> None:
    name = "a" * 60

    answers("item,rater,score", f"1,{name}1,2", f"1,{name}2,3")

    assert Rater.everyone.count() == 2


def test_what_raters_wrote_has_a_campaign_beside_that_of_their_ratings(answers: Answered) -> None:
    long = "The Elbe flows through Hamburg and Dresden and through much else besides as well."

    answers("prompt,rater,rewrite", f"Name a river.,ann,{long}")

    campaign = Campaign.objects.get()
    assert (campaign.kind, campaign.name) == ("demonstration", "A crowd's answers (texts)")
    assert Demonstration.objects.get().text == long


def test_a_text_that_may_be_bad_is_stored_as_a_response_that_nobody_judged(
    answers: Answered,
) -> None:
    long = "The Elbe flows through Hamburg and Dresden and through much else besides as well."

    batch = answers("prompt,response,rater,rating,rewrite", f"Name a river.,Elb,ann,2,{long}")

    assert batch.state == Import.State.PUBLISHED
    assert not Demonstration.objects.exists()
    assert set(Response.objects.values_list("text", flat=True)) == {"Elb", long}
    shown = RankedResponse.objects.get()
    assert (shown.response.text, shown.ratings) == ("Elb", {"rating": 2})


def test_nothing_is_shown_of_a_strict_import_with_a_problem_until_it_is_published(
    answers: Answered,
) -> None:
    batch = answers(*PAIRS, "8,Ho,x,y,,A,", is_strict=True)

    assert batch.state == Import.State.REFUSED
    assert not Campaign.objects.exists()

    imports_services.publish(batch=batch, by=None, now=NOON)

    assert Campaign.objects.get().judgments.count() == 1


def test_a_discarded_import_takes_its_campaign_along(answers: Answered) -> None:
    batch = answers(*PAIRS)
    compute_quality(campaign_id=Campaign.objects.get().pk, now=NOON)

    imports_services.discard(batch=batch, by=None, now=NOON)

    assert not Campaign.objects.exists()
    imports_services.clear_import(import_id=batch.pk)
    for model in (Item, Judgment, Response, Prompt, Rater):
        assert not model._default_manager.exists()
    assert not Campaign.every.exists()


def test_the_same_file_can_be_imported_after_it_was_discarded(answers: Answered) -> None:
    batch = answers(*PAIRS)
    imports_services.discard(batch=batch, by=None, now=NOON)
    imports_services.clear_import(import_id=batch.pk)

    assert answers(*PAIRS).state == Import.State.PUBLISHED


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (("item,score", "1,2"), "No column says who answered"),
        ((PAIRS[0], "7,Hi,x,y,ann,0,", "7,Hi,x,y,bob,1,"), "not clear what 0, 1 mean in “winner”"),
    ],
)
def test_a_table_that_nobody_explained_is_refused_before_it_is_read(
    answers: Answered, lines: tuple[str, ...], says: str
) -> None:
    with pytest.raises(UnableToImport, match=says):
        answers(*lines)

    assert not Import.objects.exists()


def test_two_campaigns_cannot_have_one_name(answers: Answered) -> None:
    answers(*PAIRS)

    with pytest.raises(UnableToImport, match="already has this name"):
        answers(*PAIRS)


def test_imported_answers_are_not_reopened(answers: Answered) -> None:
    answers(*PAIRS)

    with pytest.raises(UnableToOpen, match="imported answers"):
        campaigns_services.reopen_campaign(campaign=Campaign.objects.get(), by=None, now=NOON)


def test_scales_are_compared_by_weighted_kappa_and_categories_without_weights(
    answers: Answered,
) -> None:
    answers(
        "item,rater,score,topic",
        *(f"{n},ann,{n % 4},{'ab'[n % 2]}" for n in range(20)),
        *(f"{n},bob,{(n % 4 + (n % 3 == 0)) % 4},{'ab'[n % 5 % 2]}" for n in range(20)),
    )

    report = compute_quality(campaign_id=Campaign.objects.get().pk, now=NOON)

    assert report is not None
    score, topic = report.results["kappas"]
    assert (score["label"], score["is_weighted"]) == ("score", True)
    assert (topic["label"], topic["is_weighted"]) == ("topic", False)
    [cell] = topic["cells"]
    assert cell["n"] == 20


# --- other tools ----------------------------------------------------------------------------------


def bring_json(answers: Answered, row: dict[str, Any], **changed: Any) -> Import:
    return answers(json.dumps(row), **changed)


def label_studio(*given: tuple[int, dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": 9,
        "data": {"text": "A text about rivers."},
        "annotations": [
            {
                "completed_by": by,
                "created_at": "2024-05-01T10:00:00Z",
                "lead_time": 4.5,
                "result": [
                    {"type": kind, "from_name": f"the {kind}", "value": {kind: value}}
                    for kind, value in values.items()
                ],
            }
            for by, values in given
        ],
    }


def test_label_studios_ratings_and_choices_are_answers(answers: Answered) -> None:
    row = label_studio((1, {"rating": 3, "choices": ["spam"]}), (2, {"rating": 5}))

    bring_json(answers, row)

    assert list(
        Judgment.of_people.order_by("pk").values_list(
            "rater__origin", "active_s", "comparison__ranked__ratings"
        )
    ) == [
        ("crowd: annotator 1", 4.5, {"the_rating": 3, "the_choices": "spam"}),
        ("crowd: annotator 2", 4.5, {"the_rating": 5}),
    ]


def test_a_doubtful_text_of_label_studio_is_not_among_what_was_rated(answers: Answered) -> None:
    row = label_studio((1, {"rating": 3}))
    row["data"]["response"] = "The Elbe."
    [annotation] = row["annotations"]
    annotation["is_spam"] = True
    annotation["result"].append({"type": "textarea", "value": {"text": ["The Rhine."]}})

    batch = bring_json(answers, row)

    assert batch.state == Import.State.PUBLISHED
    assert not Demonstration.objects.exists()
    assert Response.objects.filter(text="The Rhine.").exists()
    shown = RankedResponse.objects.get()
    assert (shown.response.text, shown.ratings) == ("The Elbe.", {"the_rating": 3})


def test_argillas_ratings_and_labels_are_answers(answers: Answered) -> None:
    row = {
        "id": "r1",
        "fields": {"text": "A text about rivers."},
        "responses": {
            "quality": [{"user_id": "u1", "value": 4}, {"user_id": "u2", "value": 2}],
            "topic": [{"user_id": "u1", "value": "nature"}],
        },
    }

    bring_json(answers, row)

    assert dict(Judgment.of_people.values_list("rater__origin", "comparison__ranked__ratings")) == {
        "crowd: u1": {"quality": 4, "topic": "nature"},
        "crowd: u2": {"quality": 2},
    }


def test_an_import_without_a_campaign_says_what_it_leaves_out(answers: Answered) -> None:
    row = label_studio((1, {"rating": 3}))

    batch = bring_json(answers, row, campaign="", with_judgments=True)

    assert "only come into a campaign" in batch.problems[0]["sentence"]
    assert not Response.objects.exists()
