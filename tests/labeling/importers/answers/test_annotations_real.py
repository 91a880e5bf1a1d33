"""Real answers by several raters, from PREFERABLY_DATA or ../shared/data, and agreement as it was
published.
"""

import csv
import os
import zipfile
from pathlib import Path

import pytest
from django.core.management import call_command

from labeling.models import Campaign, QualityReport
from labeling.quality.services import compute_quality
from tests.cast import NOON

DATA = Path(os.environ.get("PREFERABLY_DATA", Path(__file__).parents[4] / ".." / "shared" / "data"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db,
    pytest.mark.skipif(
        not DATA.is_dir(),
        reason=f"NO REAL DATA: {DATA} is absent; set PREFERABLY_DATA to test on it",
    ),
]


def brought(file: Path, **options: object) -> QualityReport:
    """Import a file as a campaign, and compute its report."""
    call_command("import_judgments", file, source="a", licence="CC-BY-4.0", **options)
    campaign = Campaign.objects.get()
    report = compute_quality(campaign_id=campaign.pk, now=NOON)
    assert report is not None
    return report


def test_the_crowds_votes_agree_as_published() -> None:
    report = brought(DATA / "llmfao_crowd_comparisons.csv", pairs=DATA / "llmfao_pairs.jsonl")

    agreement = report.results["agreement"]
    assert report.n_judgments == 8_931
    assert agreement["alpha_nominal"]["value"] == pytest.approx(0.2906, abs=1e-4)
    assert agreement["alpha_ordinal"]["value"] == pytest.approx(0.2876, abs=1e-4)
    assert agreement["raw_in"]["value"] == pytest.approx(0.532, abs=5e-4)
    assert agreement["raw_out"]["value"] == pytest.approx(0.7013, abs=1e-4)
    assert agreement["raw_out"]["n"] == 6_755


PYRIT = Path(os.environ.get("PREFERABLY_PYRIT", DATA / "pyrit-1.1.0-py3-none-any.whl"))


@pytest.fixture
def pyrit(tmp_path: Path) -> Path:
    """The severities that three people gave, taken out of PyRIT's wheel for one test."""
    if not PYRIT.is_file():
        pytest.skip(
            "NO PYRIT WHEEL: pip download --no-deps pyrit==1.1.0; name the file in PREFERABLY_PYRIT"
        )
    with zipfile.ZipFile(PYRIT) as wheel:
        for name in wheel.namelist():
            if name.endswith("_multi_score.csv"):
                (tmp_path / Path(name).name).write_bytes(wheel.read(name))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "n_items", "nominal", "ordinal", "interval"),
    [
        ("hate_speech", 199, 0.4835, 0.8612, 0.8619),
        ("violence", 187, 0.3669, 0.7663, 0.7664),
    ],
)
def test_three_peoples_severities_agree_as_published(
    pyrit: Path, name: str, n_items: int, nominal: float, ordinal: float, interval: float
) -> None:
    report = brought(pyrit / f"{name}_multi_score.csv")

    [severity] = report.results["agreement"]["questions"]
    assert Campaign.objects.get().items.count() == n_items
    assert severity["alpha"]["value"] == pytest.approx(ordinal, abs=1e-4)
    assert severity["nominal"]["value"] == pytest.approx(nominal, abs=1e-4)
    assert severity["interval"]["value"] == pytest.approx(interval, abs=1e-4)
    [kappas] = report.results["kappas"]
    assert kappas["is_weighted"]
    assert [cell["n"] for cell in kappas["cells"]] == [n_items] * 3


@pytest.mark.parametrize(
    "name", ["llama2new_gpteval", "llama2orig_streval", "mistralinstruct_gpteval"]
)
def test_two_peoples_labels_have_the_kappa_of_a_slow_twin(name: str) -> None:
    file = DATA / "xstest_labels" / f"{name}.csv"

    report = brought(file)

    with file.open(newline="") as stream:
        given = [(row["annotation_1"], row["annotation_2"]) for row in csv.DictReader(stream)]
    [kappas] = report.results["kappas"]
    [cell] = kappas["cells"]
    assert (cell["n"], report.n_judgments) == (450, 900)
    assert cell["value"] == pytest.approx(slow_kappa(given), abs=1e-9)
    assert cell["low"] < cell["value"] < cell["high"]


def slow_kappa(given: list[tuple[str, str]]) -> float:
    """Cohen (1960), straight from its definition."""
    labels = {label for pair in given for label in pair}
    observed = sum(one == other for one, other in given) / len(given)
    chance = (
        sum(
            sum(one == label for one, _other in given)
            * sum(other == label for _one, other in given)
            for label in labels
        )
        / len(given) ** 2
    )
    return (observed - chance) / (1 - chance)
