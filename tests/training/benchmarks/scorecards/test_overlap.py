"""Items of suites are found in the data that a model was trained on."""

import json
from pathlib import Path

import pytest
from django.conf import LazySettings

from accounts.models import User
from tests.training import cast
from tests.training.benchmarks.scorecards import rows
from training.benchmarks.scorecards import overlap, services
from training.benchmarks.scorecards.shared_words import SharedWords
from training.models import Run, Snapshot, SuiteItem, SuiteScore, TrainedModel
from training.snapshots.curation.rules import word_runs

RIDDLE = "A man walks into a bar in Lisbon and orders seven small glasses of cold green wine."


def test_thirteen_words_in_a_row_are_found_whatever_case_and_punctuation() -> None:
    shared = SharedWords({1: [RIDDLE], 2: ["Too short to be looked for."]})

    assert shared.items_in(f"Once upon a time: {RIDDLE.upper().replace(' ', ', ')} The end.") == {1}
    assert shared.items_in(RIDDLE.replace("seven", "eight")) == set()
    assert shared.checked == {1}


def test_the_wording_of_a_suite_is_not_its_content() -> None:
    items = {pk: [f"{RIDDLE} Question {pk}"] for pk in range(word_runs.MOST_ITEMS + 1)}

    assert SharedWords(items).items_in(RIDDLE) == set()


def test_the_fast_search_finds_what_the_plain_one_finds() -> None:
    words = [f"w{place * place % 7}" for place in range(60)]
    text = " ".join(words)
    items = {
        start: [" ".join([*words[start : start + n], "end"])]
        for start, n in [(0, 13), (5, 12), (20, 15), (31, 13), (40, 11)]
    }

    def plain(item: str) -> bool:
        each = item.split()
        return any(
            f" {' '.join(each[at : at + 13])} " in f" {text} " for at in range(len(each) - 12)
        )

    expected = {pk for pk, [item] in items.items() if plain(item)}
    assert SharedWords(items).items_in(text) == expected


@pytest.fixture
def trained(noor: User, settings: LazySettings, tmp_path: Path) -> TrainedModel:
    """A model two steps from its base; its parent was trained on the riddle."""
    settings.SNAPSHOTS_DIR = str(tmp_path)
    base = cast.a_model(noor, "base")
    parent = cast.a_model(noor, "parent")
    model = cast.a_model(noor, "tuned")
    run = cast.a_run(noor, state="running")
    TrainedModel.objects.filter(pk=parent.pk).update(parent=base, run=run)
    TrainedModel.objects.filter(pk=model.pk).update(parent=parent)
    row: dict[str, object] = {
        "id": "x",
        "prompt": [{"role": "user", "content": RIDDLE}],
        "completion": [],
    }
    _write(tmp_path / run.snapshot.folder, [row])
    return TrainedModel.objects.get(pk=model.pk)


def _write(folder: Path, lines: list[dict[str, object]]) -> None:
    folder.mkdir(parents=True)
    (folder / "train.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.django_db
def test_items_in_the_data_of_an_ancestor_are_noted_on_the_score(
    noor: User, trained: TrainedModel
) -> None:
    score = _scored(trained, noor)

    overlap.note_overlap(run=score.run)

    noted = SuiteScore.objects.get(pk=score.pk).details["overlap"]
    assert (noted["n"], noted["not_checked"]) == (1, [])


def _scored(model: TrainedModel, by: User) -> SuiteScore:
    suite = rows.a_suite(n=6)
    item = suite.items.get(key="q-2")
    SuiteItem.objects.filter(pk=item.pk).update(prompt=[{"role": "user", "content": RIDDLE}])
    return rows.scored(model, suite, [True] * 6, by=by)


@pytest.mark.django_db
def test_a_snapshot_is_read_once_for_a_suite(
    noor: User, trained: TrainedModel, tmp_path: Path
) -> None:
    score = _scored(trained, noor)
    overlap.note_overlap(run=score.run)
    folder = trained.parent.run.snapshot.folder
    (tmp_path / folder / "train.jsonl").unlink()
    again = rows.scored(trained, score.suite, [True] * 6, by=noor, hours=1)

    overlap.note_overlap(run=again.run)

    assert SuiteScore.objects.get(pk=again.pk).details["overlap"]["n"] == 1


@pytest.mark.django_db
def test_data_that_is_not_here_is_said_to_be_unchecked(noor: User, trained: TrainedModel) -> None:
    folder = Snapshot.objects.get(pk=trained.parent.run.snapshot_id)
    Snapshot.objects.filter(pk=folder.pk).update(folder="gone")
    score = _scored(trained, noor)

    overlap.note_overlap(run=score.run)

    noted = SuiteScore.objects.get(pk=score.pk).details["overlap"]
    assert (noted["n"], noted["not_checked"]) == (0, [folder.pk])


@pytest.mark.django_db
def test_scoring_again_keeps_what_is_known_of_the_overlap(
    noor: User, trained: TrainedModel
) -> None:
    score = _scored(trained, noor)
    overlap.note_overlap(run=score.run)

    services.score_run(run=Run.objects.get(pk=score.run_id), now=rows.NOW)

    assert SuiteScore.objects.get(pk=score.pk).details["overlap"]["n"] == 1
