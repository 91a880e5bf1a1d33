"""A researcher tries models in Chromium: a tiny model on a real worker and another server; then
saves an answer.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from playwright.sync_api import Page, Route, expect

from accounts.models import User
from labeling.models import Demonstration
from tests.trainer.tiny import build_tiny_model
from tests.training import cast
from tests.training.conftest import NOW
from tests.training.playground.openai_stub import Stub, openai_stub
from tests.training.playground.test_trying import is_there
from tests.training.runs.processes import Processes, processes, until
from training.playground.chat_protocol import Channel
from training.registry import endpoints
from training.registry import services as registry_services

Opener = Callable[..., Page]


@pytest.fixture
def stub() -> Iterator[Stub]:
    with openai_stub() as running:
        yield running


@pytest.fixture
def worker(tmp_path: Path, settings: LazySettings, transactional_db: None) -> Iterator[Processes]:
    settings.ENDPOINT_HOSTS = ["127.0.0.1"]
    with processes(tmp_path) as running:
        running.start_models_worker(settings.REDIS_URL, PREFERABLY_ENDPOINT_HOSTS="127.0.0.1")
        until(is_there, "the worker announces itself")
        yield running
    with Channel() as channel:
        for name in channel.workers():
            channel.remove_worker(worker=name)


def test_two_models_are_tried_stopped_and_an_answer_is_kept(
    open_page: Opener,
    look_over: Callable[..., None],
    worker: Processes,
    stub: Stub,
    noor: User,
    tmp_path: Path,
) -> None:
    folder = str(build_tiny_model(tmp_path / "tiny"))
    tiny = registry_services.register_model(
        name="tiny", kind="policy", location=folder, licence="MIT", by=noor, now=NOW
    )
    theirs = endpoints.register_endpoint(
        name="echo", url=stub.url, served_name="echo", licence="MIT", by=noor, now=NOW
    )
    page = open_page(f"/models/try/?model={tiny.pk}&model={theirs.pk}", noor)
    left, right = page.locator("[data-pane]").nth(0), page.locator("[data-pane]").nth(1)

    page.get_by_label("Max response length").fill("12")
    page.get_by_label("Message").fill("one two three")
    page.get_by_role("button", name="Ask").click()
    expect(right.locator("[data-role=assistant] .turn-text")).to_have_text("three two one")
    expect(left.locator(".turn-facts")).to_contain_text("tokens", timeout=120_000)
    look_over(page, "model-try")

    stub.holds.clear()
    page.get_by_label("Message").fill("four five")
    page.keyboard.press("Control+Enter")
    expect(right.locator("[data-role=assistant] .turn-text").nth(1)).to_have_text("five")
    page.keyboard.press("Escape")
    expect(right.locator(".turn-facts").nth(1)).to_contain_text("stopped")
    stub.holds.set()
    assert [turn["content"] for turn in stub.asked[1]["messages"]] == [
        "one two three",
        "three two one",
        "four five",
    ]

    with page.context.expect_page() as opened:
        right.get_by_role("button", name="Save as demonstration").first.click()
    kept = opened.value
    expect(kept.get_by_label("Answer")).to_have_value("three two one")
    kept.get_by_label("Licence").fill("CC-BY-4.0")
    look_over(kept, "model-keep")
    kept.get_by_role("button", name="Save demonstration").click()
    expect(kept.get_by_role("heading", name="Saved")).to_be_visible()
    assert Demonstration.objects.get().text == "three two one"

    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".turn")).to_have_count(0)


def test_nothing_is_asked_before_the_script_that_takes_it_is_there(
    open_page: Opener, noor: User
) -> None:
    registry_services.register_model(
        name="tiny", kind="policy", location="someone/tiny", licence="MIT", by=noor, now=NOW
    )
    held: list[Route] = []
    page = open_page("/models/", noor)
    page.route("**/models/try*.js", lambda route: held.append(route))
    with Channel() as channel:
        channel.record_worker(worker="here")
        page.goto("/models/try/")
        channel.remove_worker(worker="here")
    ask, box = page.get_by_role("button", name="Ask"), page.get_by_label("Message")
    expect(ask).to_be_disabled()
    expect(box).not_to_be_editable()

    held[0].continue_()
    expect(ask).to_be_enabled()
    expect(box).to_be_editable()


def test_a_models_pages_pass_axe_and_fit_a_phone(
    open_page: Opener, look_over_each: Callable[..., None], noor: User
) -> None:
    run = cast.finished(cast.a_run(noor, state="running", n_points=10), "succeeded")
    model = run.trained_model

    paths = {
        "model": f"/models/{model.pk}/",
        "model-edit": f"/models/{model.pk}/edit/?begin",
        "model-responses": f"/models/{model.pk}/responses/",
        "model-endpoint": "/models/endpoints/new/",
        "model-try-empty": "/models/try/",
    }
    look_over_each(open_page("/models/", noor), paths, widths=(1440, 390))
