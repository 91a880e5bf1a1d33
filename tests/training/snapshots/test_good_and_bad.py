"""Snapshots of good and bad responses: rankings, ratings of single ones, and what files say."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import User
from labeling.data.exports import shapes
from labeling.guidelines import rating_form
from labeling.guidelines.rating_form import Flag, RatingForm, Scale
from labeling.models import (
    Comparison,
    Guideline,
    Judgment,
    Prompt,
    RankedResponse,
    Rater,
    Response,
)
from tests.cast import NOON, responses_to
from tests.training.snapshots.test_freezing import compare, cut, demonstrate, on_split, rows
from training.models import Snapshot, SnapshotJudgment
from training.registry.lineage import withdrawals
from training.snapshots import downloads
from training.snapshots import rows as snapshots_rows
from training.snapshots import selectors as snapshots_selectors
from training.snapshots.services import UnableToCreate

__all__ = ["cut"]
pytestmark = pytest.mark.django_db

OVERALL = RatingForm((Scale("overall", "Overall", low=1, high=7), Flag("rude", "Rude")))
THUMBS = RatingForm((Flag("thumbs_up", "Thumbs up", is_merit=True), Flag("rude", "Rude")))


@pytest.fixture
def rate(guideline: Guideline, rosa: Rater) -> Callable[..., Judgment]:
    """A rating of a single response, by the questions of `form`."""

    def make(
        prompt: Prompt, ratings: dict[str, Any], form: RatingForm = OVERALL, rater: Rater = rosa
    ) -> Judgment:
        version = guideline.versions.create(
            number=guideline.versions.count() + 1, text="Rate it.", form=form.as_json
        )
        judgment = Judgment.of_people.create(
            kind="comparison",
            rater=rater,
            prompt=prompt,
            guideline_version=version,
            submitted_at=NOON,
        )
        comparison = Comparison.objects.create(judgment=judgment)
        (response,) = responses_to([prompt], n=1)
        RankedResponse.objects.create(
            comparison=comparison, response=response, position=0, ratings=ratings
        )
        return judgment

    return make


def said(snapshot: Snapshot, settings: LazySettings, split: str = "train") -> list[tuple[Any, ...]]:
    return [(row["label"], row["label_from"]) for row in rows(snapshot, settings, split)]


@pytest.mark.parametrize(
    ("form", "answers", "expected"),
    [
        (OVERALL, {"overall": 5}, True),
        (OVERALL, {"overall": 3}, False),
        (OVERALL, {"overall": 4}, None),
        (OVERALL, {"overall": 7, "rude": True}, True),  # the scale says what it comes to
        (OVERALL, {"rude": True}, False),
        (OVERALL, {"rude": False}, True),
        (OVERALL, {}, None),
        (THUMBS, {"thumbs_up": True}, True),
        (THUMBS, {"thumbs_up": False}, False),
        (THUMBS, {"thumbs_up": True, "rude": True}, False),
        (RatingForm((Scale("stars", "Stars", 1, 2, points=(0.5, 5.0)),)), {"stars": 5.0}, True),
        (RatingForm((Scale("it", "It", 1, 3, labels=("no", "so", "yes")),)), {"it": "no"}, False),
        (RatingForm((Scale("it", "It", 1, 3, labels=("no", "so", "yes")),)), {"it": "so"}, None),
        (
            RatingForm((Scale("it", "It", 1, 2, labels=("a", "b"), is_ordered=False),)),
            {"it": "a"},
            None,
        ),
        (RatingForm((Scale("clear", "Clear"), Scale("true", "True"))), {"clear": 7}, True),
        (
            RatingForm((Scale("clear", "Clear"), Scale("true", "True"))),
            {"clear": 7, "true": 1},
            None,
        ),
        (RatingForm(), {"overall": 5}, None),
    ],
)
def test_ratings_call_a_response_good_bad_or_neither(
    form: RatingForm, answers: dict[str, object], expected: bool | None
) -> None:
    assert rating_form.verdict(form, answers) is expected


def test_a_snapshot_holds_the_ends_of_rankings_single_ratings_and_imported_labels(
    cut: Callable[..., Snapshot],
    rate: Callable[..., Judgment],
    rosa: Rater,
    settings: LazySettings,
) -> None:
    ranked, high, low, middle, thumb, labeled = on_split("train", 6)
    compare(ranked, rosa, [2, 1, 3])
    rate(high, {"overall": 6})
    rate(low, {"overall": 1})
    rate(middle, {"overall": 4})
    rate(thumb, {"thumbs_up": True}, THUMBS)
    good, bad, odd = responses_to([labeled], n=3)
    for response, label in ((good, True), (bad, False), (odd, "perhaps")):
        Response.objects.filter(pk=response.pk).update(marks={"label": label})

    snapshot = cut("unpaired")

    assert said(snapshot, settings) == [
        (False, "ranking") if place else (True, "ranking")
        for place in [
            response["response"] != best_of(ranked) for response in rows(snapshot, settings)[:2]
        ]
    ] + [
        (True, "rating"),
        (False, "rating"),
        (True, "rating"),
        (True, "import"),
        (False, "import"),
    ]
    assert snapshot.card["labels"] == {"good": 4, "bad": 3}
    assert "weights" not in snapshot.card, "it weighs no rater"
    assert snapshot.card["left_out"] == {
        "responses between the best and the worst": 1,
        "single responses whose ratings call them neither good nor bad": 1,
        "label neither good nor bad": 1,
    }
    assert SnapshotJudgment.objects.filter(snapshot=snapshot).count() == 4


def best_of(prompt: Prompt) -> int:
    best = RankedResponse.objects.get(comparison__judgment__prompt=prompt, rank=1)
    return int(best.response_id)


def test_the_export_calls_good_and_bad_what_the_snapshot_does(
    cut: Callable[..., Snapshot],
    rate: Callable[..., Judgment],
    rosa: Rater,
    settings: LazySettings,
) -> None:
    ranked, high, low, labeled = on_split("train", 4)
    compare(ranked, rosa, [1, 2])
    rate(high, {"overall": 6})
    rate(low, {"overall": 2})
    (response,) = responses_to([labeled], n=1)
    Response.objects.filter(pk=response.pk).update(marks={"label": False})
    imported = demonstrate(labeled, rosa)
    Judgment.of_people.filter(pk=imported.pk).update(presentation={"label": True})

    exported = [
        (row["completion"][0]["content"], row["label"], row["label_from"])
        for row in shapes.records("unpaired")
    ]

    frozen = [
        (row["completion"][0]["content"], row["label"], row["label_from"])
        for row in rows(cut("unpaired"), settings)
    ]
    assert sorted(exported) == sorted(frozen)
    assert len(frozen) == 6


def test_without_imports_only_what_raters_said_here_is_in_it(
    cut: Callable[..., Snapshot],
    rate: Callable[..., Judgment],
    day_shift: Any,
    settings: LazySettings,
) -> None:
    (labeled,) = on_split("train")
    (response,) = responses_to([labeled], n=1)
    Response.objects.filter(pk=response.pk).update(marks={"label": True})

    with pytest.raises(UnableToCreate, match="no responses that somebody called good or bad"):
        cut("unpaired", includes_imports=False)

    assert said(cut("unpaired"), settings) == [(True, "import")]


def test_of_a_rater_who_withdrew_nothing_is_in_a_new_snapshot_and_an_older_one_shows_nothing(
    cut: Callable[..., Snapshot],
    rate: Callable[..., Judgment],
    rosa: Rater,
    raul: Rater,
    noor: User,
    settings: LazySettings,
) -> None:
    kept, gone = on_split("train", 2)
    rate(kept, {"overall": 6})
    rate(gone, {"overall": 2}, rater=raul)
    before = cut("unpaired")

    Rater.everyone.filter(pk=raul.pk).update(withdrawn_at=NOON)

    assert said(cut("unpaired"), settings) == [(True, "rating")]
    assert withdrawals.touched_by(rater=raul).snapshots[0].snapshot == before
    shown = snapshots_rows.frozen_rows(snapshot=before, split="train", skip=0, n=9)
    assert shown is not None
    assert [(row.is_withheld, [answer.label for answer in row.answers]) for row in shown] == [
        (False, [True]),
        (True, []),
    ]
    taken = downloads.page(snapshot=before, split="train", skip=0, n=9)
    assert ["label" in line for line in taken] == [True, False]
    assert len(list(downloads.rows(snapshot=before, split="train"))) == 1


def test_raters_weigh_by_their_reliability(
    cut: Callable[..., Snapshot], rate: Callable[..., Judgment], settings: LazySettings
) -> None:
    """One without an estimate counts in full, and its judgments once each."""
    (prompt,) = on_split("train")
    judgment = rate(prompt, {"overall": 6})

    snapshot = cut("unpaired", weighs_by_reliability=True)

    assert [row["weight"] for row in rows(snapshot, settings)] == [1.0]
    assert snapshots_selectors.weights(snapshot=snapshot) == [(judgment.rater.alias, 1.0, 1)]


def test_pages_say_how_many_are_good_and_bad_and_offer_kto(
    cut: Callable[..., Snapshot],
    rate: Callable[..., Judgment],
    noor: User,
    signed_in: Callable[..., Client],
) -> None:
    high, low = on_split("train", 2)
    rate(high, {"overall": 6})
    rate(low, {"overall": 2})
    snapshot, client = cut("unpaired"), signed_in(noor)

    page = client.get(f"/snapshots/{snapshot.pk}/").content.decode()
    shown = client.get(f"/snapshots/{snapshot.pk}/rows/").content.decode()

    assert "Good and bad responses" in page
    assert f"/runs/new/kto/?snapshot={snapshot.pk}" in page
    assert "<strong>good</strong>" in shown
    assert "<strong>bad</strong>" in shown
    form = client.get("/snapshots/new/?kind=unpaired").context["form"]
    assert {"campaigns", "includes_imports", "weighs_by_reliability", "recipe"} & set(form.fields)
    client.post("/snapshots/new/?kind=unpaired", {"name": "Thumbs", "includes_imports": "on"})
    assert Snapshot.objects.get(name="Thumbs").fingerprint == snapshot.fingerprint


def test_only_a_response_that_a_model_was_cut_off_in_has_no_end(
    cut: Callable[..., Snapshot], rosa: Rater, settings: LazySettings
) -> None:
    """A person's response says nothing of it."""
    (prompt,) = on_split("train")
    compare(prompt, rosa, [1, 1, 1, 2])
    ranked = list(Response.objects.filter(prompt=prompt).order_by("pk"))
    said = [True, False, None, True]
    for response, is_ended in zip(ranked, said, strict=True):
        Response.objects.filter(pk=response.pk).update(is_ended=is_ended)

    found = {row["response"]: row["is_ended"] for row in rows(cut("unpaired"), settings)}

    assert [found[response.pk] for response in ranked] == [True, False, True, True]
