"""A snapshot as token ids: what is trained on, truncated and counted."""

from collections import Counter
from pathlib import Path

import pytest

from tests.trainer import runs
from tests.trainer.tiny import build_tokenizer
from training.trainer import data
from training.trainer.reward import rankings

tokenizer = build_tokenizer()


def test_only_the_completion_and_its_end_of_turn_are_learned() -> None:
    [example] = data.demonstrations(tokenizer, [runs.demonstration(1)], 200).examples

    learned = [
        token
        for token, label in zip(example.input_ids, example.labels, strict=True)
        if label != data.IGNORED
    ]
    assert tokenizer.decode(learned) == "The sky is blue.<|im_end|>"
    assert str(tokenizer.decode(example.input_ids[: -len(learned)])).endswith(
        "<|im_start|>assistant\n"
    )


def test_no_end_of_turn_is_learned_after_a_response_that_its_model_did_not_end() -> None:
    [example] = data.demonstrations(
        tokenizer, [runs.demonstration(1, "The sky is") | {"is_ended": False}], 200
    ).examples

    learned = [
        token
        for token, label in zip(example.input_ids, example.labels, strict=True)
        if label != data.IGNORED
    ]
    assert tokenizer.decode(learned) == "The sky is"


def test_a_long_response_is_cut_and_counted_and_a_prompt_that_fills_the_row_is_left_out() -> None:
    long = runs.demonstration(1, "blue " * 100)
    n_prompt = len(data.prompt_ids(tokenizer, long["prompt"]))

    cut = data.demonstrations(tokenizer, [long, runs.demonstration(2)], n_prompt + 30)
    none = data.demonstrations(tokenizer, [long], n_prompt)

    assert (
        cut.n_cut,
        cut.n_left_out,
        [len(row.input_ids) <= n_prompt + 30 for row in cut.examples],
    ) == (1, 0, [True, True])
    assert (none.examples, none.n_left_out) == ([], 1)


def test_a_prompt_is_one_row_with_every_decided_pair() -> None:
    ranked = runs.ranking(
        1, {"best": 1, "tied one": 2, "tied other": 2, "worst": 4, "not ranked": None}
    )

    read = rankings.read(tokenizer, [ranked], 200)

    (row,) = read.rows
    texts = [tokenizer.decode(ids, skip_special_tokens=True) for ids in row["response_ids"]]
    pairs = {
        (texts[winner], texts[loser])
        for winner, loser in zip(row["winner"], row["loser"], strict=True)
    }
    assert pairs == {
        ("best", "tied one"),
        ("best", "tied other"),
        ("best", "worst"),
        ("tied one", "worst"),
        ("tied other", "worst"),
    }
    assert (read.n_pairs, read.n_ties) == (5, 1)
    assert all(ids[-1] == tokenizer.eos_token_id for ids in row["response_ids"])


def test_scores_go_to_every_stored_response_of_their_text() -> None:
    ranked = runs.ranking(1, {"best": 1, "worst": 2})
    again = runs.ranking(1, {"best": 1, "worst": 2})
    again["responses"][0]["response"] = 70
    read = rankings.read(tokenizer, [ranked, again], 200)

    lines = rankings.scored(read.rows, [0.5, -0.5])

    scores = {line["response"]: line["score"] for line in lines}
    assert scores == {0: 0.5, 70: 0.5, 1: -0.5}


def test_a_response_that_was_cut_off_gets_no_end_of_turn_that_its_model_never_wrote() -> None:
    ranked = runs.ranking(1, {"ended": 1, "cut off": 2, "": 3})
    for response in ranked["responses"][1:]:
        response["is_ended"] = False

    (row,) = rankings.read(tokenizer, [ranked], 200).rows

    closed = {
        tokenizer.decode(ids, skip_special_tokens=True): ids[-1] == tokenizer.eos_token_id
        for ids in row["response_ids"]
    }
    assert closed == {"ended": True, "cut off": False, "": True}


def test_a_prompt_gives_way_from_the_left_and_a_response_never() -> None:
    ranked = runs.ranking(1, {"short": 1, "also short": 2, "long " * 100: 3})
    ranked["prompt"] = [{"role": "user", "content": "word " * 60}]

    read = rankings.read(tokenizer, [ranked], 80)

    (row,) = read.rows
    whole = data.prompt_ids(tokenizer, ranked["prompt"])
    assert (read.n_left_out, read.n_cut, read.n_pairs) == (1, 1, 1)
    assert max(len(row["prompt_ids"]) + len(ids) for ids in row["response_ids"]) == 80
    assert row["prompt_ids"] == whole[-len(row["prompt_ids"]) :]


