"""Snapshots: what is included and excluded, and that the same judgments give the same files."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command

from accounts.models import User
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer, Edit
from labeling.models import (
    Campaign,
    Comparison,
    Demonstration,
    Judgment,
    Pool,
    Prompt,
    RankedResponse,
    Rater,
    Response,
    Source,
)
from labeling.queue.claiming import claim
from tests.cast import NOON, lease_of, responses_to, some_prompts
from training.models import Snapshot
from training.snapshots import selectors as snapshots_selectors
from training.snapshots import services as snapshots_services
from training.snapshots.services import Filters, UnableToCreate

pytestmark = pytest.mark.django_db


@pytest.fixture
def cut(noor: User) -> Callable[..., Snapshot]:
    def make(kind: str = "demonstrations", **filters: Any) -> Snapshot:
        return snapshots_services.create_snapshot(
            kind=kind, name="a snapshot", filters=Filters(**filters), by=noor, now=NOON
        )

    return make


def demonstrate(
    prompt: Prompt, rater: Rater, *, campaign: Campaign | None = None, is_extra: bool = False
) -> Judgment:
    judgment = Judgment.of_people.create(
        kind="demonstration",
        rater=rater,
        prompt=prompt,
        campaign=campaign,
        is_extra=is_extra,
        submitted_at=NOON,
    )
    Demonstration.objects.create(judgment=judgment, text=f"An answer to {prompt.pk}.")
    return judgment


def compare(prompt: Prompt, rater: Rater, ranks: list[int | None]) -> Judgment:
    judgment = Judgment.of_people.create(
        kind="comparison", rater=rater, prompt=prompt, submitted_at=NOON
    )
    comparison = Comparison.objects.create(judgment=judgment)
    for position, (response, rank) in enumerate(
        zip(responses_to([prompt], n=len(ranks)), ranks, strict=True)
    ):
        RankedResponse.objects.create(
            comparison=comparison, response=response, position=position, rank=rank
        )
    return judgment


def on_split(split: str, n: int = 1) -> list[Prompt]:
    prompts = some_prompts(n, source_name=f"{split} prompts {Prompt.objects.count()}")
    Prompt.objects.filter(pk__in=[prompt.pk for prompt in prompts]).update(split=split)
    return list(Prompt.objects.filter(pk__in=[prompt.pk for prompt in prompts]).order_by("pk"))


def rows(snapshot: Snapshot, settings: LazySettings, split: str = "train") -> list[dict[str, Any]]:
    text = (Path(settings.SNAPSHOTS_DIR) / snapshot.folder / f"{split}.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_each_demonstration_is_a_row_in_its_prompts_split(
    cut: Callable[..., Snapshot], rosa: Rater, settings: LazySettings
) -> None:
    for split in ("train", "validation", "test"):
        demonstrate(on_split(split)[0], rosa)

    snapshot = cut()

    assert [len(rows(snapshot, settings, split)) for split in ("train", "validation", "test")] == [
        1,
        1,
        1,
    ]
    assert rows(snapshot, settings)[0]["completion"][0]["role"] == "assistant"


def test_a_dialogue_is_a_row_for_each_of_its_answers(
    cut: Callable[..., Snapshot], rosa: Rater, settings: LazySettings
) -> None:
    judgment = demonstrate(on_split("train")[0], rosa)
    more = [
        {"role": "user", "content": "And then?"},
        {"role": "assistant", "content": "Then it rests."},
    ]
    Demonstration.objects.filter(judgment=judgment).update(further=more)

    snapshot = cut()

    first, second = rows(snapshot, settings)
    assert first["id"] != second["id"]
    assert second["prompt"] == [*first["prompt"], *first["completion"], more[0]]
    assert second["completion"] == [more[1]]


def test_the_same_judgments_give_the_same_fingerprint(
    cut: Callable[..., Snapshot], rosa: Rater
) -> None:
    for prompt in on_split("train", 3):
        demonstrate(prompt, rosa)

    first, second = cut(), cut()

    assert first.fingerprint == second.fingerprint
    assert first.folder != second.folder


def test_one_judgment_more_gives_another_fingerprint(
    cut: Callable[..., Snapshot], rosa: Rater
) -> None:
    prompts = on_split("train", 2)
    demonstrate(prompts[0], rosa)
    before = cut()

    demonstrate(prompts[1], rosa)

    assert cut().fingerprint != before.fingerprint


def test_a_snapshot_remembers_exactly_its_judgments(
    cut: Callable[..., Snapshot], rosa: Rater
) -> None:
    inside = demonstrate(on_split("train")[0], rosa)
    snapshot = cut()

    demonstrate(on_split("train")[0], rosa)

    assert list(snapshot.judgments.all()) == [inside]


def test_demonstrations_frozen_beside_comparisons_are_members_and_on_the_card(
    cut: Callable[..., Snapshot], rosa: Rater, raul: Rater
) -> None:
    compared = compare(on_split("train")[0], rosa, [1, 2])
    prompt = on_split("train")[0]
    Prompt.objects.filter(pk=prompt.pk).update(licence="CC-BY-NC-4.0")
    written = demonstrate(prompt, raul)
    demonstrate(on_split("test")[0], raul)  # judges later models, so it sets nothing here

    snapshot = cut("comparisons")

    assert list(snapshot.judgments.order_by("pk")) == [compared, written]
    assert (snapshot.n_rows, snapshot.card["demonstrations"]) == (1, 1)
    assert snapshot.card["raters"] == 2
    assert snapshot.card["licences"] == {"CC0-1.0": 1, "CC-BY-NC-4.0": 1}


def test_a_response_of_a_comparison_names_its_source(
    cut: Callable[..., Snapshot], rosa: Rater, settings: LazySettings
) -> None:
    compared = compare(on_split("train")[0], rosa, [1, 2])

    (line,) = rows(cut("comparisons"), settings)

    ranked = RankedResponse.objects.filter(comparison__judgment=compared)
    names = {entry.response_id: entry.response.source.name for entry in ranked}
    assert {entry["response"]: entry["source"] for entry in line["responses"]} == names


def test_older_snapshots_learn_which_demonstrations_lie_beside_their_comparisons(
    cut: Callable[..., Snapshot], rosa: Rater, raul: Rater
) -> None:
    compare(on_split("train")[0], rosa, [1, 2])
    written = demonstrate(on_split("train")[0], raul)
    snapshot = cut("comparisons")
    snapshot.memberships.filter(judgment=written).delete()  # as an older version left it
    told = StringIO()

    for _twice in range(2):
        call_command("trace_snapshots", stdout=told)

    assert told.getvalue().splitlines() == [
        "a snapshot: 1 demonstrations recorded.",
        "a snapshot: 0 demonstrations recorded.",
    ]
    assert snapshot.judgments.filter(pk=written.pk).exists()


def test_extra_judgments_come_only_when_asked_for(
    cut: Callable[..., Snapshot], rosa: Rater
) -> None:
    demonstrate(on_split("train")[0], rosa)
    demonstrate(on_split("train")[0], rosa, is_extra=True)

    assert (cut().n_rows, cut(includes_extra=True).n_rows) == (1, 2)


def test_a_held_out_pool_counts_on_test_prompts_alone(
    cut: Callable[..., Snapshot],
    rosa: Rater,
    demonstration_campaign: Campaign,
    settings: LazySettings,
) -> None:
    Pool.objects.update(is_held_out=True)
    demonstrate(on_split("train")[0], rosa, campaign=demonstration_campaign)
    demonstrate(on_split("test")[0], rosa, campaign=demonstration_campaign)

    snapshot = cut()

    assert (len(rows(snapshot, settings, "train")), len(rows(snapshot, settings, "test"))) == (0, 1)
    assert snapshot.card["left_out"] == {"held-out rater on a prompt that trains": 1}


def test_a_comparison_without_a_decided_pair_is_left_out_and_counted(
    cut: Callable[..., Snapshot], rosa: Rater, settings: LazySettings
) -> None:
    compare(on_split("train")[0], rosa, [1, 1, None])
    compare(on_split("train")[0], rosa, [2, 1, 1, None])

    snapshot = cut("comparisons")

    assert snapshot.n_rows == 1
    assert snapshot.card["pairs"] == {"train": 2, "validation": 0, "test": 0}
    assert snapshot.card["left_out"] == {"no decided pair": 1}
    assert [r["rank"] for r in rows(snapshot, settings)[0]["responses"]] == [2, 1, 1, None]


def test_a_row_counts_under_its_prompts_licence_and_each_of_its_responses(
    cut: Callable[..., Snapshot], rosa: Rater
) -> None:
    compare(on_split("train")[0], rosa, [1, 2])
    compare(on_split("train")[0], rosa, [1, 2])
    one, *_others = Comparison.objects.first().ranked.order_by("position")
    one.response.source = Source.objects.create(
        name="bound", kind=Source.Kind.MODEL, licence="CC-BY-NC-4.0"
    )
    one.response.save()

    assert cut("comparisons").card["licences"] == {"CC0-1.0": 2, "CC-BY-NC-4.0": 1}


def test_a_choice_of_licences_holds_for_responses_as_well(
    cut: Callable[..., Snapshot], rosa: Rater
) -> None:
    free = compare(on_split("train")[0], rosa, [1, 2])
    bound = compare(on_split("train")[0], rosa, [1, 2])
    one, *_others = Comparison.objects.get(judgment=bound).ranked.order_by("position")
    Response.objects.filter(pk=one.response_id).update(licence="CC-BY-NC-4.0")

    assert list(cut("comparisons", licences=("CC0-1.0",)).judgments.all()) == [free]
    both = cut("comparisons", licences=("CC0-1.0", "CC-BY-NC-4.0"))
    assert list(both.judgments.order_by("pk")) == [free, bound]
    assert ("CC-BY-NC-4.0", "CC-BY-NC-4.0") in snapshots_selectors.licence_choices()


def test_prompts_that_evaluate_stay_out_of_a_prompts_snapshot(
    cut: Callable[..., Snapshot], settings: LazySettings
) -> None:
    kept = on_split("train", 2)
    on_split("test", 3)

    snapshot = cut("prompts")

    assert [row["prompt_id"] for row in rows(snapshot, settings)] == [prompt.pk for prompt in kept]
    assert snapshot.card["left_out"] == {"test prompt": 3}


def test_a_limit_takes_the_same_prompts_each_time(cut: Callable[..., Snapshot]) -> None:
    on_split("train", 10)

    first, second = cut("prompts", limit=4), cut("prompts", limit=4)

    assert first.n_rows == 4
    assert first.fingerprint == second.fingerprint


def test_filters_narrow_by_category_and_campaign(
    cut: Callable[..., Snapshot], rosa: Rater, demonstration_campaign: Campaign
) -> None:
    chat = on_split("train")[0]
    Prompt.objects.filter(pk=chat.pk).update(category="chat")
    demonstrate(chat, rosa)
    demonstrate(on_split("train")[0], rosa, campaign=demonstration_campaign)

    assert cut(categories=("chat",)).n_rows == 1
    assert cut(campaigns=(demonstration_campaign.pk,), includes_imports=False).n_rows == 1


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("demonstrations", "no demonstration"),
        ("comparisons", "no decided pair"),
        ("prompts", "No prompts remain"),
    ],
)
def test_nothing_to_learn_from_is_a_sentence_and_leaves_no_folder(
    cut: Callable[..., Snapshot], settings: LazySettings, kind: str, sentence: str
) -> None:
    on_split("test", 2)

    with pytest.raises(UnableToCreate, match=sentence):
        cut(kind)

    assert list(Path(settings.SNAPSHOTS_DIR).iterdir()) == []


def test_a_changed_file_is_noticed(
    cut: Callable[..., Snapshot], rosa: Rater, settings: LazySettings
) -> None:
    demonstrate(on_split("train")[0], rosa)
    snapshot = cut()
    assert snapshots_selectors.is_intact(snapshot=snapshot)

    file = Path(settings.SNAPSHOTS_DIR) / snapshot.folder / "train.jsonl"
    file.chmod(0o644)
    file.write_text("")

    assert not snapshots_selectors.is_intact(snapshot=snapshot)


def test_the_card_counts_sources_licences_raters_and_splits(
    cut: Callable[..., Snapshot], rosa: Rater, raul: Rater
) -> None:
    for prompt, rater in zip(on_split("train", 2), (rosa, raul), strict=True):
        demonstrate(prompt, rater)

    card = cut().card

    assert (card["rows"], card["prompts"], card["raters"]) == (2, 2, 2)
    assert (card["licences"], card["sources"]) == ({"CC0-1.0": 2}, {"raters": 2})


def test_an_edit_is_a_row_of_its_own_and_its_judgment_a_member_once(
    cut: Callable[..., Snapshot], comparison_campaign: Campaign, rosa: Rater, settings: LazySettings
) -> None:
    slot = claim.claim(campaign=comparison_campaign, rater=rosa, now=NOON)
    judgment = submit.submit(
        lease=lease_of(slot),
        rater=rosa,
        answer=ComparisonAnswer(
            ranks={0: 1, 1: 2, 2: 3, 3: 4},
            ratings={position: {"overall": 4} for position in range(4)},
            edit=Edit(0, "Better."),
        ),
        now=NOON,
    )

    snapshot = cut("comparisons")

    assert [row["id"] for row in rows(snapshot, settings)] == [
        f"comparison-{judgment.pk}",
        f"comparison-{judgment.pk}-edit",
    ]
    assert snapshot.card["edits"] == 1
    assert snapshot.judgments.count() == 1


def test_a_comparison_carries_the_overall_rating_of_each_response_that_has_one(
    cut: Callable[..., Snapshot], comparison_campaign: Campaign, rosa: Rater, settings: LazySettings
) -> None:
    slot = claim.claim(campaign=comparison_campaign, rater=rosa, now=NOON)
    submit.submit(
        lease=lease_of(slot),
        rater=rosa,
        answer=ComparisonAnswer(
            ranks={0: 1, 1: 2, 2: 3, 3: 4},
            ratings={position: {"overall": 7 - position} for position in range(4)},
            edit=Edit(0, "Better."),
        ),
        now=NOON,
    )

    compared, edited = rows(cut("comparisons"), settings)

    assert sorted((one["rank"], one["rating"]) for one in compared["responses"]) == [
        (1, 7),
        (2, 6),
        (3, 5),
        (4, 4),
    ]
    assert any("rating" not in one for one in edited["responses"])  # the edit was shown to nobody


def test_a_comparison_carries_its_category_and_the_pool_that_judged(
    cut: Callable[..., Snapshot], rosa: Rater, comparison_campaign: Campaign, settings: LazySettings
) -> None:
    for campaign in (comparison_campaign, None):
        judgment = compare(on_split("train")[0], rosa, [1, 2])
        Judgment.of_people.filter(pk=judgment.pk).update(campaign=campaign)

    found = rows(cut("comparisons"), settings)

    assert [row["pool"] for row in found] == [comparison_campaign.pool.name, ""]
    assert (
        found[0]["category"]
        == Prompt.objects.get(pk=Judgment.of_people.order_by("pk")[0].prompt_id).category
    )
