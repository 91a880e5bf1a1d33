"""The suites of a benchmark run: in its form, its estimate and the API, and which models can answer
them.
"""

import json
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests.html import page_of, text_of
from tests.training import cast
from tests.training.benchmarks.tiny_suites import tiny_suite
from tests.training.conftest import NOW
from training.benchmarks.suites import services as suites_services
from training.configs import kinds
from training.models import BenchmarkAnswer, Endpoint, Run, Snapshot, Suite, TrainedModel
from training.runs import run_queue
from training.runs.estimates import costs
from training.runs.run_queue import UnableToQueue
from training.runs.views import archive

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]
URL = "/runs/new/benchmark/"


def form_data(*suites: Suite, **changes: Any) -> dict[str, Any]:
    values = kinds.as_json(kinds.PRESETS["benchmark"]["small"])
    sent = {
        name: "" if value is None else value for name, value in values.items() if value is not False
    }
    return sent | {"name": "Try out", "suites": [suite.pk for suite in suites]} | changes


def chosen(html: str) -> dict[int, bool]:
    """The suites that the form offers, and whether each is chosen."""
    boxes = re.findall(r'<input type="checkbox" name="suites"[^>]*>', html)
    values = {re.search(r'value="(\d+)"', box): "checked" in box for box in boxes}
    return {int(value[1]): is_chosen for value, is_chosen in values.items() if value}


def queued(by: User, model: TrainedModel, *suites: Suite, **given: Any) -> Run:
    return run_queue.queue_run(
        kind="benchmark",
        name="Benchmark",
        config={},
        snapshot=suites_services.suites_snapshot(suites=suites, by=by, now=NOW),
        base_model=model,
        by=by,
        now=NOW,
        **given,
    )


def test_the_form_offers_suites_by_area_and_no_snapshot(signed_in: SignIn, noor: User) -> None:
    cast.a_model(noor)
    suite, other = tiny_suite("choice"), tiny_suite("pairs")
    retired = tiny_suite("flip")
    Suite.objects.filter(pk=retired.pk).update(retired_at=NOW)

    html = text_of(signed_in(noor), f"{URL}?suite={suite.pk}")

    assert 'name="snapshot"' not in html
    assert chosen(html) == {suite.pk: True, other.pk: False}
    assert re.findall(r'role="group" aria-label="([^"]*)"', html) == [
        "Capability",
        "Reward models",
    ]
    assert html.count("Tiny choice 1 · 2 items") == 1


def test_without_suites_the_form_says_where_to_get_some(signed_in: SignIn, noor: User) -> None:
    cast.a_model(noor)

    html = text_of(signed_in(noor), URL)

    assert "Add a suite first" in html
    assert 'href="/suites/"' in html


def test_the_form_freezes_the_chosen_suites_once(signed_in: SignIn, noor: User) -> None:
    model, one, other = cast.a_model(noor), tiny_suite("choice"), tiny_suite("generate")
    client = signed_in(noor)

    for _time in range(2):
        client.post(URL, form_data(one, other, base_model=model.pk))

    first, second = Run.objects.order_by("pk")
    assert first.snapshot == second.snapshot
    assert [suite["suite"] for suite in first.snapshot.card["suites"]] == [one.pk, other.pk]
    assert first.state == "queued"


def test_a_form_without_a_suite_is_refused(signed_in: SignIn, noor: User) -> None:
    model = cast.a_model(noor)
    tiny_suite("choice")

    response = signed_in(noor).post(URL, form_data(base_model=model.pk))

    assert response.status_code == 422
    assert "Choose at least one suite." in response.content.decode()
    assert not Snapshot.objects.exists()


def test_a_copy_of_a_run_has_its_suites_chosen(signed_in: SignIn, noor: User) -> None:
    suite = tiny_suite("choice")
    tiny_suite("pairs")
    run = queued(noor, cast.a_model(noor), suite)

    html = text_of(signed_in(noor), f"{URL}?from={run.pk}")

    assert [pk for pk, is_chosen in chosen(html).items() if is_chosen] == [suite.pk]


def test_a_preset_keeps_the_chosen_suites(signed_in: SignIn, noor: User) -> None:
    model, one, other = cast.a_model(noor), tiny_suite("choice"), tiny_suite("pairs")

    response = signed_in(noor).post(URL, form_data(one, other, base_model=model.pk, preset="small"))

    assert list(chosen(page_of(response)).values()) == [True, True]


def test_the_estimate_needs_no_snapshot(signed_in: SignIn, noor: User) -> None:
    model, suite = cast.a_model(noor), tiny_suite("choice")

    html = signed_in(noor).post(f"{URL}cost", form_data(suite, base_model=model.pk))

    assert html.status_code == 200
    assert not Snapshot.objects.exists()
    found = costs.forecast(
        kind="benchmark",
        config=kinds.KINDS["benchmark"](),
        snapshot=suites_services.suites_snapshot(suites=[suite], by=noor, now=NOW),
        base_model=model,
        now=NOW,
    )
    assert (found.cost.n_steps, found.cost.n_tokens > 0) == (1, True)


def test_the_name_proposed_says_whose_benchmark_it_is(signed_in: SignIn, noor: User) -> None:
    model = cast.a_model(noor)
    tiny_suite("choice")

    html = text_of(signed_in(noor), f"{URL}?base_model={model.pk}")

    assert 'value="Benchmark of SmolLM2-135M-Instruct, ' in html