def test_a_limit_on_pairs_keeps_prompts_whole() -> None:
    rows = [rankings.ranking_row([1], [[2], [3], [4]], [{"ranks": [1, 2, 3]}]) for _ in range(10)]

    kept = rankings.at_most_pairs(rows, 10, seed=1)

    assert [len(row["winner"]) for row in kept] == [3, 3, 3]
    assert rankings.at_most_pairs(rows, None, seed=1) == rows


def test_the_same_seed_draws_the_same_rows() -> None:
    drawn = data.sample_of(range(100), 10, 7)

    assert drawn == data.sample_of(range(100), 10, 7)
    assert drawn != data.sample_of(range(100), 10, 8)
    assert data.sample_of(range(3), 10, 7) == [0, 1, 2]


def test_a_part_of_a_snapshot_has_rows_of_every_split() -> None:
    rows = ["train"] * 34 + ["validation"] * 4 + ["test"] * 4

    part = data.spread(rows, 20)

    assert Counter(part) == {"train": 16, "validation": 2, "test": 2}
    assert data.spread(rows, 100) == data.spread(rows, None) == rows


def test_line_separators_survive_from_the_snapshot_to_the_tokens(tmp_path: Path) -> None:
    text = "one\u2028two\u2029three"
    snapshot = runs.write_snapshot(tmp_path, train=[runs.demonstration(1, text)])

    [example] = data.demonstrations(
        tokenizer, data.training_rows(snapshot, "completion"), 200
    ).examples

    assert text in tokenizer.decode(example.input_ids)


def test_an_empty_snapshot_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(data.UnableToRead, match="has no row for this run"):
        data.training_rows(runs.write_snapshot(tmp_path, train=[]), "completion")


def test_a_snapshot_of_another_kind_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(data.UnableToRead, match="of another kind"):
        data.training_rows(runs.rankings(tmp_path), "completion")


def test_the_test_split_stands_in_for_an_empty_validation_split(tmp_path: Path) -> None:
    snapshot = runs.write_snapshot(tmp_path, train=[{"a": 1}], validation=[], test=[{"a": 2}])

    assert data.held_out_rows(snapshot) == ("test", [{"a": 2}])


def test_a_strong_preference_asks_for_a_margin_when_the_run_does() -> None:
    ranked = [
        runs.ranking(1, {"an egg": 1, "a dog": 2}) | {"strength": 3},
        runs.ranking(1, {"an egg": 1, "a dog": 2}) | {"strength": None},
    ]

    found = {
        margin: rankings.read(tokenizer, ranked, 80, margin).rows[0]["margin"]
        for margin in ("none", "small", "large")
    }

    assert found == {"none": [0.0, 0.0], "small": [2 / 3, 0.0], "large": [2.0, 0.0]}


def test_ratings_further_apart_ask_for_a_larger_margin_when_the_run_does() -> None:
    rated = runs.ranking(1, {"an egg": 1, "a dog": 2, "a cat": 3, "a fox": 4})
    for response, rating in zip(rated["responses"], (7, 4, 5, None), strict=True):
        response |= {} if rating is None else {"rating": rating}

    def margins(margin: str, rating_margin: float) -> dict[tuple[int, int], float]:
        row = rankings.read(tokenizer, [rated | {"strength": 2}], 80, margin, rating_margin).rows[0]
        return dict(zip(zip(row["winner"], row["loser"], strict=True), row["margin"], strict=True))

    alone, beside_strength = margins("none", 0.1), margins("large", 0.1)

    assert set(margins("none", 0.0).values()) == {0.0}
    # the third was rated above the second and ranked below it; the fourth was not rated
    assert alone == pytest.approx(
        {(0, 1): 0.3, (0, 2): 0.2, (0, 3): 0.0, (1, 2): 0.0, (1, 3): 0.0, (2, 3): 0.0}
    )
    assert beside_strength == pytest.approx({pair: 1.0 + margin for pair, margin in alone.items()})
