"""Thinking and tool calls once round the site: from a file over a rater's keys, a model that learns
them and says them again, to files that `datasets` loads with what went in.
"""

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from datasets import load_dataset
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.data.exports import jobs as exports_jobs
from labeling.data.imports import services as imports_services
from labeling.models import Campaign, Export, Guideline, Import, Prompt, Rater
from tests.browser.desk.hands import press, rate_all
from tests.browser.test_by_keys_alone import go_to
from tests.cast import NOON, PASSWORD
from tests.trainer import tiny
from tests.trainer.warm.trainer import warm_trainer  # noqa: F401  # a fixture
from tests.training.conftest import own_folders  # noqa: F401  # a fixture
from tests.training.snapshots.test_thinking_and_tools import (
    JUDGING,
    REWARDING,
    SAMPLING,
    TEACHING,
    TOOLS,
    call,
)
from training.configs import kinds
from training.configs.knobs import Settings
from training.models import Run, Snapshot, TrainedModel
from training.registry import services as registry_services
from training.runs import run_queue
from training.runs.supervisor import supervise

OpenPage = Callable[..., Page]
Row = dict[str, Any]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("warm_trainer", "empty_queue"),
]

THINKS = "Nobody told me."
QUESTIONS = (
    "Is it raining in Oslo today?",
    "Do I need an umbrella for the harbour?",
    "How warm will the evening be up north?",
    "Which clouds are over the fjord now?",
)
GOOD = {
    "role": "assistant",
    "content": "I look.",
    "reasoning_content": THINKS,
    "tool_calls": [call("Oslo")],
}
PAIR = ("prompt", "chosen", "rejected", "tools")
ANSWER = ("prompt", "completion", "tools")
BAD = GOOD | {"reasoning_content": "Any town will do.", "tool_calls": [call("Rome")]}


def rows() -> tuple[list[Row], list[Row]]:
    """TRL's pairs, and OpenAI's messages with arguments that are JSON in a string."""
    asked = [[{"role": "user", "content": question}] for question in QUESTIONS]
    sent = {"name": "sky", "arguments": json.dumps({"city": "Oslo"})}
    answer = GOOD | {"tool_calls": [call("Oslo") | {"function": sent}]}
    pairs: list[Row] = [
        {"prompt": prompt, "chosen": [GOOD], "rejected": [BAD], "tools": TOOLS} for prompt in asked
    ]
    written: list[Row] = [{"messages": [*prompt, answer], "tools": TOOLS} for prompt in asked]
    return pairs, written


@pytest.fixture
def base(noor: User, tmp_path: Path) -> TrainedModel:
    folder = tiny.build_tiny_model(tmp_path / "base-1", template=tiny.THINKING_TEMPLATE)
    return registry_services.register_model(
        name="tiny", kind="policy", location=str(folder), licence="MIT", by=noor, now=NOON
    )


def test_what_went_in_is_ranked_learned_said_again_and_comes_out(
    alice: User,
    noor: User,
    rosa: Rater,
    guideline: Guideline,
    base: TrainedModel,
    open_page: OpenPage,
    settings: LazySettings,
    tmp_path: Path,
) -> None:
    settings.UPLOADS_DIR, settings.EXPORTS_DIR = tmp_path / "uploads", tmp_path / "exports"
    pairs, written = rows()
    admin = open_page("/prompts/imports/new/", alice)
    imported(admin, [*pairs, *written], tmp_path)
    campaign = opened(admin)

    ranked_by_keys(open_page("/account/login/"), rosa, n=len(pairs))

    researcher = open_page("/snapshots/", noor)
    demonstrations = frozen(researcher, "demonstrations")
    # Three rows make as many steps as six rows two at a time.
    teaching = replace(TEACHING, batch_size=1)
    taught = ended("sft", teaching, demonstrations, base, noor)
    comparisons = frozen(researcher, "comparisons", "Weather")
    judge = ended("reward", JUDGING, comparisons, base, noor).trained_model
    prompts = frozen(researcher, "prompts")
    rewarded = ended("grpo", REWARDING, prompts, taught.trained_model, noor, reward_model=judge)
    policy = rewarded.trained_model
    sampled = ended("sample", SAMPLING, prompts, policy, noor, reward_model=judge)
    best = frozen(researcher, "demonstrations", sampled.name)

    assert parts_of(exported(admin, campaign, tmp_path), *PAIR) == parts_of(pairs, *PAIR)
    learned = in_training(written)
    assert learned != []
    for snapshot in (demonstrations, best):
        assert parts_of(downloaded(researcher, snapshot, tmp_path), *ANSWER) == learned


def imported(page: Page, lines: list[Row], folder: Path) -> None:
    file = folder / "weather.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("textbox", name="Source").fill("our weather")
    page.get_by_role("textbox", name="Licence").fill("CC0-1.0")
    page.get_by_label("Import human replies").check()
    page.get_by_role("button", name="Start import").click()
    expect(page.locator("#import")).to_have_attribute("data-state", "queued")
    imports_services.IMPORTS.run(Import.objects.get().pk, clock=timezone.now)
    expect(page.locator("#import")).to_have_attribute("data-state", "published")


