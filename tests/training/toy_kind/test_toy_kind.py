"""A new kind of run is its config, its trainer and a line in the registry: docs/adding-a-kind.md
builds one, and here it goes from the form and the API through the child process to its page.
"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import User
from tests.api.conftest import client_with, secret_of
from tests.html import text_of
from tests.trainer import warm
from tests.training import toy_kind
from training.models import Run, Snapshot, TrainedModel
from training.runs.supervisor import supervise

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,  # each starts children
    pytest.mark.usefixtures("_installed"),
]
PROMPTS = ("Why is the sky blue?", "Name a fruit", "Explain how tides rise and fall")


@pytest.fixture
def _installed(settings: LazySettings) -> Iterator[None]:
    toy_kind.install()
    settings.TRAINER_COMMAND = [sys.executable, "-m", "tests.training.toy_kind.child"]
    yield
    toy_kind.remove()


@pytest.fixture(scope="module")
def warm_trainer() -> Iterator[list[str]]:
    with warm.serving(toy_kind.install) as command:
        yield command


@pytest.fixture
def prompts(make_snapshot: Callable[..., Snapshot]) -> Snapshot:
    rows = [
        {"id": n, "prompt_id": n, "prompt": [{"role": "user", "content": text}]}
        for n, text in enumerate(PROMPTS)
    ]
    return make_snapshot("prompts", n_rows=3, train="".join(f"{json.dumps(row)}\n" for row in rows))


@pytest.fixture
def researcher(signed_in: Callable[..., Client], noor: User) -> Client:
    return signed_in(noor)


def filled_in(snapshot: Snapshot, model: TrainedModel, **changes: Any) -> dict[str, Any]:
    """The form as a browser sends it."""
    values = {"name": "Words", "snapshot": snapshot.pk, "base_model": model.pk, "tags": ""}
    return values | {"short_below": 4, "max_prompts": "", "seed": 42, "dtype": "auto"} | changes


def started(client: Client, form: dict[str, Any]) -> Run:
    response = client.post("/runs/new/word-count/", form)
    assert response.status_code == 302, response.content.decode()
    return Run.objects.get()


def supervised(run: Run) -> Run:
    supervise.supervise(run_id=run.pk, node="node-1")
    run.refresh_from_db()
    return run


def test_the_menu_and_the_form_know_it(
    researcher: Client, prompts: Snapshot, base_model: TrainedModel
) -> None:
    menu, form = text_of(researcher, "/runs/"), text_of(researcher, "/runs/new/word-count/")

    assert 'href="/runs/new/word-count/"' in menu
    assert "Count words" in menu
    for words in ("Prompts to count", "Short below", "letters", "2 to 40."):
        assert words in form


def test_the_form_refuses_what_its_knobs_refuse(
    researcher: Client, prompts: Snapshot, base_model: TrainedModel
) -> None:
    form = filled_in(prompts, base_model, short_below=1)

    response = researcher.post("/runs/new/word-count/", form)

    assert response.status_code == 422
    assert response.context["form"].errors == {
        "short_below": ["Short below is “1” but must be between 2 and 40."]
    }


def test_a_run_goes_from_the_form_through_a_child_process_to_its_page(
    researcher: Client, prompts: Snapshot, base_model: TrainedModel
) -> None:
    run = supervised(started(researcher, filled_in(prompts, base_model)))

    page = text_of(researcher, f"/runs/{run.pk}/")

    assert (run.outcome, run.error, run.step) == ("succeeded", "", 3)
    assert run.metrics["n_words"] == sum(len(text.split()) for text in PROMPTS)
    assert run.estimate["n_steps"] == 3
    for words in ("Word count", "Counts", "Words in all", "Short words", "50 %"):
        assert words in page
    assert page.index("Words in all") < page.index("Short words") < page.index("Duration")
    assert "Length: 5 at first, 6 at last" in page
    assert not TrainedModel.objects.filter(run=run).exists()


def test_the_api_knows_it(noor: User, prompts: Snapshot, base_model: TrainedModel) -> None:
    client = client_with(secret_of(noor))
    body = {"kind": "word-count", "name": "By script", "snapshot": prompts.pk, "preset": "small"}
    body |= {"base_model": base_model.pk, "config": {"short_below": 5}}

    made = client.post("/api/v1/runs", body, content_type="application/json")

    assert made.status_code == 201, made.content
    assert made.json()["config"]["short_below"] == 5
    assert (
        client.get("/api/v1/runs?kind=word-count").json()["results"][0]["id"] == made.json()["id"]
    )


def test_a_dry_run_takes_two_steps(
    researcher: Client,
    prompts: Snapshot,
    base_model: TrainedModel,
    settings: LazySettings,
    warm_trainer: list[str],
) -> None:
    settings.TRAINER_COMMAND = warm_trainer
    run = supervised(started(researcher, filled_in(prompts, base_model, dry="1")))

    assert (run.outcome, run.step) == ("succeeded", 2)


def test_its_failure_is_a_sentence(
    researcher: Client,
    make_snapshot: Callable[..., Snapshot],
    base_model: TrainedModel,
    settings: LazySettings,
    warm_trainer: list[str],
) -> None:
    settings.TRAINER_COMMAND = warm_trainer
    run = supervised(started(researcher, filled_in(make_snapshot("prompts"), base_model)))

    assert (run.outcome, run.error) == (
        "failed",
        "The snapshot has no prompt to train on. Choose another snapshot.",
    )


ROOMS = ("accounts", "config", "jobs", "knobs", "labeling", "pages", "training")


def test_no_other_file_of_the_product_names_it(settings: LazySettings) -> None:
    root = Path(settings.BASE_DIR)
    product = [
        path
        for folder in (*ROOMS, "templates")
        for path in (root / folder).rglob("*.*")
        if path.suffix in (".py", ".html")
    ]

    assert len(product) > 100
    for path in product:
        text = path.read_text(encoding="utf-8")
        assert "word-count" not in text, path
        assert "word_count" not in text, path


@pytest.mark.parametrize("file", [toy_kind.CONFIG, toy_kind.TRAINER], ids=["config", "trainer"])
def test_the_documentation_builds_this_very_kind(file: Path, settings: LazySettings) -> None:
    page = (Path(settings.BASE_DIR) / "docs" / "adding-a-kind.md").read_text(encoding="utf-8")

    assert f"```python\n{file.read_text(encoding='utf-8')}```" in page
