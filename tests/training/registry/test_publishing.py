"""Publishing a model to a hub, real up to the network: the child process, huggingface_hub, and a
stub of a hub over HTTP.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import AuditEvent, User
from labeling.data.exports import jobs
from labeling.models import Export, Rater
from labeling.people.withdrawals import withdrawal
from tests.api.conftest import calling as calling
from tests.cast import NOON
from tests.html import page_of
from tests.labeling.data.formats import exported
from tests.training.conftest import NOW
from tests.training.registry.hub_stub import Hub, hub_stub
from tests.training.storage import hostile_models
from training.models import Publication, TrainedModel
from training.registry import publish as registry_publish
from training.registry import services as registry_services

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> Iterator[Hub]:
    with hub_stub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        settings.HUB_TOKEN = "hf_secret"
        monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
        yield running


WEIGHTS = hostile_models.of(
    {"a": {"dtype": "U8", "shape": [300_000], "data_offsets": [0, 300_000]}}, 300_000
)


@pytest.fixture
def model(noor: User, tmp_path: Path) -> TrainedModel:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    (folder / "README.md").write_text("As it came.")
    return registry_services.register_model(
        name="ours", kind="policy", location=str(folder), licence="Apache-2.0", by=noor, now=NOW
    )


def published(model: TrainedModel, noor: User, repository: str = "team/ours") -> Publication:
    made = registry_publish.publish_model(
        model=model, repository=repository, is_private=True, by=noor, now=NOW
    )
    registry_publish.PUBLICATIONS.run(made.pk)
    made.refresh_from_db()
    return made


def test_a_model_goes_to_the_hub_with_card_and_lineage(
    hub: Hub, model: TrainedModel, noor: User
) -> None:
    made = published(model, noor)

    assert (made.state, made.error) == ("done", "")
    assert set(hub.files) == {"README.md", "lineage.json", "config.json", "model.safetensors"}
    assert hub.files["model.safetensors"] == WEIGHTS
    assert hub.files["README.md"].startswith(b"---\nlicense: apache-2.0")
    assert hub.made[0]["visibility"] == "private"
    assert hub.tokens == {"Bearer hf_secret"}
    assert made.bytes_sent == made.bytes_total > 300_000
    assert made.address.endswith("/team/ours")
    assert AuditEvent.objects.filter(action="publish", target_id=model.pk).exists()


def test_nothing_beside_the_model_is_published(hub: Hub, model: TrainedModel, noor: User) -> None:
    for name in ("id_rsa", ".env", "manifest.json"):
        (Path(model.location) / name).write_text("PRIVATE KEY")

    published(model, noor)

    assert set(hub.files) == {"README.md", "lineage.json", "config.json", "model.safetensors"}


def test_a_folder_outside_the_operators_roots_is_not_published(
    hub: Hub, model: TrainedModel, noor: User, settings: LazySettings
) -> None:
    settings.MODEL_ROOTS = []

    made = published(model, noor)

    assert made.state == "failed"
    assert "PREFERABLY_MODEL_ROOTS" in made.error
    assert hub.made == []


def test_a_refusal_by_the_hub_is_shown_without_the_token(
    hub: Hub, model: TrainedModel, noor: User
) -> None:
    hub.refusal = 403

    made = published(model, noor)

    assert made.state == "failed"
    assert "403" in made.error
    assert "hf_secret" not in made.error


def test_without_a_token_nothing_is_sent(
    hub: Hub, model: TrainedModel, noor: User, settings: LazySettings
) -> None:
    settings.HUB_TOKEN = ""

    made = published(model, noor)

    assert (made.state, made.error[:20]) == ("failed", "HF_TOKEN is not set ")
    assert hub.made == []


def test_publishing_again_ends_a_request_that_no_worker_took(
    model: TrainedModel, noor: User
) -> None:
    first = registry_publish.publish_model(
        model=model, repository="team/ours", is_private=True, by=noor, now=NOW
    )
    registry_publish.publish_model(
        model=model,
        repository="team/theirs",
        is_private=True,
        by=noor,
        now=NOW + timedelta(minutes=3),
    )

    first.refresh_from_db()
    assert (first.state, first.error) == ("failed", "No worker took it, so it was requested again.")
    assert registry_publish.PUBLICATIONS.claim(first.pk, now=NOW + timedelta(minutes=3)) is None


def test_what_was_queued_or_beat_before_the_clock_was_set_back_does_not_stand_in_the_way(
    model: TrainedModel, noor: User
) -> None:
    def publish(now: datetime) -> Publication:
        return registry_publish.publish_model(
            model=model, repository="team/ours", is_private=True, by=noor, now=now
        )

    publish(NOW + timedelta(hours=1))
    going = publish(NOW)
    Publication.objects.filter(pk=going.pk).update(
        state="running", heartbeat_at=NOW + timedelta(hours=1)
    )

    assert publish(NOW).pk != going.pk


@pytest.mark.parametrize("repository", ["ours", "https://hub/team/ours", "team/", "a/b/c", "../x"])
def test_a_place_that_is_none_is_refused(model: TrainedModel, noor: User, repository: str) -> None:
    with pytest.raises(registry_publish.UnableToPublish, match="owner/name"):
        registry_publish.publish_model(
            model=model, repository=repository, is_private=True, by=noor, now=NOW
        )


def test_a_model_on_its_way_or_without_a_licence_is_not_sent(
    model: TrainedModel, noor: User
) -> None:
    registry_publish.publish_model(
        model=model, repository="team/ours", is_private=True, by=noor, now=NOW
    )
    with pytest.raises(registry_publish.UnableToPublish, match="already being published"):
        registry_publish.publish_model(
            model=model, repository="team/ours", is_private=True, by=noor, now=NOW
        )

    TrainedModel.objects.filter(pk=model.pk).update(licence="")
    model.refresh_from_db()
    with pytest.raises(registry_publish.UnableToPublish, match="licence"):
        registry_publish.publish_model(
            model=model, repository="team/ours", is_private=True, by=noor, now=NOW
        )


# --- exports --------------------------------------------------------------------------------------


def test_a_model_without_weights_is_neither_offered_nor_sent(
    hub: Hub, model: TrainedModel, noor: User, signed_in: Callable[..., Client]
) -> None:
    client, page = signed_in(noor), f"/models/{model.pk}/"
    address = f"{page}publish"
    assert address in client.get(page).content.decode()
    TrainedModel.objects.filter(pk=model.pk).update(freed_at=NOW)

    response = client.post(address, {"repository": "team/ours"}, follow=True)

    sentence = "The weights of “ours” were deleted to free space."
    assert page_of(response).count(sentence) == 2, "the refusal, and what the page says"
    assert not Publication.objects.exists()
    assert address not in response.content.decode()
    assert f"{page}archive" not in response.content.decode()


@pytest.fixture
def archive(noor: User, rosa: Rater, raul: Rater, tmp_path: Path, settings: LazySettings) -> Export:
    settings.EXPORTS_DIR = tmp_path / "exports"
    exported.everything(rosa, raul)
    made = jobs.request_export(
        campaign=None, shape="preferences", file_format="parquet", by=noor, now=NOON
    )
    jobs.EXPORTS.run(made.pk, clock=lambda: NOON)
    made.refresh_from_db()
    return made


def pushed(archive: Export, noor: User) -> Publication:
    made = registry_publish.publish_export(
        export=archive, repository="team/preferences", is_private=True, by=noor, now=NOW
    )
    registry_publish.PUBLICATIONS.run(made.pk)
    made.refresh_from_db()
    return made


def test_an_export_goes_to_the_hub_as_a_private_data_set_with_its_card(
    hub: Hub, archive: Export, noor: User
) -> None:
    made = pushed(archive, noor)

    assert (made.state, made.error) == ("done", "")
    assert set(hub.files) == {"README.md", "data/train.parquet"}
    assert hub.files["README.md"].decode() == archive.card
    assert hub.files["data/train.parquet"].startswith(b"PAR1")
    assert (hub.made[0]["type"], hub.made[0]["visibility"]) == ("dataset", "private")
    assert made.address.endswith("/datasets/team/preferences")
    assert AuditEvent.objects.filter(action="publish", target_id=archive.pk).exists()


def test_an_export_is_not_published_after_somebody_has_withdrawn(
    hub: Hub, archive: Export, noor: User, rosa: Rater
) -> None:
    made = registry_publish.publish_export(
        export=archive, repository="team/preferences", is_private=True, by=noor, now=NOW
    )
    withdrawal.withdraw_rater(rater=rosa, by=None, now=archive.created_at)

    registry_publish.PUBLICATIONS.run(made.pk)

    made.refresh_from_db()
    assert (made.state, hub.made) == ("failed", [])
    assert "withdrawn since" in made.error
    with pytest.raises(registry_publish.UnableToPublish, match="withdrawn since"):
        pushed(archive, noor)


def test_an_export_is_published_from_its_page_and_by_api(
    archive: Export, noor: User, signed_in: Callable[[User], Client], calling: Callable[..., Client]
) -> None:
    address = f"/exports/{archive.pk}/publish/"
    client = signed_in(noor)

    wrong = client.post(address, {"repository": "no owner", "is_private": "on"})
    right = client.post(address, {"repository": "team/one"})
    twice = calling(noor).post(
        "/api/v1/publications",
        {"export": archive.pk, "repository": "team/two"},
        content_type="application/json",
    )
    Publication.objects.update(state="failed")
    by_api = calling(noor).post(
        "/api/v1/publications",
        {"export": archive.pk, "repository": "team/two"},
        content_type="application/json",
    )

    assert (wrong.status_code, right.status_code, twice.status_code) == (409, 302, 409)
    assert by_api.json()["export"] == archive.pk
    assert by_api.json()["is_private"] is True
    assert [(one.repository, one.is_private) for one in Publication.objects.order_by("pk")] == [
        ("team/one", False),
        ("team/two", True),
    ]
    assert "team/one" in client.get(address).content.decode()
