"""A model as an archive: its contents, streaming, and the sentence if there is none."""

import io
import json
import tarfile
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.utils import translation

from accounts.models import User
from tests.training import cast
from tests.training.conftest import NOW
from training.models import TrainedModel
from training.registry import change_stage
from training.registry import services as registry_services
from training.registry.archive import cards, export
from training.storage import artifacts

pytestmark = pytest.mark.django_db


@pytest.fixture
def trained(noor: User, tmp_path: Path) -> TrainedModel:
    """Left by a LoRA run, with its adapter, in the artifact store of this machine."""
    run = cast.finished(cast.a_run(noor, state="running", n_points=4), "succeeded")
    folder = tmp_path / "made"
    (folder / "adapter").mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "model.safetensors").write_bytes(bytes(range(256)) * 5000)
    (folder / "tokenizer.json").write_text("{}")
    (folder / "README.md").write_text("As it came.")
    (folder / "manifest.json").write_text("{}")
    (folder / "adapter" / "adapter_model.safetensors").write_bytes(b"low rank")
    (folder / "adapter" / "adapter_config.json").write_text("{}")
    model = TrainedModel.objects.get(run=run)
    model.location = artifacts.store_model(folder, name="made")
    model.save()
    return model


def unpacked(packed: export.Archive) -> dict[str, bytes]:
    whole = b"".join(packed.chunks())
    assert len(whole) == packed.n_bytes
    with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
        return {name: found.read() for name in tar.getnames() if (found := tar.extractfile(name))}


def test_an_archive_holds_weights_tokenizer_card_and_lineage(trained: TrainedModel) -> None:
    files = unpacked(export.archive(model=trained))

    folder = trained.name
    assert sorted(files) == [
        f"{folder}/{name}"
        for name in (
            "README.md",
            "README.original.md",
            "config.json",
            "lineage.json",
            "model.safetensors",
            "tokenizer.json",
        )
    ]
    assert files[f"{folder}/model.safetensors"] == bytes(range(256)) * 5000
    assert files[f"{folder}/README.original.md"] == b"As it came."
    lineage = json.loads(files[f"{folder}/lineage.json"])
    assert [step["model"] for step in lineage["steps"]] == [trained.name, "SmolLM2-135M-Instruct"]
    assert lineage["steps"][0]["snapshot"]["licences"] == {"Apache-2.0": 300, "CC-BY-4.0": 904}


def test_an_archive_of_a_store_is_read_block_by_block(
    trained: TrainedModel, settings: LazySettings, tmp_path: Path
) -> None:
    whole = unpacked(export.archive(model=trained))
    settings.ARTIFACT_STORE = f"file://{tmp_path}/shared"
    trained.location = artifacts.store_model(Path(trained.location), name="again")
    trained.save()

    assert unpacked(export.archive(model=trained)) == whole


def test_no_block_is_larger_than_a_little_memory(trained: TrainedModel) -> None:
    (Path(trained.location) / "model.safetensors").write_bytes(b"\1" * 20_000_000)

    assert max(len(block) for block in export.archive(model=trained).chunks()) <= 4 * 1024**2


def test_the_adapter_is_exported_alone_if_it_was_saved_and_refused_otherwise(
    trained: TrainedModel,
) -> None:
    files = unpacked(export.archive(model=trained, weights="adapter"))
    assert {name.partition("/")[2] for name in files} == {
        "README.md",
        "lineage.json",
        "adapter_config.json",
        "adapter_model.safetensors",
        "tokenizer.json",
    }

    for file in (Path(trained.location) / "adapter").iterdir():
        file.unlink()
    with pytest.raises(export.UnableToExport, match="kept no adapter"):
        export.archive(model=trained, weights="adapter")


def test_only_a_models_own_files_leave_the_site(trained: TrainedModel) -> None:
    folder = Path(trained.location)
    for name in ("id_rsa", ".env", ".hidden.safetensors", "modeling.py", "notes.json"):
        (folder / name).write_text("PRIVATE KEY of the operator")
    (folder / ".git").mkdir()
    (folder / ".git" / "config.json").write_text("PRIVATE KEY of the operator")
    (folder / "chat_template.jinja").write_text("{{ messages }}")

    packed = unpacked(export.archive(model=trained))

    assert not any(b"PRIVATE KEY" in content for content in packed.values())
    assert packed[f"{trained.name}/chat_template.jinja"] == b"{{ messages }}"


