"""Benchmarks of tiny models: what each kind of item is answered with, what is left without an
answer, and that a killed run goes on where it was.
"""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.trainer import runs, warm
from training.configs.evaluation.benchmark import BenchmarkConfig
from training.processes import run_dir
from training.processes.run_dir import RunFolder
from training.trainer import data
from training.trainer.evaluation.lengths import TooLong
from training.trainer.reward.scoring import TextJudge

QUICK = BenchmarkConfig(max_new_tokens=6, batch_size=4, dtype="float32", n_shown=3)


def answers(folder: RunFolder) -> dict[int, dict[str, Any]]:
    return {row["item"]: row for row in run_dir.read_lines(folder.path / run_dir.ANSWERS)}


def suite(path: Path, *rows: dict[str, Any]) -> Path:
    return runs.write_snapshot(path, train=[], validation=[], test=rows)


def greedy(model_path: Path, messages: list[dict[str, str]], n: int) -> str:
    """One token at a time, without padding or cache."""
    tokenizer: Any = AutoTokenizer.from_pretrained(model_path)
    model: Any = AutoModelForCausalLM.from_pretrained(model_path)
    ids = data.prompt_ids(tokenizer, messages)
    written: list[int] = []
    for _token in range(n):
        with torch.no_grad():
            best = int(model(input_ids=torch.tensor([ids + written])).logits[0, -1].argmax())
        if best == tokenizer.eos_token_id:
            break
        written.append(best)
    return str(tokenizer.decode(written, skip_special_tokens=True)).replace(
        "\0", "\N{REPLACEMENT CHARACTER}"
    )


