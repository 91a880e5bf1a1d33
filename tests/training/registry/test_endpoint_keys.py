"""Which key may be sent to which host."""

import pytest
from django.conf import LazySettings

from accounts.models import User
from tests.training.conftest import NOW
from training.models import TrainedModel
from training.registry import endpoints
from training.registry import services as registry_services

pytestmark = pytest.mark.django_db


def registered(by: User, *, url: str, key: str) -> TrainedModel:
    return endpoints.register_endpoint(
        name=f"{url} {key}",
        url=url,
        served_name="big",
        licence="MIT",
        key_variable=key,
        by=by,
        now=NOW,
    )


def test_a_key_goes_to_its_own_host_only(noor: User, settings: LazySettings) -> None:
    settings.ENDPOINT_HOSTS = [
        "llm.example.org=PREFERABLY_KEY_LLM",
        "inside:8000 = PREFERABLY_KEY_INSIDE",
        "other.example.org",
    ]

    def register(url: str, key: str) -> str:
        try:
            return registered(noor, url=url, key=key).location
        except registry_services.UnableToRegister as problem:
            return problem.sentence

    assert register("https://llm.example.org/v1", "PREFERABLY_KEY_LLM").startswith("https")
    assert register("http://inside:8000/v1", "PREFERABLY_KEY_INSIDE").startswith("http:")
    assert register("https://other.example.org/v1", "PREFERABLY_KEY_FREE").startswith("https")
    assert register("https://llm.example.org/v1", "").startswith("https")
    for url, key in (
        ("https://llm.example.org/v1", "PREFERABLY_KEY_INSIDE"),
        ("https://llm.example.org/v1", "PREFERABLY_KEY_FREE"),
        ("https://other.example.org/v1", "PREFERABLY_KEY_LLM"),
    ):
        assert "belongs to another host" in register(url, key)


def test_a_key_is_not_sent_where_others_can_read_it(noor: User, settings: LazySettings) -> None:
    settings.ENDPOINT_HOSTS = ["inside:8000"]

    with pytest.raises(
        registry_services.UnableToRegister, match="inside:8000=PREFERABLY_KEY_INSIDE"
    ):
        registered(noor, url="http://inside:8000/v1", key="PREFERABLY_KEY_INSIDE")
