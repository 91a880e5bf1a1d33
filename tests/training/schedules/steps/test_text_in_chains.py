"""A chain mixes a text into PPO, so that it can use the published weight of PPO-ptx."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from labeling.models import Guideline, Pool, Rater
from tests.training.schedules.chain_steps import run_ends, run_of
from tests.training.snapshots.test_freezing import compare, on_split
from training.configs import kinds
from training.models import Chain, Schedule, Snapshot, TrainedModel

pytestmark = pytest.mark.django_db
THOROUGH = kinds.as_json(kinds.PRESETS["ppo"]["thorough"])


def test_the_published_settings_run_in_a_chain_with_a_text(
    begin: Callable[..., Chain],
    rosa: Rater,
    day_shift: Pool,
    guideline: Guideline,
    make_snapshot: Callable[..., Snapshot],
) -> None:
    text = make_snapshot("text")
    compare(on_split("train")[0], rosa, [1, 2])
    plan = {"pool": day_shift.pk, "guideline": guideline.pk, "configs": {"ppo": THOROUGH}}
    chain = begin("weekly", ptx_text=text.pk, **plan)
    run_ends(chain, "reward")
    run_ends(chain, "watchdog")

    ppo = run_of(chain, "ppo")
    assert (ppo.ptx_snapshot, ppo.config["ptx_coef"]) == (text, 27.8)
    assert ppo.watchdog_model is not None
    assert run_of(chain, "reward").ptx_snapshot is None


def test_the_form_offers_these_settings_once_there_is_a_text_and_asks_for_it(
    signed_in: Callable[..., Client],
    noor: User,
    base_model: TrainedModel,
    day_shift: Pool,
    guideline: Guideline,
    make_snapshot: Callable[..., Snapshot],
) -> None:
    client = signed_in(noor)
    assert "preset:thorough" not in _offered(client)
    text = make_snapshot("text")
    assert "preset:thorough" in _offered(client)
    given = _answers(client) | {
        "base_model": base_model.pk,
        "pool": day_shift.pk,
        "guideline": guideline.pk,
        "config_ppo": "preset:thorough",
    }

    refused = client.post("/schedules/new/weekly/", given)
    assert refused.status_code == 422
    assert "Choose a text" in refused.content.decode()
    client.post("/schedules/new/weekly/", given | {"ptx_text": text.pk})

    assert Schedule.objects.get().plan["ptx_text"] == text.pk


def _form(client: Client) -> Any:
    return client.get("/schedules/new/weekly/").context["form"]


def _offered(client: Client) -> list[str]:
    return [value for value, _words in _form(client).fields["config_ppo"].choices]


def _answers(client: Client) -> dict[str, Any]:
    shown = {one.name: one.value() for one in _form(client) if one.value() not in (None, False)}
    return shown | {"name": "Watched", "trigger": "hand"}
