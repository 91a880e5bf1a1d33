"""A task of lm-evaluation-harness is uploaded in a browser, and a PPO run's page says how behaviour
changed: axe, and phones.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from playwright.sync_api import FilePayload, Page, expect

from accounts.models import User
from tests.training import cast
from tests.training.benchmarks.scorecards import rows
from training.benchmarks.scorecards import services
from training.configs import kinds
from training.models import Run, Suite, TrainedModel

Opener = Callable[..., Page]
TASK = b"""task: capitals
dataset_path: json
dataset_kwargs: {data_files: {test: rows.jsonl}}
test_split: test
output_type: multiple_choice
doc_to_text: "Question: {{ question }}\\nAnswer:"
doc_to_choice: ["Paris", "Rome"]
doc_to_target: answer
"""


def test_a_task_with_its_data_becomes_a_suite(
    open_page: Opener, noor: User, look_over: Callable[..., None], look_over_each: Any
) -> None:
    page = open_page("/suites/new/", noor, refusals=1)
    data = json.dumps({"question": "What is the capital of France?", "answer": 0}).encode()

    def upload(task: bytes) -> None:
        files: list[FilePayload] = [
            {"name": name, "mimeType": "text/plain", "buffer": content}
            for name, content in (("capitals.yaml", task), ("rows.jsonl", data))
        ]
        page.get_by_label("Files").set_input_files(files)
        page.get_by_role("button", name="Check files").click()

    page.get_by_label("Licence").fill("CC0-1.0")
    page.get_by_label("Version").fill("1")
    upload(TASK + b"process_results: !function mine.score\n")
    expect(page.get_by_text("because they run programs").first).to_be_visible()
    look_over(page, "task-problems-1440")
    upload(TASK)
    expect(page.get_by_text("What is the capital of France?")).to_be_visible()
    page.get_by_role("button", name="Save suite").click()
    expect(page.get_by_role("heading", name="capitals", level=1)).to_be_visible()
    address = f"/suites/{Suite.objects.get().pk}/"
    look_over_each(page, {"task": address}, widths=(1440, 390))


def test_a_ppo_runs_page_says_how_behaviour_changed(
    open_page: Opener, noor: User, look_over_each: Any
) -> None:
    run = cast.finished(cast.a_run(noor, state="running", n_points=400), "succeeded")
    config = kinds.as_json(kinds.PRESETS["ppo"]["balanced"])
    lengths = {"response_tokens_before": 41.25, "response_tokens_after": 64.5}
    Run.objects.filter(pk=run.pk).update(kind="ppo", config=config, metrics=lengths)
    tuned, _ = TrainedModel.objects.get_or_create(
        run=run, defaults={"name": "tuned", "kind": "policy", "location": "/models/tuned"}
    )
    for slug, n in (("are-you-sure", 40), ("are-you-really-sure", 30), ("new-one", 8)):
        content = {"accepts": ["yes"]}
        suite = rows.a_suite(slug, n=n, kind="flip", scorer="flip", area="honesty", content=content)
        _asked(run.base_model, suite, [place < 3 for place in range(n)], noor)
        if slug != "new-one":
            _asked(tuned, suite, [place < n // 3 for place in range(n)], noor)

    page = open_page(f"/runs/{run.pk}/", noor)
    expect(page.get_by_role("link", name="Run benchmark of")).to_be_visible()
    look_over_each(page, {"behaviour": f"/runs/{run.pk}/"}, widths=(1440, 390))


def _asked(model: TrainedModel, suite: Suite, gives_up: Sequence[bool], by: User) -> None:
    benchmark = rows.a_benchmark(model, [suite], by=by)
    items = suite.items.order_by("position")
    answers = [
        {"item": item.pk, "text": "yes", "follow_ups": ["no" if given_up else "yes"]}
        for item, given_up in zip(items, gives_up, strict=True)
    ]
    services.store_answers(run_id=benchmark.pk, attempt=1, rows=answers, now=rows.NOW)
    rows.ended(benchmark)
