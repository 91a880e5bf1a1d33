"""Sources of people say nothing about the person."""

from importlib import import_module

import pytest
from django.apps import apps

from accounts.models import User
from arithmetic.chats import Message
from labeling.data.prompts import services as prompts_services
from labeling.models import Source
from tests.cast import NOON

pytestmark = pytest.mark.django_db

QUESTION: list[Message] = [{"role": "user", "content": "Why is the sky blue?"}]


def test_the_source_of_a_typed_prompt_is_not_its_authors_address(alice: User) -> None:
    prompt = prompts_services.create_prompt(
        messages=QUESTION,
        category="open_qa",
        language="en",
        split="train",
        licence="",
        by=alice,
        now=NOON,
    )

    assert prompt.source.person == alice
    assert prompt.source.name == f"person {alice.pk}"


def test_older_sources_lose_the_address_and_others_keep_their_names(
    alice: User, noor: User
) -> None:
    def source(name: str, kind: str = "person", person: User | None = None) -> Source:
        return Source.objects.create(name=name, kind=kind, person=person)

    sources = [
        source("alice@example.org", person=alice),
        source("alice.before@example.org", person=alice),
        source("rater n@or", person=noor),
        source("team@example.org", kind="import"),
    ]

    import_module("labeling.migrations.0004_squashed_0016_red_teaming").rename_sources(apps, None)

    names = [Source.objects.get(pk=one.pk).name for one in sources]
    assert names == [
        f"person {alice.pk}",
        f"person {alice.pk} ({sources[1].pk})",
        "rater n@or",
        "team@example.org",
    ]