def opened(page: Page) -> Campaign:
    """A campaign that compares the imported responses and shows their thinking."""
    page.goto("/campaigns/new/")
    page.get_by_label("name").fill("Weather")
    page.get_by_text("Compare responses", exact=True).click()
    page.get_by_label("pool").select_option("Day shift")
    page.get_by_label("guideline").select_option("Helpful answers")
    page.get_by_label("Responses per item").fill("2")
    thinking = page.get_by_label("Raters see the thinking")
    page.locator("details", has=thinking).locator("summary").click()
    thinking.check()
    page.get_by_role("button", name="Create campaign").click()
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    return Campaign.objects.get(name="Weather")


def ranked_by_keys(page: Page, rater: Rater, *, n: int) -> None:
    """From the log-in on, without a mouse. In the first item the rater opens the calls, and reads
    which of the responses asks for the right town.
    """
    assert rater.user is not None
    page.keyboard.type(rater.user.email)
    go_to(page, "Password")
    page.keyboard.type(PASSWORD)
    press(page, "Enter")
    page.wait_for_url("**/desk/")
    go_to(page, "Start")
    press(page, "Enter")
    for number in range(n):
        page.wait_for_selector(".desk[data-mounted]")
        address = page.url
        cards = page.locator(".desk-response")
        for name in ("Thinking", "Calls sky") if number == 0 else ():
            part = cards.first.locator("details", has_text=name)
            expect(part.locator(".folded-text")).to_be_hidden()
            go_to(page, name)
            press(page, "Enter")
            expect(part.locator(".folded-text")).to_be_visible()
        ranks = ["1" if "Oslo" in text else "2" for text in cards.all_text_contents()]
        press(page, "a")
        rate_all(page, *(7 if rank == "1" else 2 for rank in ranks))
        press(page, "a", *ranks, "Control+Enter")
        expect(page.locator("[data-review]")).to_be_visible()
        press(page, "Control+Enter")
        expect(page).not_to_have_url(address)


def frozen(page: Page, kind: str, *ticked: str) -> Snapshot:
    """A snapshot through its form; of a campaign or run, without what was imported."""
    page.goto(f"/snapshots/new/?kind={kind}")
    name = f"{kind} {Snapshot.objects.count()}"
    page.get_by_label("Name").fill(name)
    if ticked:
        page.get_by_label("Include imported answers").uncheck()
    for choice in ticked:
        page.get_by_label(choice).check()
    page.get_by_role("button", name="Create snapshot").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    return Snapshot.objects.get(name=name)


def ended(
    kind: str,
    config: Settings,
    snapshot: Snapshot,
    base: TrainedModel,
    by: User,
    **models: TrainedModel,
) -> Run:
    run = run_queue.queue_run(
        kind=kind,
        name=f"{kind} on the weather",
        config=kinds.as_json(config),
        snapshot=snapshot,
        base_model=base,
        models=models,
        by=by,
        now=timezone.now(),
    )
    supervise.supervise(run_id=run.pk, node="here")
    run = Run.objects.get(pk=run.pk)
    assert (run.outcome, run.error) == ("succeeded", ""), run.log_tail
    return run


def exported(page: Page, campaign: Campaign, folder: Path) -> list[Row]:
    """The campaign's pairs, as the admin gets them and `datasets` loads them."""
    page.goto(f"/campaigns/{campaign.pk}/export/")
    page.get_by_label("Pairs", exact=True).check()
    page.locator("[name=file_format]").select_option("parquet")
    page.get_by_role("button", name="Create export").click()
    exports_jobs.EXPORTS.run(Export.objects.get().pk, clock=timezone.now)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        files = [name for name in archive.namelist() if name.endswith(".parquet")]
        return [row for name in files for row in loaded(archive.read(name), folder)]


def downloaded(page: Page, snapshot: Snapshot, folder: Path) -> list[Row]:
    """Training rows of a snapshot, from the API."""
    answer = page.request.get(f"/api/v1/snapshots/{snapshot.pk}/file?split=train&file_format=jsonl")
    return loaded(answer.body(), folder)


def loaded(content: bytes, folder: Path) -> list[Row]:
    is_parquet = content.startswith(b"PAR1")
    path = folder / f"rows-{len(list(folder.iterdir()))}"
    path.write_bytes(content)
    return list(
        load_dataset(
            "parquet" if is_parquet else "json",
            data_files=str(path),
            split="train",
            cache_dir=str(folder / "cache"),
        )
    )


def in_training(written: list[Row]) -> list[Row]:
    """What the imported messages are as prompt and completion, without those that are held out."""
    prompts = Prompt.objects.filter(split="train").values_list("messages", flat=True)
    rows = [
        {"prompt": line["messages"][:1], "completion": [GOOD], "tools": TOOLS} for line in written
    ]
    return parts_of([row for row in rows if row["prompt"] in prompts], *ANSWER)


def parts_of(lines: list[Row], *names: str) -> list[Row]:
    return sorted(
        ({name: line[name] for name in names} for line in lines), key=lambda row: str(row["prompt"])
    )
