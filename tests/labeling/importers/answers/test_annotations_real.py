"""Real answers by several raters, from PREFERABLY_DATA or ../shared/data, and agreement as it was
published.
"""

import csv
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from labeling.models import Campaign, QualityReport
from labeling.quality.services import compute_quality
from preferably_client import Preferably
from tests.api.client.conftest import bo, site
from tests.api.conftest import client_with, secret_of, wsgi
from tests.cast import NOON
from tests.labeling.answers import words

__all__ = ["bo", "site", "wsgi"]  # fixtures

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


@pytest.fixture
def agreement(bo: User, site: Preferably, signed_in: Callable[..., Client]) -> Callable[..., Any]:
    """The only campaign's agreement by the client, which is that of the API and of its page."""

    def found(*shown: str) -> Any:
        campaign = Campaign.objects.get()
        by_client = site.read_campaign_agreement(campaign.pk)
        by_api = client_with(secret_of(bo)).get(f"/api/v1/campaigns/{campaign.pk}/agreement").json()
        page = words(signed_in(bo).get(f"/campaigns/{campaign.pk}/agreement/"))
        for name, figure in by_client.figures.items():
            assert figure.value == by_api["figures"][name]["value"]
        for question, other in zip(by_client.questions, by_api["questions"], strict=True):
            for name, figure in question.figures.items():
                assert figure.value == other["figures"][name]["value"]
        for number in shown:
            assert number in page
        return by_client

    return found


def test_the_crowds_votes_agree_as_published(agreement: Callable[..., Any]) -> None:
    report = brought(DATA / "llmfao_crowd_comparisons.csv", pairs=DATA / "llmfao_pairs.jsonl")

    figures = agreement("0.29", "70 %").figures
    assert report.n_judgments == 8_931
    assert figures["alpha_nominal"].value == pytest.approx(0.2906, abs=1e-4)
    assert figures["alpha_ordinal"].value == pytest.approx(0.2876, abs=1e-4)
    assert figures["raw_in"].value == pytest.approx(0.532, abs=5e-4)
    assert figures["raw_out"].value == pytest.approx(0.7013, abs=1e-4)
    assert figures["raw_out"].n == 6_755


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
    pyrit: Path,
    agreement: Callable[..., Any],
    name: str,
    n_items: int,
    nominal: float,
    ordinal: float,
    interval: float,
) -> None:
    report = brought(pyrit / f"{name}_multi_score.csv")

    [severity] = agreement(f"{ordinal:.2f}").questions
    assert Campaign.objects.get().items.count() == n_items
    assert severity.figures["alpha"].value == pytest.approx(ordinal, abs=1e-4)
    assert severity.figures["nominal"].value == pytest.approx(nominal, abs=1e-4)
    assert severity.figures["interval"].value == pytest.approx(interval, abs=1e-4)
    [kappas] = report.results["kappas"]
    assert kappas["is_weighted"]
    assert [cell["n"] for cell in kappas["cells"]] == [n_items] * 3


@pytest.mark.parametrize(
    "name", ["llama2new_gpteval", "llama2orig_streval", "mistralinstruct_gpteval"]
)
def test_two_peoples_labels_have_the_kappa_of_a_slow_twin(name: str) -> None:
    """Each model's answers are in two files with the same labels of people."""
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
