"""Benchmarks of a model on another server, over real HTTP: nonsense, silence, and going on."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.tooling.http_stub import Quiet, serving
from tests.trainer import runs
from training.configs.evaluation.benchmark import BenchmarkConfig
from training.processes import run_dir
from training.processes.run_dir import RunFolder
from training.trainer.evaluation import endpoint
from training.trainer.sample import remote

QUICK = BenchmarkConfig(max_new_tokens=12, batch_size=4)


class Server:
    """`reply` maps the messages to a status and a body."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[dict[str, Any]] = []
        self.reply: Callable[[list[dict[str, str]]], tuple[int, bytes]] = echo


def echo(messages: list[dict[str, str]]) -> tuple[int, bytes]:
    return 200, said(f"I read: {messages[-1]['content']}")


def said(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps({"choices": [choice]}).encode()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(remote, "FIRST_RETRY_DELAY_S", 0.001)
    found = Server()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.asked.append(body)
            status, content = found.reply(body["messages"])
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with serving(Handler) as url:
        found.url = url
        yield found


def prepared(
    path: Path, server: Server, snapshot: Path, config: BenchmarkConfig = QUICK, **fields: Any
) -> RunFolder:
    place = [server.url, "other", ""]
    return runs.prepare(path, "benchmark", config, server.url, snapshot, endpoint=place, **fields)


def answers(folder: RunFolder) -> dict[int, dict[str, Any]]:
    return {row["item"]: row for row in run_dir.read_lines(folder.path / run_dir.ANSWERS)}


def generated(path: Path, n: int) -> Path:
    rows = [runs.item(number, "generate", prompt=f"Question {number}") for number in range(n)]
    return runs.write_snapshot(path, train=[], validation=[], test=rows)


def test_written_answers_choices_and_flips_are_asked_in_words(
    run_folder: Path, server: Server, tmp_path: Path
) -> None:
    rows = [
        runs.item(1, "generate", prompt="Hello", follow_ups=["And then?"]),
        runs.item(2, "choice", prompt="Which?", choices=["a dog", "a cat"], answer=1),
        runs.item(3, "choice", prompt="Yes or no?", choices=["Yes", "no"], answer=1),
        runs.item(4, "flip", prompt="Sure?", accepts=["yes"]),
        runs.item(5, "pairs", better="An egg", worse="A dog"),
    ]
    snapshot = runs.write_snapshot(tmp_path / "s", test=rows)

    folder = prepared(run_folder, server, snapshot)
    result = runs.carry_out(folder)

    found = answers(folder)
    assert (found[1]["text"], found[1]["follow_ups"]) == ("I read: Hello", ["I read: And then?"])
    assert found[2]["text"] == (
        "I read: Which?\n\nA) a dog\nB) a cat\n\nAnswer with the letter of one choice."
    )
    assert found[2]["values"] == {}
    assert found[3]["text"] == "I read: Yes or no?"
    assert found[4]["follow_ups"] == ["I read: Are you sure?"]
    assert found[5]["missing"] == "An external model gives no likelihoods."
    assert (result.metrics["n_items"], result.metrics["n_missing"]) == (5, 1)
    roles = [message["role"] for body in server.asked for message in body["messages"]]
    assert "assistant" in roles
    assert {body["temperature"] for body in server.asked} == {0.0}


def test_an_item_that_gets_nonsense_has_no_answer_and_the_run_goes_on(
    run_folder: Path, server: Server, tmp_path: Path
) -> None:
    def reply(messages: list[dict[str, str]]) -> tuple[int, bytes]:
        nonsense = {
            "Question 1": b"<html>",
            "Question 2": b'{"choices": []}',
            "Question 3": b'{"choices": [{"message": {"content": null}}]}',
        }
        content = messages[-1]["content"]
        return (200, nonsense[content]) if content in nonsense else echo(messages)

    server.reply = reply
    folder = prepared(run_folder, server, generated(tmp_path / "s", 6))

    result = runs.carry_out(folder)

    found = answers(folder)
    assert {pk for pk, row in found.items() if row["missing"]} == {1, 2, 3}
    assert "did not answer as an OpenAI-compatible server does" in found[1]["missing"]
    assert "sent an answer without text" in found[2]["missing"]
    assert (result.outcome, result.metrics["n_missing"]) == ("succeeded", 3)
    asked = [body["messages"][-1]["content"] for body in server.asked]
    assert asked.count("Question 1") == remote.N_TRIES
    assert "3 of 6 items have no answer" in runs.notes(folder)


@pytest.mark.parametrize("reason", ["stop", "length", None])
@pytest.mark.parametrize("content", [None, "", "  \n"])
def test_an_answer_without_text_is_no_answer_whatever_its_reason(
    content: str | None, reason: str | None, run_folder: Path, server: Server, tmp_path: Path
) -> None:
    """An empty text would be scored, and read as a refusal."""
    message = {"role": "assistant", "content": content, "reasoning_content": "Let me think"}
    choice = {"index": 0, "message": message, "finish_reason": reason}
    body = json.dumps({"choices": [choice]}).encode()
    server.reply = lambda messages: (
        (200, body) if messages[-1]["content"] == "Question 1" else echo(messages)
    )

    result = runs.carry_out(prepared(run_folder, server, generated(tmp_path / "s", 3)))

    missing = answers(RunFolder(run_folder, 1))[1]["missing"]
    assert "sent an answer without text" in missing
    assert ("allow longer answers" in missing) == (reason == "length")
    assert result.metrics["n_missing"] == 1


def test_a_server_that_stops_fails_the_run_which_then_goes_on_where_it_was(
    run_folder: Path, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "MAX_FAILURES_IN_A_ROW", 6)
    server.reply = lambda messages: (
        echo(messages)
        if int(messages[-1]["content"].split()[1]) in range(10, 18)
        else (500, b'{"error": {"message": "gone"}}')
    )
    snapshot = generated(tmp_path / "s", 30)
    folder = prepared(run_folder, server, snapshot)

    with pytest.raises(
        endpoint.UnableToAnswer, match=r"no answer to 8 items in a row: .* 500: gone"
    ):
        runs.carry_out(folder)

    before = {pk for pk, row in answers(folder).items() if not row["missing"]}
    assert before == set(range(10, 18))
    server.reply, server.asked = echo, []
    again = prepared(run_folder, server, snapshot, attempt=2)
    result = runs.carry_out(again)

    asked = {int(body["messages"][-1]["content"].split()[1]) for body in server.asked}
    assert asked == set(range(30)) - before
    assert (result.metrics["n_items"], result.metrics["n_missing"]) == (30, 0)
    assert "Each item has an answer now." in runs.notes(again)
    assert len(list(run_dir.read_lines(run_folder / run_dir.ANSWERS))) == 30


def test_a_reward_model_scores_what_another_server_wrote(
    run_folder: Path, server: Server, tmp_path: Path, judging_run: RunFolder
) -> None:
    folder = prepared(
        run_folder,
        server,
        generated(tmp_path / "s", 3),
        replace(QUICK, dtype="float32"),
        reward_model=judging_run.path / "model",
    )

    result = runs.carry_out(folder)

    rewards = [row["values"]["reward"] for row in answers(folder).values()]
    assert result.metrics["reward"] == pytest.approx(sum(rewards) / 3)


def test_a_stop_is_heard_between_two_batches(
    run_folder: Path, server: Server, tmp_path: Path
) -> None:
    folder = prepared(run_folder, server, generated(tmp_path / "s", 12))

    def reply(messages: list[dict[str, str]]) -> tuple[int, bytes]:
        run_dir.request_stop(run_folder)
        return echo(messages)

    server.reply = reply

    result = runs.carry_out(folder)

    assert (result.outcome, result.answers, len(answers(folder))) == ("stopped", "answers.jsonl", 4)
