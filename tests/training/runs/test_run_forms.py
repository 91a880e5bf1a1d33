"""The form of a new run through HTTP: what is chosen already, and what it refuses."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import User
from tests.html import text_of
from tests.training import cast
from training.configs import kinds
from training.models import Run, TrainedModel

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]


def form_data(kind: str = "sft", preset: str = "small", **changes: Any) -> dict[str, Any]:
    """What a browser sends: no value for a flag that is not ticked, empty text for nothing."""
    values = kinds.as_json(kinds.PRESETS[kind][preset])
    sent = {
        name: "" if value is None else value for name, value in values.items() if value is not False
    }
    return sent | {"name": "Try out"} | changes


def test_without_a_snapshot_the_form_gives_way_to_the_first_thing_to_do(
    signed_in: SignIn, noor: User
) -> None:
    text = text_of(signed_in(noor), "/runs/new/reward/")

    assert "Create a snapshot first" in text
    assert 'href="/snapshots/new/?kind=comparisons"' in text


@pytest.mark.parametrize("kind", ["sft", "reward", "ppo", "sample"])
def test_every_setting_of_a_kind_is_in_its_form(signed_in: SignIn, noor: User, kind: str) -> None:
    cast.a_model(noor)
    cast.a_snapshot(
        noor, kind={"sft": "demonstrations", "reward": "comparisons"}.get(kind, "prompts")
    )

    text = text_of(signed_in(noor), f"/runs/new/{kind}/")

    assert all(f'name="{knob.name}"' in text for knob in kinds.knobs(kind))


def test_a_limit_below_zero_has_a_minus_and_no_hyphen(signed_in: SignIn, noor: User) -> None:
    cast.a_model(noor)
    cast.a_snapshot(noor, kind="prompts")

    text = text_of(signed_in(noor), "/runs/new/grpo/")

    assert '<span class="nowrap range">−100 to 100.</span>' in text
    assert "-100 to" not in text


def test_the_only_model_and_the_only_snapshot_are_chosen_already(
    signed_in: SignIn, noor: User
) -> None:
    model, snapshot = cast.a_model(noor), cast.a_snapshot(noor)
    client = signed_in(noor)

    alone = text_of(client, "/runs/new/sft/")
    cast.a_model(noor, name="Another")
    cast.a_snapshot(noor, name="Another")
    with_others = text_of(client, "/runs/new/sft/")

    assert f'<option value="{model.pk}" selected>' in alone
    assert f'<option value="{snapshot.pk}" selected>' in alone
    assert f'<option value="{model.pk}" selected>' not in with_others
    assert f'<option value="{snapshot.pk}" selected>' not in with_others


def test_a_form_as_the_browser_sends_it_queues_the_run(signed_in: SignIn, noor: User) -> None:
    model, snapshot = cast.a_model(noor), cast.a_snapshot(noor)

    response = signed_in(noor).post(
        "/runs/new/sft/", form_data(base_model=model.pk, snapshot=snapshot.pk)
    )

    run = Run.objects.get()
    assert response.headers["Location"] == f"/runs/{run.pk}/"
    assert (run.state, run.created_by) == ("queued", noor)
    assert run.config == kinds.as_json(kinds.PRESETS["sft"]["small"])


def test_the_form_of_ppo_takes_a_watchdog_and_the_page_names_it(
    signed_in: SignIn, noor: User
) -> None:
    judge, watchdog = (
        TrainedModel.objects.create(name=name, kind="reward", location=f"/{name}")
        for name in ("Judge", "Fido")
    )
    about: dict[str, Any] = {
        "snapshot": cast.a_snapshot(noor, kind="prompts").pk,
        "base_model": cast.a_model(noor).pk,
    }
    client = signed_in(noor)

    client.post(
        "/runs/new/ppo/",
        form_data("ppo", **about, reward_model=judge.pk, watchdog_model=watchdog.pk),
    )

    run = Run.objects.get()
    assert run.watchdog_model == watchdog
    assert ">Fido</a>" in text_of(client, f"/runs/{run.pk}/")
    assert f'<option value="{watchdog.pk}" selected>' in text_of(
        client, f"/runs/new/ppo/?from={run.pk}"
    )


def test_a_value_out_of_range_is_said_at_its_field_and_nothing_typed_is_lost(
    signed_in: SignIn, noor: User
) -> None:
    model, snapshot = cast.a_model(noor), cast.a_snapshot(noor)

    response = signed_in(noor).post(
        "/runs/new/sft/",
        form_data(base_model=model.pk, snapshot=snapshot.pk, n_epochs=0, name="My name for it"),
    )

    text = response.content.decode()
    assert response.status_code == 422
    assert "must be between 1 and 100" in text
    assert "My name for it" in text
    assert not Run.objects.exists()


def test_a_value_out_of_range_is_said_in_the_readers_language(
    signed_in: SignIn, noor: User
) -> None:
    model, snapshot = cast.a_model(noor), cast.a_snapshot(noor)
    client = signed_in(noor)
    client.post("/language/", {"language": "de", "next": "/"})

    response = client.post(
        "/runs/new/sft/", form_data(base_model=model.pk, snapshot=snapshot.pk, n_epochs=0)
    )

    assert "Epochen ist “0”, muss aber zwischen 1 und 100 liegen." in response.content.decode()


def test_a_preset_fills_the_settings_and_keeps_what_was_chosen(
    signed_in: SignIn, noor: User
) -> None:
    model, snapshot = cast.a_model(noor), cast.a_snapshot(noor)

    data = form_data(preset="thorough", base_model=model.pk, snapshot=snapshot.pk, name="Kept") | {
        "preset": "small"
    }
    form = signed_in(noor).post("/runs/new/sft/", data).context["form"]

    assert form["name"].value() == "Kept"
    assert form["max_tokens"].value() == kinds.as_json(kinds.PRESETS["sft"]["small"])["max_tokens"]
    assert not Run.objects.exists()


def test_another_like_it_begins_with_the_same_settings(signed_in: SignIn, noor: User) -> None:
    run = cast.a_run(noor)

    form = signed_in(noor).get(f"/runs/new/sft/?from={run.pk}").context["form"]

    assert form["lora_rank"].value() == 32
    assert form["snapshot"].value() == run.snapshot_id


def test_a_run_on_a_snapshot_without_held_out_prompts_is_warned_about(
    signed_in: SignIn, noor: User
) -> None:
    prompts = cast.a_snapshot(noor, "prompts", "Prompts to train on")
    data = form_data("ppo") | {
        "snapshot": prompts.pk,
        "base_model": cast.a_model(noor).pk,
        "reward_model": cast.a_model(noor, "reward-1", "reward").pk,
    }
    client = signed_in(noor)
    warning = "has no held-out rows"

    assert warning not in client.post("/runs/new/ppo/cost", data).content.decode()

    prompts.card["splits"] = {"train": 1204, "validation": 0, "test": 0}
    prompts.save()
    page = client.post("/runs/new/ppo/cost", data).content.decode()
    assert warning in page
    form = text_of(client, "/snapshots/new/?kind=prompts&split=train&split=validation")
    assert "kind=prompts&amp;split=train&amp;split=validation" in page
    for split in ("train", "validation"):
        assert re.search(rf'value="{split}"[^>]*checked', form)


def test_a_new_run_has_a_name_and_closed_hardware(signed_in: SignIn, noor: User) -> None:
    snapshot = cast.a_snapshot(noor)
    cast.a_model(noor)

    page = text_of(signed_in(noor), f"/runs/new/sft/?snapshot={snapshot.pk}")

    today = date_format(timezone.localdate(), "j M")
    assert f'value="SFT on Demonstrations of November, {today}"' in page
    hardware = page[page.index("<summary>Hardware") : page.index("<summary>Advanced")]
    for name in ("n_gpus", "memory_gb", "n_processes", "n_machines", "strategy", "priority"):
        assert f'name="{name}"' in hardware
    assert page.index('name="n_epochs"') < page.index("<summary>Hardware")
    assert 'Held-out rows <span class="unit">' not in page


OPEN = {
    "ppo": {"name", "base_model", "reward_model", "snapshot", "n_episodes"},
    "rloo": {"name", "base_model", "reward_model", "snapshot", "n_epochs"},
    "grpo": {"name", "base_model", "reward_model", "snapshot", "n_epochs"},
}


@pytest.mark.parametrize("kind", OPEN)
def test_a_run_with_a_reward_model_asks_for_five_things_first(
    signed_in: SignIn, noor: User, kind: str
) -> None:
    cast.a_snapshot(noor, "prompts")
    cast.a_model(noor)
    cast.a_model(noor, "reward-1", "reward")

    form = signed_in(noor).get(f"/runs/new/{kind}/").context["form"]
    shown = [field.name for field in (*form.basics, *form.main)]
    closed = [field.name for group in form.closed for field in group.fields]
    rows = [field.name for part in form.sections for row in part.rows for field in row.fields]

    assert set(shown) == OPEN[kind]
    assert Counter(shown + closed + rows) == Counter(dict.fromkeys(form.fields, 1))
    assert not any(group.is_open for group in form.closed)
    assert not any(part.is_open for part in form.sections)


def as_shown(client: Client) -> dict[str, Any]:
    """What a browser sends of PPO's form if nothing is changed."""
    form = client.get("/runs/new/ppo/").context["form"]
    values = {field.name: field.value() for field in form}
    return {
        name: value for name, value in values.items() if value is not None and value is not False
    }


