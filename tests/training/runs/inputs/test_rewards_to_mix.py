"""The rewards of a GRPO run: the form shows them row by row, and says what does not go together."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tests.api.conftest import client_with, secret_of
from tests.html import text_of
from tests.training import cast
from training.configs import kinds
from training.configs.cost.sizes import Inputs, Rows, Shape
from training.configs.online import rewards
from training.configs.online.grpo import GrpoConfig
from training.models import Run

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]


def sent(noor: User, *, snapshot: str = "demonstrations", **changes: Any) -> dict[str, Any]:
    """What a browser sends: no value for a flag that is not ticked, empty text for nothing."""
    values = kinds.as_json(kinds.PRESETS["grpo"]["small"])
    filled = {name: "" if value is None else value for name, value in values.items()}
    about = {
        "name": "Try out",
        "base_model": cast.a_model(noor).pk,
        "snapshot": cast.a_snapshot(noor, kind=snapshot).pk,
    }
    return {name: value for name, value in filled.items() if value is not False} | about | changes


def answer(client: Client, data: dict[str, Any]) -> str:
    return client.post("/runs/new/grpo/", data).content.decode()


def test_every_reward_has_a_row_with_its_weight_and_parameters(
    signed_in: SignIn, noor: User
) -> None:
    cast.a_model(noor)
    cast.a_snapshot(noor)

    text = text_of(signed_in(noor), "/runs/new/grpo/")

    rows = text.split("<fieldset")[1:]
    for name, about in rewards.ABOUT.items():
        (row,) = (part for part in rows if f'name="{name}_weight"' in part)
        assert about.words in row
        assert all(f'name="{field}"' in row for field in about.fields)
    assert all(text.count(f'name="{knob.name}"') == 1 for knob in kinds.knobs("grpo"))


def test_a_mix_of_rules_is_queued_without_a_reward_model(signed_in: SignIn, noor: User) -> None:
    pattern = r"  \d+ %"
    data = sent(noor, exact_weight=1, pattern_weight="0.5", pattern=pattern, length_weight="-0.1")

    signed_in(noor).post("/runs/new/grpo/", data)

    run = Run.objects.get()
    assert run.reward_model is None
    assert run.config["pattern"] == pattern
    assert (run.config["exact_weight"], run.config["length_weight"]) == (1.0, -0.1)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model_weight": 0}, "Every weight is 0, so nothing is rewarded."),
        ({}, "There is nothing to reward. Choose a reward model, or weigh a rule."),
        ({"pattern_weight": 1}, "The pattern has a weight but is empty."),
        (
            {"pattern_weight": 1, "pattern": "a(b"},
            "“a(b” is not a regular expression that RE2 accepts: missing ): a(b.",
        ),
        ({"pattern_weight": 1, "pattern": "(?=a)"}, "that RE2 accepts: invalid perl operator"),
        ({"pattern_weight": 1, "pattern": "(a{1000}){1000}"}, "that RE2 accepts: "),
        ({"pattern_weight": 1, "pattern": "a" * 501}, "at most 500 characters"),
        ({"pattern_weight": 1, "pattern": "a\nb"}, "must have no line feeds"),
        ({"exact_weight": "lots"}, "Weight: exact answer is “lots” but must be a number."),
        ({"length_weight": 1, "max_length": 0}, "Length is “0” but must be between 1 and 16384."),
        ({"format_weight": 1, "format": "verse"}, "verse"),
        ({"format_weight": 1, "loss": "luspo"}, "LUSPO needs the probability ratio per response."),
        (
            {"format_weight": 1, "n_passes": 3},
            "5 steps must be a multiple of the passes (3).",
        ),
    ],
)
def test_what_cannot_be_used_gets_a_sentence(
    signed_in: SignIn, noor: User, changes: dict[str, Any], sentence: str
) -> None:
    text = answer(signed_in(noor), sent(noor, **changes))

    assert sentence in text.replace("&#x27;", "'")
    assert not Run.objects.exists()


@pytest.mark.parametrize("rule", rewards.WITH_REFERENCE)
def test_a_rule_without_reference_answers_says_where_they_come_from(
    signed_in: SignIn, noor: User, rule: str
) -> None:
    data = sent(noor, snapshot="prompts", **{f"{rule}_weight": 1})

    text = answer(signed_in(noor), data)

    assert "need reference answers, and a snapshot of prompts has none." in text
    assert not Run.objects.exists()


def test_a_reward_model_that_is_not_used_says_so(signed_in: SignIn, noor: User) -> None:
    judge = cast.a_model(noor, "judge", kind="reward")
    data = sent(noor, reward_model=judge.pk, model_weight=0, format_weight=1)

    text = answer(signed_in(noor), data)

    assert "The reward model is not used while its weight is 0." in text
    assert not Run.objects.exists()


def test_the_api_takes_the_same_settings_and_says_the_same(noor: User) -> None:
    model, snapshot = cast.a_model(noor), cast.a_snapshot(noor, kind="prompts")
    body = {
        "kind": "grpo",
        "name": "By rule",
        "snapshot": snapshot.pk,
        "base_model": model.pk,
        "config": {"pattern_weight": 1, "pattern": "("},
    }
    client = client_with(secret_of(noor))

    refused = client.post("/api/v1/runs", body, content_type="application/json")
    body["config"] = {"pattern_weight": 1, "pattern": "yes"}
    queued = client.post("/api/v1/runs", body, content_type="application/json")

    assert refused.status_code in (400, 409, 422)
    assert "that RE2 accepts: missing )" in refused.content.decode()
    assert queued.status_code == 201
    assert Run.objects.get().config["pattern"] == "yes"


def test_passes_multiply_the_steps_and_an_optional_reward_model_its_memory() -> None:
    rows = Rows(
        n_rows=64, n_prompts=64, n_pairs=0, n_held_out=8, prompt_tokens=20, response_tokens=9
    )
    shape = Shape(n_parameters=1000, hidden=8, n_layers=2, vocabulary=100, kv_width=8, projected=50)
    once = GrpoConfig(n_responses=4, batch_size=8, accumulation=1)
    twice = GrpoConfig(n_responses=4, batch_size=8, accumulation=1, n_passes=2)

    assert once.work(rows, Inputs())[0] == 32
    assert twice.work(rows, Inputs())[0] == 64
    assert once.n_frozen(shape, {}) == 1000
    assert once.n_frozen(shape, {"reward_model": shape}) == 2000
