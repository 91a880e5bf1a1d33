"""Real files, from PREFERABLY_DATA or ../shared/data."""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from labeling.data.imports import agreement
from labeling.importers import formats
from labeling.importers.drafts import ImportDraft, ImportProblem
from labeling.models import Import, Judgment, Prompt, RankedResponse, Rater, Response
from labeling.splits import near_duplicates
from tests.labeling.answers import words

DATA = Path(os.environ.get("PREFERABLY_DATA", Path(__file__).parents[3] / ".." / "shared" / "data"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not DATA.is_dir(),
        reason=f"NO REAL DATA: {DATA} is absent; set PREFERABLY_DATA to test on it",
    ),
]


def found(name: str) -> tuple[str, list[ImportDraft], list[ImportProblem]]:
    with (DATA / name).open("rb") as stream:
        file_format = formats.guess_format(stream)
    with (DATA / name).open("rb") as stream:
        rows = list(formats.read(stream, file_format))
    return (
        file_format,
        [row for row in rows if isinstance(row, ImportDraft)],
        [row for row in rows if isinstance(row, ImportProblem)],
    )


@pytest.mark.parametrize(
    ("name", "file_format", "n_drafts", "n_problems"),
    [
        ("oasst_en_100_trees.jsonl", "openassistant", 480, 0),
        ("oasst_prompts_en_250.jsonl", "jsonl", 250, 0),
        ("hh_harmless_base_test.jsonl.gz", "hh", 2308, 4),
        ("xstest_prompts.csv", "csv", 450, 1),
        ("llmfao_pairs.jsonl", "jsonl", 2139, 2),
        ("mt_bench_questions.jsonl", "turns", 80, 11),
    ],
)
def test_a_file_gives_its_prompts(
    name: str, file_format: str, n_drafts: int, n_problems: int
) -> None:
    guessed, drafts, problems = found(name)

    assert (guessed, len(drafts), len(problems)) == (file_format, n_drafts, n_problems)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("llmbar_natural.json", "`prompt`, `text` and `messages` are all missing"),
        ("self_instruct_seed_tasks.jsonl", "`prompt`, `text` and `messages` are all missing"),
        ("simple_safety_tests.csv", "No column is named prompt"),
    ],
)
def test_a_file_that_fits_no_format_says_what_to_do(name: str, says: str) -> None:
    _format, drafts, problems = found(name)

    assert not drafts
    assert says in str(problems[0])


def test_the_trees_hold_212_ranked_groups_of_two_to_nine() -> None:
    _format, drafts, _problems = found("oasst_en_100_trees.jsonl")

    ranked = [
        sum(reply.rank is not None for reply in draft.replies)
        for draft in drafts
        if draft.is_compared
    ]
    sizes = Counter(ranked)
    assert sizes == {2: 57, 3: 117, 4: 27, 5: 3, 6: 6, 8: 1, 9: 1}
    assert sum(sizes.values()) == 212
    assert sum(reply.is_human for draft in drafts for reply in draft.replies) == 670


def test_every_tree_is_a_cluster_of_its_own() -> None:
    _format, drafts, _problems = found("oasst_en_100_trees.jsonl")
    neighbourhood = near_duplicates.Neighbourhood()
    sketches = near_duplicates.sketches(
        [draft.messages for draft in drafts], [draft.group for draft in drafts]
    )
    placements = [neighbourhood.place(sketch, str(i)) for i, sketch in enumerate(sketches)]

    assert (
        len({id(placement.cluster.root()) for placement in placements if placement.cluster}) == 100
    )


@pytest.mark.django_db
def test_the_trees_are_stored_with_their_judgments() -> None:
    call_command(
        "import_prompts",
        DATA / "oasst_en_100_trees.jsonl",
        source="oasst",
        licence="Apache-2.0",
        with_judgments=True,
    )

    counts = Import.objects.get().counts
    assert counts == {
        "prompts": 480,
        "responses": 687,
        "demonstrations": 670,
        "comparisons": 212,
        "duplicates": 0,
        "repeated_judgments": 0,
        "problems": 0,
    }
    sides = {(prompt.cluster, prompt.split) for prompt in Prompt.objects.all()}
    assert len(sides) == 100


@pytest.mark.django_db
def test_the_crowds_votes_are_stored_each_with_its_worker_and_agree_as_published(
    alice: User, signed_in: Callable[..., Client]
) -> None:
    call_command(
        "import_judgments",
        DATA / "llmfao_crowd_comparisons.csv",
        pairs=DATA / "llmfao_pairs.jsonl",
        source="llmfao",
        licence="CC-BY-4.0",
    )
    batch = Import.objects.get()
    assert (Prompt.objects.count(), Judgment.of_people.count(), Rater.everyone.count()) == (
        13,
        8931,
        124,
    )
    firsts = RankedResponse.objects.filter(rank=1).count()
    assert firsts - 8931 == 3471  # a tie has two firsts

    found = agreement.agreement_of_import(batch=batch)
    page = words(signed_in(alice).get(f"/prompts/imports/{batch.pk}/agreement/"))

    assert (found.n_judgments, found.n_raters, found.n_pairs) == (8_931, 124, 2_139)
    assert found.figures["alpha_nominal"].value == pytest.approx(0.2906, abs=1e-4)
    assert found.figures["alpha_ordinal"].value == pytest.approx(0.2876, abs=1e-4)
    assert found.figures["raw_out"].value == pytest.approx(0.7013, abs=1e-4)
    assert found.consensus == (659, 848, 632)
    assert "8,931 comparisons by 124 raters on 2,139 pairs of responses" in page
    assert "better in 659 pairs, the second in 632, and 848 tie" in page
    for shown in ("70 %", "0.29", "6,755"):
        assert shown in page


@pytest.mark.django_db
def test_the_dialogues_are_stored_as_comparisons() -> None:
    call_command(
        "import_prompts",
        DATA / "hh_harmless_base_test.jsonl.gz",
        source="hh",
        licence="MIT",
        with_judgments=True,
    )

    counts = Import.objects.get().counts
    assert (counts["prompts"], counts["duplicates"], counts["comparisons"], counts["problems"]) == (
        2306,
        2,
        2308,
        4,
    )
    assert Response.objects.count() == 4616
    assert all(
        problem["sentence"].startswith("`chosen` is empty")
        for problem in Import.objects.get().problems
    )