@pytest.mark.parametrize("preset", ["small", "balanced", "thorough"])
def test_a_preset_closes_the_settings_and_its_values_are_named(
    signed_in: SignIn, noor: User, preset: str
) -> None:
    cast.a_snapshot(noor, "prompts")
    cast.a_model(noor)

    client = signed_in(noor)
    page = client.post("/runs/new/ppo/", as_shown(client) | {"preset": preset})

    more = page.context["form"].more
    size = {"small": 8, "balanced": 64, "thorough": 512}[preset]
    assert not any(group.is_open for group in page.context["form"].closed)
    assert f"Rollout {size}," in more.by_default


def test_another_setting_than_a_presets_or_a_mistake_opens_its_group(
    signed_in: SignIn, noor: User
) -> None:
    cast.a_snapshot(noor, "prompts")
    model, judge = cast.a_model(noor), cast.a_model(noor, "reward-1", "reward")
    client = signed_in(noor)
    sent = as_shown(client) | {"base_model": model.pk, "reward_model": judge.pk}

    def opened(**changes: object) -> set[str]:
        form = client.post("/runs/new/ppo/", sent | {"name": ""} | changes).context["form"]
        return {group.title for group in form.closed if group.is_open}

    assert opened() == set()
    assert opened(batch_size="32") == {"Settings"}
    assert opened(lam="2") == {"Advanced"}
    assert opened(n_gpus="2") == {"Hardware"}


def test_rewards_are_open_where_there_is_no_reward_model(signed_in: SignIn, noor: User) -> None:
    cast.a_snapshot(noor, "prompts")
    cast.a_model(noor)

    [rewards] = signed_in(noor).get("/runs/new/grpo/").context["form"].sections

    assert rewards.is_open