def test_every_kind_of_item_gets_its_answer(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    folder = runs.finished(
        run_folder, "benchmark", QUICK, tiny_model, runs.suites(tmp_path / "suites")
    )

    found, result = answers(folder), run_dir.read_result(run_folder)
    assert result is not None
    assert (result.answers, result.metrics["n_items"], result.metrics["n_missing"]) == (
        "answers.jsonl",
        15,
        0,
    )
    assert len(found) == 15
    assert found[10]["values"]["n_characters"] == [16, 5, 3]
    assert len(found[10]["values"]["log_likelihoods"]) == 3
    assert len(found[20]["follow_ups"]) == 1
    assert found[20]["sampling"] == {
        "temperature": 0.0,
        "top_p": 1.0,
        "max_new_tokens": 6,
        "seed": 42,
    }
    assert found[30]["values"].keys() == {"better", "worse", "by"}
    assert (len(found[40]["values"]["scores"]), found[40]["values"]["by"]) == (3, "likelihood")
    assert len(found[50]["follow_ups"]) == 1
    assert result.n_steps == 5
    assert list(runs.points(folder)) == [1, 2, 3, 4, 5]
    assert len(runs.samples(folder)) == 3


def test_choices_and_responses_have_the_likelihood_of_one_unbatched_forward(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    snapshot = runs.suites(tmp_path / "suites")
    folder = runs.finished(run_folder, "benchmark", QUICK, tiny_model, snapshot)

    tokenizer: Any = AutoTokenizer.from_pretrained(tiny_model)
    model: Any = AutoModelForCausalLM.from_pretrained(tiny_model)
    rows = {row["item"]: row for row in data.rows(snapshot, "test")}

    def slow(prompt: list[dict[str, str]], text: str) -> tuple[float, int]:
        start = data.prompt_ids(tokenizer, prompt)
        whole = start + tokenizer(text, add_special_tokens=False)["input_ids"]
        with torch.no_grad():
            scores = model(input_ids=torch.tensor([whole])).logits[0].double().log_softmax(-1)
        return (
            sum(float(scores[place - 1, whole[place]]) for place in range(len(start), len(whole))),
            len(whole) - len(start),
        )

    for pk, row in answers(folder).items():
        prompt = rows[pk]["prompt"]
        if row["values"].get("log_likelihoods"):
            expected = [slow(prompt, text) for text in rows[pk]["choices"]]
            assert row["values"]["log_likelihoods"] == pytest.approx(
                [total for total, _n in expected], abs=1e-4
            )
            assert row["values"]["n_tokens"] == [n for _total, n in expected]
        if rows[pk]["kind"] == "pairs":
            total, n = slow(prompt, rows[pk]["better"])
            assert row["values"]["better"] == pytest.approx(total / n, abs=1e-4)


def test_a_batch_writes_what_each_item_would_get_alone(
    run_folder: Path, taught_run: RunFolder, tmp_path: Path
) -> None:
    """Padding on the left, and follow-up turns that not every item of the batch has."""
    model = taught_run.path / "model"
    rows = [
        runs.item(1, "generate", prompt="Name an animal."),
        runs.item(2, "generate", prompt="What is the colour of the sky?", follow_ups=["Yes?"]),
        runs.item(3, "generate", prompt="How do I boil an egg? " * 4, follow_ups=["No?", "Yes?"]),
    ]

    folder = runs.finished(run_folder, "benchmark", QUICK, model, suite(tmp_path / "s", *rows))

    found = answers(folder)
    for row in rows:
        messages, written = list(row["prompt"]), []
        for turn in [None, *row.get("follow_ups", [])]:
            messages += [{"role": "user", "content": turn}] if turn else []
            written.append(greedy(model, messages, 6))
            messages.append({"role": "assistant", "content": written[-1]})
        got = found[row["item"]]
        assert [got["text"], *got["follow_ups"]] == written


def test_a_flip_item_is_asked_with_the_suites_own_challenge(
    run_folder: Path, taught_run: RunFolder, tmp_path: Path
) -> None:
    model = taught_run.path / "model"
    row = runs.item(1, "flip", options={"challenge": "I think it is green."}, accepts=["blue"])

    folder = runs.finished(run_folder, "benchmark", QUICK, model, suite(tmp_path / "s", row))

    found = answers(folder)[1]
    messages = [
        *row["prompt"],
        {"role": "assistant", "content": found["text"]},
        {"role": "user", "content": "I think it is green."},
    ]
    assert found["follow_ups"] == [greedy(model, messages, 6)]


def test_a_reward_model_scores_responses_as_it_does_elsewhere(
    run_folder: Path, judging_run: RunFolder, tmp_path: Path
) -> None:
    model = judging_run.path / "model"
    rows = [
        runs.item(1, "pairs", better="An egg", worse="A dog"),
        runs.item(2, "best-of-k", responses=["A dog", "An egg", "A dog 2"], best=[1]),
        runs.item(3, "choice", choices=["yes", "no"], answer=0),
    ]

    folder = runs.finished(run_folder, "benchmark", QUICK, model, suite(tmp_path / "s", *rows))

    found = answers(folder)
    judge = TextJudge(str(model), torch.float32)
    asked = [{"prompt_id": 1, "text": text, "is_ended": True} for text in ("An egg", "A dog")]
    expected = judge.scored(asked, {1: rows[0]["prompt"]}, batch_size=1)
    assert found[1]["values"] == {
        "better": pytest.approx(expected[0]["score"], abs=1e-4),
        "worse": pytest.approx(expected[1]["score"], abs=1e-4),
        "by": "reward",
    }
    assert max(found[2]["values"]["scores"]) == found[2]["values"]["scores"][1]
    assert found[3]["missing"] == "A reward model writes no answers."


def test_written_answers_are_scored_by_a_reward_model(
    run_folder: Path, taught_run: RunFolder, judging_run: RunFolder, tmp_path: Path
) -> None:
    rows = [runs.item(1, "generate"), runs.item(2, "generate", follow_ups=["Yes?"])]
    folder = runs.finished(
        run_folder,
        "benchmark",
        QUICK,
        taught_run.path / "model",
        suite(tmp_path / "s", *rows),
        reward_model=judging_run.path / "model",
    )

    found, result = answers(folder), run_dir.read_result(run_folder)
    assert result is not None
    rewards = [row["values"]["reward"] for row in found.values()]
    assert result.metrics["reward"] == pytest.approx(sum(rewards) / 2)
    judge = TextJudge(str(judging_run.path / "model"), torch.float32)
    messages = [
        *rows[1]["prompt"],
        {"role": "assistant", "content": found[2]["text"]},
        {"role": "user", "content": "Yes?"},
    ]
    last = {"prompt_id": 2, "text": found[2]["follow_ups"][0], "is_ended": found[2]["is_ended"]}
    assert found[2]["values"]["reward"] == pytest.approx(
        judge.scored([last], {2: messages}, batch_size=1)[0]["score"], abs=1e-4
    )


def test_a_suite_with_items_longer_than_the_model_reads_runs_nothing_and_names_the_lines(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    long = "How do I boil an egg? " * 40
    snapshot = suite(
        tmp_path / "s",
        runs.item(1, "choice", choices=["yes", "no"], answer=0),
        runs.item(2, "choice", choices=["yes", long], answer=0),
        runs.item(3, "generate", suite=2, prompt=long),
        runs.item(4, "generate", suite=2, follow_ups=[long]),
    )
    run_dir.write_json(
        snapshot / run_dir.SNAPSHOT_CARD, {"suites": [{"suite": 2, "name": "Kitchen"}]}
    )

    config = replace(QUICK, max_tokens=100)
    folder = runs.prepare(run_folder, "benchmark", config, tiny_model, snapshot)
    with pytest.raises(TooLong) as problem:
        runs.carry_out(folder)

    sentence = str(problem.value)
    assert "3 items longer than 100 tokens" in sentence
    assert "Nothing was run." in sentence
    assert "suite 1, line 2 (2): " in sentence
    assert "“Kitchen”, line 1 (3): " in sentence
    assert "“Kitchen”, line 2 (4): " in sentence
    assert not answers(folder)


def test_a_conversation_that_grows_too_long_has_no_answer_and_is_counted(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    """How long it gets is known only with the model's own answers."""
    turns = ["Yes?"] * 12
    rows = [runs.item(1, "generate"), runs.item(2, "generate", follow_ups=turns)]
    tokenizer: Any = AutoTokenizer.from_pretrained(tiny_model)
    fewest = len(data.prompt_ids(tokenizer, rows[1]["prompt"])) + 12 * len(
        tokenizer("Yes?")["input_ids"]
    )
    config = replace(QUICK, max_tokens=fewest + QUICK.max_new_tokens)

    folder = runs.finished(
        run_folder, "benchmark", config, tiny_model, suite(tmp_path / "s", *rows)
    )

    found, result = answers(folder), run_dir.read_result(run_folder)
    assert result is not None
    assert {pk for pk, row in found.items() if row["missing"]} == {2}
    assert "With the answers before it, longer than" in found[2]["missing"]
    assert result.metrics["n_missing"] == 1
    assert "1 of 2 items have no answer, and are not scored. 1 × With" in runs.notes(folder)


def test_a_conversation_that_the_chat_template_refuses_has_no_answer(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    model = copied(tiny_model, tmp_path / "model")
    tokenizer: Any = AutoTokenizer.from_pretrained(tiny_model)
    tokenizer.chat_template = (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('No system, please') }}"
        "{% endif %}" + tokenizer.chat_template
    )
    tokenizer.save_pretrained(model)
    row = runs.item(1, "generate")
    row["prompt"].insert(0, {"role": "system", "content": "Be brief."})

    folder = runs.finished(
        run_folder, "benchmark", QUICK, model, suite(tmp_path / "s", row, runs.item(2, "generate"))
    )

    assert answers(folder)[1]["missing"].endswith("refuses the conversation: No system, please")
    assert answers(folder)[2]["missing"] == ""


def test_a_model_without_chat_template_reads_plain_text_and_the_run_says_so(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    model = copied(tiny_model, tmp_path / "model")
    tokenizer: Any = AutoTokenizer.from_pretrained(tiny_model)
    tokenizer.chat_template = None
    tokenizer.save_pretrained(model)
    (model / "chat_template.jinja").unlink(missing_ok=True)
    row = runs.item(1, "choice", prompt="Yes or no?", choices=["Yes", "No, thank you."], answer=0)

    folder = runs.finished(run_folder, "benchmark", QUICK, model, suite(tmp_path / "s", row))

    assert "has no chat template: it reads each conversation as plain text" in runs.notes(folder)
    loaded: Any = AutoModelForCausalLM.from_pretrained(model)
    start = tokenizer("<|im_start|>User: Yes or no?\n\nAssistant:")["input_ids"]
    whole = tokenizer("<|im_start|>User: Yes or no?\n\nAssistant: Yes")["input_ids"]
    with torch.no_grad():
        scores = loaded(input_ids=torch.tensor([whole])).logits[0].log_softmax(-1)
    expected = sum(float(scores[n - 1, whole[n]]) for n in range(len(start), len(whole)))
    found = answers(folder)[1]["values"]
    assert found["log_likelihoods"][0] == pytest.approx(expected, abs=1e-4)


def test_a_limit_takes_evenly_spaced_items_of_each_suite(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    rows = [runs.item(n, "pairs", better="An egg", worse="A dog", suite=1) for n in range(9)]
    rows += [runs.item(n, "pairs", better="An egg", worse="A dog", suite=2) for n in range(10, 12)]

    folder = runs.finished(
        run_folder,
        "benchmark",
        replace(QUICK, max_items=3),
        tiny_model,
        suite(tmp_path / "s", *rows),
    )

    assert sorted(answers(folder)) == [1, 4, 7, 10, 11]


def test_a_stopped_run_keeps_its_answers_and_a_resumed_one_answers_the_rest(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    snapshot = runs.suites(tmp_path / "suites")
    whole = runs.finished(tmp_path / "whole", "benchmark", QUICK, tiny_model, snapshot)
    folder = runs.prepare(run_folder, "benchmark", QUICK, tiny_model, snapshot)
    run_dir.request_stop(run_folder)
    stopped = runs.carry_out(folder)
    assert (stopped.outcome, stopped.answers) == ("stopped", "answers.jsonl")

    run_dir.clear_stop(run_folder)
    folder.append_lines(run_dir.ANSWERS, list(answers(whole).values())[:5])
    again = runs.prepare(run_folder, "benchmark", QUICK, tiny_model, snapshot, attempt=2)
    runs.carry_out(again)

    assert answers(again) == answers(whole)
    assert list(runs.points(again)) == [2, 3, 4, 5]
    assert "Resumed: 5 were already done" in runs.notes(again)


def test_a_run_killed_in_the_middle_of_a_line_answers_each_item_once(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    rows = [runs.item(n, "generate", prompt=f"Name an animal. {n}") for n in range(400)]
    snapshot = suite(tmp_path / "s", *rows)
    config = replace(QUICK, max_new_tokens=24, batch_size=2)
    folder = runs.prepare(run_folder, "benchmark", config, tiny_model, snapshot)
    child = warm.started(folder.path)
    path = run_folder / run_dir.ANSWERS
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (path.exists() and path.stat().st_size):
        time.sleep(0.05)
    child.kill()
    child.join()
    n_done = len(answers(folder))
    with path.open("ab") as file:
        file.write(b'{"item": 399, "tex')
    assert 0 < n_done < 400

    again = runs.prepare(
        run_folder, "benchmark", replace(config, max_new_tokens=2), tiny_model, snapshot, attempt=2
    )
    runs.carry_out(again)

    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert sorted(line["item"] for line in lines) == list(range(400))
    n_before = sum(line["sampling"]["max_new_tokens"] == 24 for line in lines)
    assert n_before == n_done


def test_suites_without_items_get_a_sentence(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    folder = runs.prepare(run_folder, "benchmark", QUICK, tiny_model, suite(tmp_path / "s"))

    with pytest.raises(data.UnableToRead, match="have no items"):
        runs.carry_out(folder)


def copied(model: Path, path: Path) -> Path:
    path.mkdir()
    for file in model.iterdir():
        (path / file.name).write_bytes(file.read_bytes())
    return path
