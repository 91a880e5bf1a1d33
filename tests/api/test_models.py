"""Existing models in the API: stage, notes and card, and publishing to a hub."""

from collections.abc import Callable

from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import AuditEvent, User
from config.api_permissions import Scope
from tests.api.test_steering import post
from tests.training import cast
from training.models import Publication, TrainedModel
from training.registry import publish

Caller = Callable[..., Client]


def test_a_change_leaves_what_it_does_not_name(calling: Caller, noor: User) -> None:
    model = cast.a_model(noor)
    client = calling(noor)

    post(client, f"models/{model.pk}/change", {"notes": "Ask Noor first."})
    changed = post(
        client, f"models/{model.pk}/change", {"stage": "approved", "licence": "MIT"}
    ).json()

    assert (changed["stage"], changed["licence"], changed["notes"]) == (
        "approved",
        "MIT",
        "Ask Noor first.",
    )
    assert client.get(f"/api/v1/models/{model.pk}").json() == changed
    assert AuditEvent.objects.filter(action="change", target_id=model.pk).count() == 2


def test_a_stage_that_there_is_none_of_is_refused(calling: Caller, noor: User) -> None:
    model = cast.a_model(noor)

    answer = post(calling(noor), f"models/{model.pk}/change", {"stage": "best"})

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["stage"])


def test_a_card_is_made_until_a_person_writes_one_and_again_when_it_is_emptied(
    calling: Caller, noor: User
) -> None:
    model = cast.a_model(noor)
    client = calling(noor)
    card = f"/api/v1/models/{model.pk}/card"

    made = client.get(card).json()
    post(client, f"models/{model.pk}/change", {"card": "# Ours\n\n  as it is\n"})
    written = client.get(card).json()
    post(client, f"models/{model.pk}/change", {"card": ""})

    assert (made["is_written"], model.name in made["text"]) == (False, True)
    assert written == {"text": "# Ours\n\n  as it is\n", "is_written": True}
    assert client.get(card).json() == made


def test_only_models_with_own_weights_have_an_archive_url(calling: Caller, noor: User) -> None:
    here, freed = cast.a_model(noor), cast.a_model(noor, "freed")
    TrainedModel.objects.filter(pk=freed.pk).update(freed_at=freed.created_at)
    client = calling(noor)

    found = {row["id"]: row["archive"] for row in client.get("/api/v1/models").json()["results"]}

    assert found == {here.pk: f"/api/v1/models/{here.pk}/archive", freed.pk: None}


def test_a_model_is_published_once_per_key_and_can_be_polled_until_done(
    calling: Caller, noor: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    model = cast.a_model(noor)
    client = calling(noor)
    asked = {"repository": "team/ours"}

    with django_capture_on_commit_callbacks() as rung:
        first = post(client, f"models/{model.pk}/publications", asked, idempotency_key="p-1")
        again = post(client, f"models/{model.pk}/publications", asked, idempotency_key="p-1")

    made = first.json()
    assert (first.status_code, again.json(), len(rung)) == (201, made, 1)
    assert (made["state"], made["is_private"], made["ended_at"]) == ("queued", True, None)
    claimed = publish.PUBLICATIONS.claim(made["id"], now=model.created_at)
    assert claimed is not None
    claimed.end("done", now=model.created_at, address="https://hub/team/ours")
    there = client.get(f"/api/v1/publications/{made['id']}").json()
    assert (there["state"], there["address"]) == ("done", "https://hub/team/ours")
    assert client.get(f"/api/v1/models/{model.pk}/publications").json()["results"] == [there]


def test_what_cannot_be_published_is_refused_in_the_services_words(
    calling: Caller, noor: User
) -> None:
    model = cast.a_model(noor)
    client = calling(noor)
    TrainedModel.objects.filter(pk=model.pk).update(licence="")

    nowhere = post(client, f"models/{model.pk}/publications", {"repository": "ours"})
    unlicensed = post(client, f"models/{model.pk}/publications", {"repository": "team/ours"})

    assert (nowhere.status_code, "owner/name" in nowhere.json()["detail"]) == (409, True)
    assert (unlicensed.status_code, "no licence" in unlicensed.json()["detail"]) == (409, True)
    assert not Publication.objects.exists()


def test_who_may_only_read_changes_and_publishes_nothing(calling: Caller, noor: User) -> None:
    model = cast.a_model(noor)
    client = calling(noor, Scope.TRAINING_READ)

    refused = [
        post(client, f"models/{model.pk}/{what}", {"stage": "retired"}).status_code
        for what in ("change", "publications")
    ]

    assert refused == [403, 403]
    assert client.get(f"/api/v1/models/{model.pk}/publications").status_code == 200