def test_a_folder_registered_before_the_operator_named_roots_can_be_trained_and_not_downloaded(
    trained: TrainedModel, settings: LazySettings, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "config.json").write_text("{}")
    TrainedModel.objects.filter(pk=trained.pk).update(location=str(own))
    trained.refresh_from_db()
    settings.MODEL_ROOTS = []

    assert artifacts.fetch_model(trained.location) == str(own)
    with pytest.raises(export.UnableToExport, match="PREFERABLY_MODEL_ROOTS"):
        export.archive(model=trained)


@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_a_model_is_registered_only_below_the_operators_folders(
    noor: User, settings: LazySettings, tmp_path: Path, is_elsewhere: bool
) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder in (root / "base", outside / "there"):
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
    settings.MODEL_ROOTS = [str(root)]

    def register(location: object) -> TrainedModel:
        return registry_services.register_model(
            name=str(location),
            kind="policy",
            location=str(location),
            licence="",
            is_elsewhere=is_elsewhere,
            by=noor,
            now=NOW,
        )

    def refusal(location: object) -> str:
        with pytest.raises(registry_services.UnableToRegister) as refused:
            register(location)
        return refused.value.sentence.replace(str(location), "…")

    assert register(root / "base").pk
    sentences = {
        refusal(outside / "there"),
        refusal(outside / "nothing"),
        refusal(outside),
        refusal(root / ".." / "outside" / "there"),
        refusal(f"{root}-other/base"),
    }
    assert len(sentences) == 1, "the form must not tell which folders exist"
    assert "PREFERABLY_MODEL_ROOTS" in sentences.pop()


@pytest.mark.parametrize(
    ("location", "words"),
    [("owner/model", "is a hub model"), ("/nowhere/at/all", "manage.py export_model")],
)
def test_what_is_not_here_is_said_with_where_it_is(noor: User, location: str, words: str) -> None:
    model = registry_services.register_model(
        name="away",
        kind="policy",
        location=location,
        licence="",
        is_elsewhere=True,
        by=noor,
        now=NOW,
    )

    with pytest.raises(export.UnableToExport, match=words):
        export.archive(model=model)


def test_the_command_writes_the_archive_and_names_what_it_cannot(
    trained: TrainedModel, tmp_path: Path
) -> None:
    call_command("export_model", trained.name, str(tmp_path / "out.tar"))

    with tarfile.open(tmp_path / "out.tar") as tar:
        assert f"{trained.name}/model.safetensors" in tar.getnames()
    assert [path.name for path in tmp_path.glob(".*part")] == []
    with pytest.raises(CommandError, match="no model called"):
        call_command("export_model", "nobody")


def test_a_generated_card_is_in_english_for_every_reader(trained: TrainedModel) -> None:
    with translation.override("de"):
        made = cards.card_text(model=trained)

    assert made == cards.card_text(model=trained)


def test_a_reward_models_card_says_how_differences_become_probabilities(noor: User) -> None:
    run = cast.a_reward_run(noor)
    model = TrainedModel.objects.get(run=run)

    made = cards.card_text(model=model)

    assert "Divide a difference of two rewards by 1.62: the logistic function" in made
    assert "Well calibrated: with a temperature of 1.62 its probabilities are 3.8 points" in made
    model.metrics["certainty"]["verdict"] = "chance"
    assert "Divide a difference" not in cards.card_text(model=model)
    assert "it is not surely better than chance" in cards.card_text(model=model)


def test_a_card_says_what_is_known_until_a_person_writes_one(
    trained: TrainedModel, noor: User
) -> None:
    made = cards.card_text(model=trained)

    assert made.startswith("---\nlicense: apache-2.0\n")
    assert "904 rows CC-BY-4.0" in made
    assert "Demonstrations of November" in made
    assert '"learning_rate": 5e-05' in made
    assert str(Path(trained.location).parent) not in made

    change_stage.change_model(
        model=trained,
        stage="approved",
        licence="Apache-2.0",
        notes="",
        card="# Mine\n",
        by=noor,
        now=NOW,
    )
    trained.refresh_from_db()
    assert (cards.card_text(model=trained), trained.stage) == ("# Mine\n", "approved")
