"""What is exported, and in which shape."""

import io
import json
from datetime import timedelta

import pyarrow.parquet as pq
import pytest
from pytest_django import DjangoAssertNumQueries

from labeling.data.exports import files, shapes, streams
from labeling.desk.judgments import rows as judgments_rows
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer, DemonstrationAnswer, Edit
from labeling.models import Campaign, Guideline, Import, Judgment, Pool, Rater, Source
from labeling.people.pools import services as pools_services
from labeling.queue.claiming import claim, order
from tests.cast import NOON, lease_of, open_demonstration_campaign

pytestmark = pytest.mark.django_db


def written(campaign: Campaign, rater: Rater, text: str) -> Judgment:
    slot = claim.claim(campaign=campaign, rater=rater, now=NOON)
    return submit.submit(
        lease=lease_of(slot), rater=rater, answer=DemonstrationAnswer(text=text), now=NOON
    )


def ranked(campaign: Campaign, rater: Rater, ranks: dict[int, int | None]) -> Judgment:
    slot = claim.claim(campaign=campaign, rater=rater, now=NOON)
    ratings = {position: {"overall": position + 1} for position in range(4)}
    return submit.submit(
        lease=lease_of(slot),
        rater=rater,
        answer=ComparisonAnswer(ranks=ranks, ratings=ratings),
        now=NOON,
    )


def imported(judgment: Judgment, state: str) -> None:
    source = Source.objects.create(name="a file", kind=Source.Kind.IMPORT)
    judgment.import_batch = Import.objects.create(
        file_name="a.jsonl", path="", format="jsonl", source=source, state=state
    )
    judgment.campaign = judgment.slot = judgment.item = None
    judgment.save()


