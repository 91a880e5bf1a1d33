"""What a model's page offers to train from it."""

import re
from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests.html import text_of
from tests.training import cast
from training.models import TrainedModel
from training.registry import endpoints

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]


@pytest.mark.parametrize(
    ("kind", "offered"),
    [
        ("policy", {"sft", "reward", "pretrain", "dpo", "kto", "ppo", "rloo", "grpo"}),
        ("reward", {"reward"}),
    ],
)
def test_a_models_page_offers_everything_that_can_be_trained_from_it(
    signed_in: SignIn, noor: User, kind: str, offered: set[str]
) -> None:
    model = cast.a_model(noor, kind=kind)

    page = text_of(signed_in(noor), f"/models/{model.pk}/")

    menu = page.partition('id="train"')[2].partition("</details>")[0]
    assert set(re.findall(rf'href="/runs/new/(\w+)/\?base_model={model.pk}"', menu)) == offered


@pytest.mark.parametrize("kind", ["policy", "reward"])
@pytest.mark.parametrize("gone", [{"freed_at": timezone.now()}, {"stage": "retired"}])
def test_a_model_that_no_run_would_take_is_offered_to_none(
    signed_in: SignIn, noor: User, kind: str, gone: dict[str, object]
) -> None:
    client, model = signed_in(noor), cast.a_model(noor, kind=kind)
    runs = re.compile(rf"/runs/new/\w+/\?\w+_model={model.pk}")
    assert runs.search(text_of(client, f"/models/{model.pk}/"))

    TrainedModel.objects.filter(pk=model.pk).update(**gone)

    page = text_of(client, f"/models/{model.pk}/")
    assert not runs.search(page)
    assert f"/models/try/?model={model.pk}" not in page
    assert 'id="train"' not in page


def test_nothing_is_trained_from_another_server(
    signed_in: SignIn, noor: User, settings: LazySettings
) -> None:
    settings.ENDPOINT_HOSTS = ["llm.example.org"]
    theirs = endpoints.register_endpoint(
        name="theirs",
        url="https://llm.example.org/v1/",
        served_name="big",
        licence="MIT",
        by=noor,
        now=timezone.now(),
    )

    page = text_of(signed_in(noor), f"/models/{theirs.pk}/")

    assert 'id="train"' not in page
