"""What an import stores: prompts, clusters, responses, judgments, sources and raters."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from labeling import access as labeling_access
from labeling.campaigns import services as campaigns_services
from labeling.data.exports import shapes
from labeling.data.imports import services as imports_services
from labeling.data.prompts import services as prompts_services
from labeling.desk.judgments import correct, submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer
from labeling.kinds.comparison import ComparisonSettings
from labeling.models import (
    Guideline,
    Import,
    Judgment,
    Pool,
    Prompt,
    RankedResponse,
    Rater,
    Response,
    Source,
)
from labeling.queue.claiming import claim, work_left
from labeling.splits import near_duplicates
from tests.cast import NOON, lease_of, open_demonstration_campaign
from tests.labeling.importers.import_rows import clock, reply, tree

pytestmark = pytest.mark.django_db
Bring = Callable[..., Import]


# --- prompts --------------------------------------------------------------------------------------


def test_a_prompt_is_stored_with_where_it_came_from(bring: Bring) -> None:
    batch = bring({"prompt": "Hi", "language": "en", "category": "chat"})

    prompt = Prompt.objects.get()
    assert batch.state == Import.State.PUBLISHED
    assert (prompt.origin, prompt.licence, prompt.source.name) == ("a.jsonl line 1", "CC0-1.0", "a")
    assert (prompt.language, prompt.category) == ("en", "chat")
    assert prompt.messages_sha256 == near_duplicates.fingerprint(prompt.messages)
    assert prompt.split == near_duplicates.split_of(prompt.cluster)


def test_the_same_prompt_twice_is_stored_once_and_counted(bring: Bring) -> None:
    batch = bring({"prompt": "Hi there"}, {"prompt": "Hi  there\n"}, {"prompt": "Ho"})

    assert Prompt.objects.count() == 2
    assert (batch.counts["prompts"], batch.counts["duplicates"]) == (2, 1)


def test_a_visible_prompt_is_used_again_and_takes_the_new_response(bring: Bring) -> None:
    bring({"prompt": "Hi"})

    second = bring({"prompt": "Hi", "response": "Hello"}, source_name="b")

    assert Prompt.objects.count() == 1
    assert Response.objects.get().prompt == Prompt.objects.get()
    assert second.counts["duplicates"] == 1


def test_a_prompt_of_a_refused_import_is_not_used_again(bring: Bring) -> None:
    bring({"prompt": "Hi"}, {"prompt": ""}, is_strict=True)

    bring({"prompt": "Hi"})

    assert Prompt.objects.count() == 2
    assert labeling_access.visible(Prompt.objects.all()).count() == 1


def test_near_duplicates_share_a_cluster_across_imports(bring: Bring) -> None:
    bring(
        {
            "prompt": (
                "Explain in detail how a sewing machine makes its stitches, step by step, for a"
                " child of ten."
            )
        }
    )

    bring(
        {
            "prompt": (
                "Explain in detail how a sewing machine makes its stitches, step by step, for a"
                " child of six!"
            )
        }
    )

    assert Prompt.objects.count() == 2
    assert len(set(Prompt.objects.values_list("cluster", "split"))) == 1


def test_near_duplicates_of_a_prompt_that_was_typed_in_take_its_side(
    bring: Bring, alice: User
) -> None:
    texts = {split: " ".join(f"{split}{n}" for n in range(20)) for split in Prompt.Split.values}
    for split, text in texts.items():
        prompts_services.create_prompt(
            messages=[{"role": "user", "content": text}],
            category="other",
            language="en",
            split=split,
            licence="",
            by=alice,
            now=NOON,
        )

    bring(*({"prompt": f"{text} it"} for text in texts.values()))

    for prompt in Prompt.objects.exclude(import_batch=None):
        assert prompt.messages[0]["content"].startswith(prompt.split)


def test_every_line_whose_prompt_fits_neither_split_is_reported(bring: Bring, alice: User) -> None:
    words = [f"word{number:03}" for number in range(60)]
    typed = {
        Prompt.Split.TRAIN: ["other", "words", "begin", "this", "one", "text", "here", *words[7:]],
        Prompt.Split.TEST: [*words[:-7], "and", "these", "end", "it", "as", "they", "do"],
    }
    for split, text in typed.items():
        prompts_services.create_prompt(
            messages=[{"role": "user", "content": " ".join(text)}],
            category="other",
            language="en",
            split=split,
            licence="",
            by=alice,
            now=NOON,
        )
    between = {"prompt": " ".join(words)}

    batch = bring(
        between | {"response": "a"},
        {"prompt": "Hi"},
        between | {"response": "b"},
        between,
        {"prompt": "Hi"},
    )

    assert [(one["line"], "answers in this line" in one["sentence"]) for one in batch.problems] == [
        (1, True),
        (3, True),
        (4, False),
    ]
    assert (batch.counts["prompts"], batch.counts["duplicates"]) == (1, 1)


def test_clusters_that_a_later_line_ties_together_end_on_one_side(
    bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports_services, "BATCH", 1)
    words = [f"word{i:03}" for i in range(60)]
    left, right = (
        ["other", "words", "begin", "this", "one", "text", "here", *words[7:]],
        [
            *words[:-4],
            "and",
            "these",
            "end",
            "it",
        ],
    )

    bring({"prompt": " ".join(left)}, {"prompt": " ".join(right)}, {"prompt": " ".join(words)})

    assert Prompt.objects.count() == 3
    assert len(set(Prompt.objects.values_list("cluster", "split"))) == 1


def test_a_tree_lies_on_one_side(bring: Bring) -> None:
    later = {"role": "prompter", "text": "And Jupiter?", "replies": []}
    bring(tree(reply("Titan", None) | {"replies": [later]}))

    assert Prompt.objects.count() == 2
    assert len(set(Prompt.objects.values_list("cluster", "split"))) == 1


# --- judgments ------------------------------------------------------------------------------------


def test_ranked_siblings_become_a_comparison_with_ties_and_gaps(bring: Bring) -> None:
    batch = bring(
        tree(reply("w", 1), reply("x", 0), reply("y", 1), reply("z", None)), with_judgments=True
    )

    ranked = RankedResponse.objects.order_by("position").values_list("response__text", "rank")
    assert list(ranked) == [("w", 2), ("x", 1), ("y", 2), ("z", None)]
    assert (batch.counts["comparisons"], batch.counts["demonstrations"]) == (1, 4)


def test_an_imported_judgment_has_a_rater_without_login_and_no_slot(bring: Bring) -> None:
    batch = bring({"prompt": "Hi", "completion": "Hello"}, with_judgments=True)

    judgment = Judgment.of_people.get()
    assert (judgment.import_batch, judgment.slot, judgment.campaign, judgment.item) == (
        batch,
        None,
        None,
        None,
    )
    assert (judgment.rater.user, judgment.rater.alias) == (None, f"import-{batch.pk}-worker")
    assert judgment.demonstration.text == "Hello"


def test_responses_come_without_judgments_when_none_are_asked_for(bring: Bring) -> None:
    bring({"prompt": "Hi", "chosen": "a", "rejected": "b"})

    assert Response.objects.count() == 2
    assert Response.objects.first().source.kind == Source.Kind.IMPORT
    assert not Judgment.of_people.exists()


def test_the_same_file_again_adds_nothing(bring: Bring) -> None:
    rows = [tree(reply("x", 0), reply("y", 1))]
    bring(*rows, with_judgments=True)

    again = bring(*rows, with_judgments=True)

    assert (Prompt.objects.count(), Response.objects.count(), Judgment.of_people.count()) == (
        1,
        2,
        3,
    )
    assert again.counts["repeated_judgments"] == 3


def test_judgments_are_added_to_responses_that_came_alone(bring: Bring) -> None:
    rows = [tree(reply("x", 0), reply("y", 1))]
    bring(*rows)

    bring(*rows, with_judgments=True)

    assert (Response.objects.count(), Judgment.of_people.count()) == (2, 3)


def test_two_answers_of_one_source_have_two_numbers(bring: Bring) -> None:
    bring({"prompt": "Hi", "response": "a"}, {"prompt": "Hi", "response": "b"})
    bring({"prompt": "Hi", "response": "c"})

    assert sorted(Response.objects.values_list("text", "number")) == [("a", 0), ("b", 1), ("c", 2)]


def test_votes_have_a_rater_for_each_worker_and_a_source_for_each_model(tmp_path: Path) -> None:
    pairs, ballots = tmp_path / "pairs.jsonl", tmp_path / "votes.csv"
    pairs.write_text(
        json.dumps(
            {"id": 0, "text": "Hi", "model_x": 7, "result_x": "a", "model_y": 8, "result_y": ""}
        )
        + "\n"
    )
    ballots.write_text("id,worker,winner\n0,58,tie\n0,83,right\n")

    call_command("import_judgments", ballots, pairs=pairs, source="crowd", licence="CC-BY-4.0")

    assert sorted(Response.objects.values_list("source__name", "text")) == [
        ("crowd / 7", "a"),
        ("crowd / 8", ""),
    ]
    assert sorted(
        RankedResponse.objects.values_list(
            "comparison__judgment__rater__origin", "response__text", "rank"
        )
    ) == [
        ("crowd: 58", "", 1),
        ("crowd: 58", "a", 1),
        ("crowd: 83", "", 1),
        ("crowd: 83", "a", 2),
    ]


# --- batches and named models ---------------------------------------------------------------------


@pytest.mark.parametrize("author", [{}, {"model": "somebody"}])
def test_a_demonstration_that_comes_back_as_a_response_is_not_given_to_its_writer(
    bring: Bring,
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
    raul: Rater,
    author: dict[str, str],
) -> None:
    writing = open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=1)
    lease = lease_of(claim.claim(campaign=writing, rater=rosa, now=NOON))
    submit.submit(
        lease=lease,
        rater=rosa,
        answer=DemonstrationAnswer(text="Titan,\r\nand many more."),
        now=NOON,
    )
    correct.correct(
        lease=lease, rater=rosa, version=1, answer=DemonstrationAnswer(text="Titan."), now=NOON
    )
    prompt = writing.items.get().prompt
    Prompt.objects.filter(pk=prompt.pk).update(
        messages_sha256=near_duplicates.fingerprint(prompt.messages)
    )

    answers = [{"text": "Titan,\nand many more.", **author}, {"text": "None.", **author}]
    bring({"messages": prompt.messages, "responses": answers}, source_name="b")
    comparing = campaigns_services.create_campaign(
        name="Compare",
        settings=ComparisonSettings(n_responses=2),
        pool=day_shift,
        guideline=guideline,
        prompts=[prompt],
        by=None,
        now=NOON,
    )
    campaigns_services.open_campaign(campaign=comparing, by=None, now=NOON)

    assert list(Response.objects.order_by("pk").values_list("prompt", "author")) == [
        (prompt.pk, rosa.pk),
        (prompt.pk, None),
    ]
    assert [source.kind for source in Source.objects.filter(responses__prompt=prompt)] == [
        "import",
        "import",
    ]
    assert claim.claim(campaign=comparing, rater=rosa, now=NOON) is None
    assert not work_left.has_work(campaign=comparing, rater=rosa, now=NOON)
    assert claim.claim(campaign=comparing, rater=raul, now=NOON) is not None


@pytest.mark.parametrize("n", [150])
def test_a_batch_takes_the_same_number_of_queries_whatever_its_size(
    bring: Bring, n: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    rows = [
        {"prompt": f"Number {i} of many prompts that differ in little", "completion": str(i)}
        for i in range(n)
    ]
    batch = bring(*rows, with_judgments=True, runs=False)

    with django_assert_max_num_queries(49):
        imports_services.IMPORTS.run(batch.pk, clock=clock)


def test_responses_of_named_models_come_in_as_sources_with_their_settings(tmp_path: Path) -> None:
    answers = [
        {"text": "Blue.", "model": "alpha", "sampling": {"temperature": 0.7}, "is_ended": True},
        {"text": "Sky blue.", "model": "beta"},
        "Azure.",
    ]
    rows = [{"prompt": "What colour is the sky?", "responses": answers}]
    file = tmp_path / "answers.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))

    for _time in range(2):
        call_command("import_responses", str(file), "--source", "lab", "--licence", "CC-BY-4.0")

    found = {
        response.source.name: response for response in Response.objects.select_related("source")
    }
    assert set(found) == {"lab / alpha", "lab / beta", "lab"}
    assert (found["lab / alpha"].sampling, found["lab / alpha"].is_ended) == (
        {"temperature": 0.7},
        True,
    )
    assert (Prompt.objects.count(), Response.objects.count(), Judgment.of_people.count()) == (
        1,
        3,
        0,
    )


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ("Blue.", "is not a list"),
        ([{"model": "a"}], "responses[0].text"),
        ([{"text": "x", "sampling": 3}], "must be an object"),
    ],
)
def test_responses_that_cannot_be_read_are_told_with_their_line(
    tmp_path: Path, answers: Any, words: str
) -> None:
    file = tmp_path / "answers.jsonl"
    rows = [{"prompt": "Good?", "responses": ["Yes."]}, {"prompt": "Bad?", "responses": answers}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))

    call_command("import_responses", str(file), "--source", "lab", "--licence", "CC-BY-4.0")

    (problem,) = Import.objects.get().problems
    assert (problem["line"], words in problem["sentence"]) == (2, True)


# --- licences -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["licence", "license"])
def test_a_rows_own_licence_is_stored_with_its_texts(bring: Bring, name: str) -> None:
    bring(
        {"prompt": "Hi", "response": "Hello", name: "CC-BY-NC-4.0"},
        {"prompt": "Ho", "response": "Howdy"},
    )

    assert set(Prompt.objects.values_list("licence", flat=True)) == {"CC-BY-NC-4.0", "CC0-1.0"}
    assert {r.text: r.own_licence for r in Response.objects.select_related("source")} == {
        "Hello": "CC-BY-NC-4.0",
        "Howdy": "CC0-1.0",
    }


def test_a_response_may_have_a_licence_that_its_prompt_has_not(bring: Bring) -> None:
    one = {"text": "Hello", "model": "m", "licence": "CC-BY-NC-4.0"}

    bring({"prompt": "Hi", "responses": [one, {"text": "Ho", "model": "m"}]})

    assert Prompt.objects.get().licence == "CC0-1.0"
    assert {r.text: r.own_licence for r in Response.objects.select_related("source")} == {
        "Hello": "CC-BY-NC-4.0",
        "Ho": "CC0-1.0",
    }


def test_a_demonstration_leaves_under_the_licence_of_its_row(bring: Bring) -> None:
    bring({"prompt": "Hi", "response": "Hello", "licence": "CC-BY-NC-4.0"}, with_judgments=True)

    (row,) = shapes.records("demonstrations")

    assert (row["response_licence"], row["licence"]) == ("CC-BY-NC-4.0", "CC-BY-NC-4.0")
    assert (row["response_source"], row["prompt_source"]) == ("a", "a")


def test_a_licence_that_cannot_be_read_costs_its_line(bring: Bring) -> None:
    batch = bring({"prompt": "Hi", "license": 7}, {"prompt": "Ho"})

    assert Prompt.objects.count() == 1
    assert "`license` must be one name" in batch.problems[0]["sentence"]