def test_a_demonstration_leaves_with_its_rater_as_an_alias(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    judgment = written(demonstration_campaign, rosa, "Four.")

    (row,) = streams.demonstrations()

    assert (row.judgment_id, row.response, row.rater_alias) == (judgment.pk, "Four.", rosa.alias)
    assert row.guideline == "Helpful answers v1"
    assert row.messages[-1]["role"] == "user"


def test_an_import_that_is_not_published_stays_inside(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    imported(written(demonstration_campaign, rosa, "Four."), Import.State.RUNNING)

    assert list(streams.demonstrations()) == []


def test_a_published_import_leaves_under_its_own_source(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    imported(written(demonstration_campaign, rosa, "Four."), Import.State.PUBLISHED)

    (row,) = streams.demonstrations(campaigns=[demonstration_campaign.pk])

    assert row.source_name == "a file"
    assert list(streams.demonstrations(include_imports=False)) == []


def test_what_was_imported_into_another_campaign_stays_there(
    demonstration_campaign: Campaign, day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    other = open_demonstration_campaign(pool=day_shift, guideline=guideline, name="Other")
    own = written(demonstration_campaign, rosa, "Four.")
    into_other = written(other, rosa, "Five.")
    imported(into_other, Import.State.PUBLISHED)
    Judgment.of_people.filter(pk=into_other.pk).update(campaign=other)

    rows = list(streams.demonstrations(campaigns=[demonstration_campaign.pk]))

    assert [row.judgment_id for row in rows] == [own.pk]


def test_an_extra_judgment_leaves_only_when_asked(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    judgment = written(demonstration_campaign, rosa, "Four.")
    Judgment.of_people.filter(pk=judgment.pk).update(is_extra=True)

    assert list(streams.demonstrations()) == []
    assert len(list(streams.demonstrations(include_extra=True))) == 1


def test_judgments_of_a_held_out_pool_say_so(demonstration_campaign: Campaign, rosa: Rater) -> None:
    written(demonstration_campaign, rosa, "Four.")
    pool = demonstration_campaign.pool
    pools_services.edit_pool(
        pool=pool, name=pool.name, description="", is_held_out=True, by=None, now=NOON
    )

    (row,) = streams.demonstrations()

    assert row.is_held_out


def test_a_comparison_leaves_with_what_was_shown_where(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim.claim(campaign=comparison_campaign, rater=rosa, now=NOON)
    assert slot is not None
    shown = order.presented(slot)
    ranked(comparison_campaign, rosa, {0: 2, 1: 1, 2: 2, 3: None})

    (row,) = streams.comparisons()

    by_position = sorted(row.responses, key=lambda response: response.position)
    assert [response.response_id for response in by_position] == [response.pk for response in shown]
    assert [response.rank for response in by_position] == [2, 1, 2, None]
    assert [response.ratings for response in by_position] == [{"overall": n} for n in (1, 2, 3, 4)]


def test_ties_and_unranked_responses_give_no_pair(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    ranked(comparison_campaign, rosa, {0: 2, 1: 1, 2: 2, 3: None})

    pairs = list(shapes.records("preferences"))

    assert len(pairs) == 2
    assert {pair["chosen"][0]["content"] for pair in pairs} == {
        row.text for row in next(streams.comparisons()).responses if row.rank == 1
    }


def test_reading_many_comparisons_costs_a_constant_number_of_queries(
    comparison_campaign: Campaign,
    rosa: Rater,
    raul: Rater,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for rater in (rosa, raul):
        for _ in range(3):
            ranked(comparison_campaign, rater, {0: 1, 1: 2, 2: 3, 3: 4})

    with django_assert_num_queries(5):  # who withdrew, ids, judgments, responses, weights
        assert len(list(streams.comparisons())) == 6


@pytest.mark.parametrize("shape", ["preferences", "rankings"])
def test_parquet_and_jsonl_say_the_same(
    comparison_campaign: Campaign, rosa: Rater, shape: str
) -> None:
    ranked(comparison_campaign, rosa, {0: 2, 1: 1, 2: 2, 3: None})
    file = io.BytesIO()

    n_rows = files.parquet(shapes.records(shape), schema=shapes.schema(shape), to=file)

    rows = pq.read_table(io.BytesIO(file.getvalue())).to_pylist()
    for row in rows:
        for response in row.get("responses", []):
            response["ratings"] = json.loads(response["ratings"])
    assert n_rows == len(rows)
    assert rows == [json.loads(line) for line in files.jsonl(shapes.records(shape))]


def test_a_demonstration_has_trls_conversational_shape(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    written(demonstration_campaign, rosa, "Four.")
    file = io.BytesIO()

    files.parquet(shapes.records("demonstrations"), schema=shapes.schema("demonstrations"), to=file)

    (row,) = pq.read_table(io.BytesIO(file.getvalue())).to_pylist()
    assert row["completion"] == [{"role": "assistant", "content": "Four."}]
    assert [message["role"] for message in row["prompt"]] == ["user"]


@pytest.mark.parametrize("shape", ["demonstrations", "dialogues"])
def test_a_dialogue_leaves_turn_by_turn_or_whole(
    day_shift: Pool, guideline: Guideline, rosa: Rater, shape: str
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, asks_dialogue=True)
    slot = claim.claim(campaign=campaign, rater=rosa, now=NOON)
    more = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Two and two."}]
    submit.submit(
        lease=lease_of(slot),
        rater=rosa,
        answer=DemonstrationAnswer(text="Four.", further=more),
        now=NOON,
    )
    file = io.BytesIO()

    files.parquet(shapes.records(shape), schema=shapes.schema(shape), to=file)

    rows = pq.read_table(io.BytesIO(file.getvalue())).to_pylist()
    said = [
        [
            message["content"]
            for part in ("prompt", "completion", "messages")
            for message in row.get(part) or []
        ]
        for row in rows
    ]
    whole = [said[-1][0], "Four.", "Why?", "Two and two."]
    assert said == ([whole[:2], whole] if shape == "demonstrations" else [whole])


@pytest.mark.parametrize(
    ("further", "complaint"),
    [
        ([{"role": "user", "content": "Why?"}], "end with the assistant"),
        (
            [{"role": "assistant", "content": "So."}, {"role": "user", "content": "Why?"}],
            "alternate between user and assistant",
        ),
        ([{"role": "user", "content": " "}, {"role": "assistant", "content": "So."}], "is empty"),
    ],
)
def test_a_dialogue_is_whole(
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
    further: list[dict[str, str]],
    complaint: str,
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, asks_dialogue=True)
    slot = claim.claim(campaign=campaign, rater=rosa, now=NOON)

    with pytest.raises(judgments_rows.UnableToSubmit, match=complaint):
        submit.submit(
            lease=lease_of(slot),
            rater=rosa,
            answer=DemonstrationAnswer(text="Four.", further=further),
            now=NOON,
        )


def test_a_campaign_that_asks_for_one_answer_takes_no_dialogue(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim.claim(campaign=demonstration_campaign, rater=rosa, now=NOON)
    further = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]

    with pytest.raises(judgments_rows.UnableToSubmit, match="a single answer"):
        submit.submit(
            lease=lease_of(slot),
            rater=rosa,
            answer=DemonstrationAnswer(text="Four.", further=further),
            now=NOON,
        )


def test_a_retired_prompt_does_not_leave(demonstration_campaign: Campaign) -> None:
    prompt = demonstration_campaign.items.first().prompt
    prompt.retired_at = NOON + timedelta(days=1)
    prompt.save()

    assert prompt.pk not in {row.prompt_id for row in streams.prompts()}


def test_an_edit_leaves_as_a_demonstration_and_as_a_pair_before_its_original(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim.claim(campaign=comparison_campaign, rater=rosa, now=NOON)
    assert slot is not None
    best = order.presented(slot)[2]
    judgment = submit.submit(
        lease=lease_of(slot),
        rater=rosa,
        answer=ComparisonAnswer(
            ranks={0: 2, 1: 3, 2: 1, 3: 4},
            ratings={position: {"overall": 4} for position in range(4)},
            edit=Edit(2, "Better."),
        ),
        now=NOON,
    )

    (written,) = streams.demonstrations()
    ranking, pair = streams.comparisons()

    assert (written.judgment_id, written.response, written.is_edit) == (
        judgment.pk,
        "Better.",
        True,
    )
    assert (ranking.is_edit, len(ranking.responses)) == (False, 4)
    assert sorted((text.rank or 0, text.text) for text in pair.responses) == [
        (1, "Better."),
        (2, best.text),
    ]
    assert pair.is_edit
    assert pair.judgment_id == judgment.pk


def test_what_was_recorded_leaves_with_each_judgment(
    comparison_campaign: Campaign, demonstration_campaign: Campaign, rosa: Rater
) -> None:
    compared = ranked(comparison_campaign, rosa, {0: 1, 1: 2, 2: 3, 3: 4})
    wrote = written(demonstration_campaign, rosa, "Four.")
    Judgment.of_people.all().update(active_s=12.5, warnings=["too_fast"])

    for shape, judgment in (
        ("rankings", compared),
        ("preferences", compared),
        ("demonstrations", wrote),
        ("dialogues", wrote),
    ):
        row = next(iter(shapes.records(shape)))
        expected = {
            "item": judgment.item_id,
            "campaign": judgment.campaign_id,
            "guideline": "Helpful answers v1",
            "active_s": 12.5,
            "warnings": ["too_fast"],
            "is_repeat": False,
        }
        assert {name: row[name] for name in expected} == expected


def test_a_ranking_in_which_all_were_bad_says_so(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    judgment = ranked(comparison_campaign, rosa, {0: 1, 1: 2, 2: 3, 3: 4})
    other = ranked(comparison_campaign, rosa, {0: 1, 1: 2, 2: 3, 3: 4})
    judgment.comparison.is_all_bad = True
    judgment.comparison.save()

    rows = {row["judgment"]: row["is_all_bad"] for row in shapes.records("rankings")}

    assert rows == {judgment.pk: True, other.pk: False}