def test_a_models_page_has_a_button_for_it(signed_in: SignIn, noor: User) -> None:
    policy, judge = cast.a_model(noor), cast.a_model(noor, "Judge", kind="reward")

    for model in (policy, judge):
        html = text_of(signed_in(noor), f"/models/{model.pk}/")
        assert f'href="{URL}?base_model={model.pk}"' in html


@pytest.mark.parametrize("kind", ["choice", "generate", "flip"])
def test_a_reward_model_answers_no_suite_that_needs_writing(noor: User, kind: str) -> None:
    judge = cast.a_model(noor, "Judge", kind="reward")

    with pytest.raises(UnableToQueue, match="A reward model writes no text"):
        queued(noor, judge, tiny_suite(kind))


@pytest.mark.parametrize("kind", ["pairs", "best-of-k"])
def test_a_reward_model_is_tested_on_pairs_and_on_the_best_of_several(
    noor: User, kind: str
) -> None:
    judge = cast.a_model(noor, "Judge", kind="reward")

    assert queued(noor, judge, tiny_suite(kind)).state == "queued"


def test_no_reward_model_scores_a_reward_model(noor: User) -> None:
    judge, other = (cast.a_model(noor, name, kind="reward") for name in ("Judge", "Other"))

    with pytest.raises(UnableToQueue, match="does not score a reward model"):
        queued(noor, judge, tiny_suite("pairs"), models={"reward_model": other})


def test_an_external_model_writes_answers_and_judges_no_pairs(noor: User) -> None:
    model = cast.a_model(noor)
    Endpoint.objects.create(model=model, url="http://127.0.0.1:9/v1", served_name="other")
    model = TrainedModel.objects.get(pk=model.pk)

    assert queued(noor, model, tiny_suite("generate"), tiny_suite("choice")).state == "queued"
    with pytest.raises(UnableToQueue, match="An external model gives no likelihoods"):
        queued(noor, model, tiny_suite("pairs"))


def test_the_api_takes_suites_by_id_or_by_slug(signed_in: SignIn, noor: User) -> None:
    model, one = cast.a_model(noor), tiny_suite("choice")
    tiny_suite("pairs", version="1")
    newest = tiny_suite("pairs", version="2")
    client = signed_in(noor)
    body = {"kind": "benchmark", "name": "By API", "base_model": model.pk}

    made = client.post(
        "/api/v1/runs",
        body | {"suites": [one.pk, "tiny-pairs"]},
        content_type="application/json",
    )

    assert made.status_code == 201, made.content
    run = Run.objects.get(pk=made.json()["id"])
    assert [suite["suite"] for suite in run.snapshot.card["suites"]] == [one.pk, newest.pk]


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({}, "snapshot", "required"),
        ({"suites": []}, "suites", "at least 1"),
        ({"suites": ["unknown"]}, "suites", "There is no suite “unknown”."),
        (
            {"suites": ["tiny-choice"], "kind": "sample"},
            "suites",
            "Only benchmarks and attacks take suites.",
        ),
    ],
)
def test_the_api_says_which_suites_it_cannot_take(
    signed_in: SignIn, noor: User, changes: dict[str, Any], field: str, words: str
) -> None:
    tiny_suite("choice")
    body = {"kind": "benchmark", "name": "By API", "base_model": cast.a_model(noor).pk}

    made = signed_in(noor).post("/api/v1/runs", body | changes, content_type="application/json")

    assert made.status_code == 400
    assert words in str(made.json()["errors"][field])


def test_the_api_estimates_a_benchmark(signed_in: SignIn, noor: User) -> None:
    tiny_suite("choice")
    body = {"kind": "benchmark", "base_model": cast.a_model(noor).pk, "suites": ["tiny-choice"]}

    found = signed_in(noor).post("/api/v1/runs/estimate", body, content_type="application/json")

    assert (found.status_code, found.json()["n_steps"]) == (200, 1)
    assert not Snapshot.objects.exists()


def test_a_finished_benchmark_has_a_page(signed_in: SignIn, noor: User) -> None:
    run = queued(noor, cast.a_model(noor), tiny_suite("choice"))
    Run.objects.filter(pk=run.pk).update(
        state="finished",
        outcome="succeeded",
        metrics={"n_items": 2, "n_missing": 1, "items_per_s": 3.5, "seconds": 4.0},
        finished_at=timezone.now(),
    )

    html = text_of(signed_in(noor), f"/runs/{run.pk}/")

    assert "Items without an answer" in html


def test_the_archive_of_a_run_has_its_answers(noor: User) -> None:
    suite = tiny_suite("choice")
    run = queued(noor, cast.a_model(noor), suite)
    item = suite.items.first()
    assert item is not None
    BenchmarkAnswer.objects.create(run=run, item=item, text="Paris", is_ended=True)

    with archive.archive(run) as file, zipfile.ZipFile(file) as packed:
        lines = packed.read(f"run-{run.pk}/answers.jsonl").decode().splitlines()

    assert [(row["item"], row["text"]) for row in map(json.loads, lines)] == [(item.pk, "Paris")]


def test_a_finished_benchmark_leads_to_the_scorecard(signed_in: SignIn, noor: User) -> None:
    model = cast.a_model(noor)
    run = queued(noor, model, tiny_suite("choice"))
    Run.objects.filter(pk=run.pk).update(
        state="finished", outcome="succeeded", finished_at=timezone.now()
    )

    html = text_of(signed_in(noor), f"/runs/{run.pk}/")

    assert f'href="/models/{model.pk}/scorecard/"' in html
    assert "See the scorecard" in html
