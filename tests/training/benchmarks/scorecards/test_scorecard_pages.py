"""Pages, exports and API of scorecards, and the table on a model's card."""

import csv
import io
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from arithmetic import intervals
from tests.training import cast
from tests.training.benchmarks.scorecards import rows
from training.benchmarks.scorecards import services
from training.models import Suite, TrainedModel
from training.registry.archive import cards

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
SignedIn = Callable[[User], Client]


@pytest.fixture
def models(noor: User) -> list[TrainedModel]:
    """A base model and one tuned from it, which refuses less and knows as much."""
    base, tuned = (cast.a_model(noor, name) for name in ("base", "=tuned"))
    TrainedModel.objects.filter(pk=tuned.pk).update(parent=base)
    knows = rows.a_suite("knows", n=30)
    answers = rows.a_suite("answers", n=40, area="over-refusal")
    for model, rights in [(base, [False] * 20 + [True] * 20), (tuned, [True] * 40)]:
        rows.scored(model, knows, [True] * 25 + [False] * 5, by=noor)
        rows.scored(model, answers, rights, by=noor)
    return [base, TrainedModel.objects.get(pk=tuned.pk)]


def test_a_models_page_starts_with_its_scorecard(
    signed_in: SignedIn, noor: User, models: list[TrainedModel]
) -> None:
    page = signed_in(noor).get(f"/models/{models[1].pk}/").text

    assert "Compared with base on 2 suites: better on 1, worse on 0" in page
    assert "cannot be told apart" in page
    assert page.index('id="scorecard"') < page.index("lineage-map")


def test_a_model_without_scores_offers_a_benchmark(signed_in: SignedIn, noor: User) -> None:
    model = cast.a_model(noor)

    page = signed_in(noor).get(f"/models/{model.pk}/").text

    assert f"/runs/new/benchmark/?base_model={model.pk}" in page


def test_the_whole_card_shows_categories(
    signed_in: SignedIn, noor: User, models: list[TrainedModel]
) -> None:
    page = signed_in(noor).get(f"/models/{models[1].pk}/scorecard/").text

    assert "By category" in page
    assert "Log-likelihood per character 1" in page
    assert "The right choice has the highest log-likelihood." in page


def test_all_models_are_in_one_grid_and_an_area_narrows_it(
    signed_in: SignedIn, noor: User, models: list[TrainedModel]
) -> None:
    client = signed_in(noor)

    everything = client.get("/models/scorecards/").text
    narrowed = client.get("/models/scorecards/?area=over-refusal").text

    assert everything.count('type="checkbox" name="model"') == 2
    assert "83.3 %" in everything
    assert "83.3 %" not in narrowed
    assert "100.0 %" in narrowed


def test_the_page_of_all_models_begins_with_what_the_newest_differs_in(
    signed_in: SignedIn, noor: User, models: list[TrainedModel]
) -> None:
    base, tuned = models
    client = signed_in(noor)

    everything, narrowed = (
        client.get(f"/models/scorecards/{query}").context["verdict"]
        for query in ("", "?area=capability")
    )

    assert everything.sentence == (
        "=tuned is the newest of 2 models; it and base have answered 70 items in common. Compared"
        " with base on 2 suites: better on 1, worse on 0, cannot be told apart on 1."
    )
    assert everything.action.url.endswith(f"?model={base.pk}&model={tuned.pk}")
    assert "30 items in common. Compared with base on 1 suite: better on 0" in narrowed.sentence


def test_the_page_of_one_scored_model_asks_for_another(signed_in: SignedIn, noor: User) -> None:
    rows.scored(cast.a_model(noor, "base"), rows.a_suite("knows", n=30), [True] * 30, by=noor)

    found = signed_in(noor).get("/models/scorecards/").context["verdict"]

    assert (found.sentence, found.action.url) == ("Scored on 1 suite.", "/runs/new/benchmark/")


def test_compared_models_show_the_items_on_which_they_differ(
    signed_in: SignedIn, noor: User, models: list[TrainedModel]
) -> None:
    base, tuned = models
    suite = Suite.objects.get(slug="answers").pk

    page = (
        signed_in(noor)
        .get(f"/models/scorecards/compare/?model={base.pk}&model={tuned.pk}&suite={suite}")
        .text
    )

    assert "20 items of Answers 1 are scored differently." in page
    assert page.count('class="card score-item"') == 10


def test_the_grids_selection_is_read_against_the_oldest_and_can_be_turned_round(
    signed_in: SignedIn, noor: User, models: list[TrainedModel]
) -> None:
    base, tuned = models
    client = signed_in(noor)

    page = client.get(f"/models/scorecards/compare/?order=age&model={tuned.pk}&model={base.pk}")

    assert page.context["card"].baseline == base
    turned = f"?model={tuned.pk}&amp;model={base.pk}"
    assert f'href="{turned}"' in page.text
    page = client.get(f"/models/scorecards/compare/{turned.replace('&amp;', '&')}")
    assert page.context["card"].baseline == tuned
    assert 'name="order" value="age"' in client.get("/models/scorecards/").text


def test_a_reward_models_preference_has_its_calibrated_probability(
    signed_in: SignedIn, noor: User
) -> None:
    pair = {"better": "A short answer.", "worse": "An answer that goes on and on."}
    suite = rows.a_suite(
        "pairs", n=1, kind="pairs", scorer="preferred", area="reward", content=pair
    )
    models = [cast.a_model(noor, name, kind="reward") for name in ("calibrated", "unknown")]
    TrainedModel.objects.filter(pk=models[0].pk).update(metrics={"temperature": 1.62})
    for model, worse in zip(models, (2.6, 0.0), strict=True):
        run = rows.a_benchmark(model, [suite], by=noor)
        values = {"better": 1.0, "worse": worse, "by": "reward"}
        line = {"item": suite.items.get().pk, "values": values}
        services.store_answers(run_id=run.pk, attempt=1, rows=[line], now=rows.NOW)
        rows.ended(run)

    query = "&".join(f"model={model.pk}" for model in models)
    page = signed_in(noor).get(f"/models/scorecards/compare/?{query}&suite={suite.pk}").text

    assert page.count("likely better") == 1
    assert "73 % likely better" in page


def test_a_comparison_of_nothing_asks_for_a_model(signed_in: SignedIn, noor: User) -> None:
    answer = signed_in(noor).get("/models/scorecards/compare/?model=99&model=x")

    assert answer.status_code == 200


def test_csv_holds_no_formulas(signed_in: SignedIn, noor: User, models: list[TrainedModel]) -> None:
    base, tuned = models

    answer = signed_in(noor).get(f"/models/scorecards/compare.csv?model={base.pk}&model={tuned.pk}")

    found = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["model"] for row in found} == {"base", "'=tuned"}
    better = next(row for row in found if row["verdict"] == "better")
    assert (better["suite"], float(better["difference"])) == ("answers", 0.5)


def test_json_and_drawing_of_a_comparison(
    signed_in: SignedIn, noor: User, models: list[TrainedModel]
) -> None:
    base, tuned = models
    client, query = signed_in(noor), f"model={base.pk}&model={tuned.pk}"

    found = client.get(f"/models/scorecards/compare.json?{query}").json()
    drawing = client.get(f"/models/scorecards/compare.svg?{query}")

    assert [one["name"] for one in found["models"]] == ["base", "=tuned"]
    assert len(found["scores"]) == 4
    assert drawing["Content-Type"] == "image/svg+xml"
    assert drawing.text.count("<circle") == 2 + 4


def test_the_api_reads_a_scorecard(
    signed_in: SignedIn, noor: User, models: list[TrainedModel]
) -> None:
    base, tuned = models

    found = signed_in(noor).get(f"/api/v1/models/{tuned.pk}/scorecard").json()

    assert found["baseline"] == {"id": base.pk, "name": "base"}
    assert {one["suite"]: one["verdict"] for one in found["scores"]} == {
        "knows": "cannot be told apart",
        "answers": "better",
    }


def test_a_models_card_has_its_scores_with_intervals(models: list[TrainedModel]) -> None:
    text = cards.generated_card(model=models[1])

    assert "## Benchmarks" in text
    low, high = intervals.of_votes([1.0] * 25 + [0.0] * 5, range(30)) or (0, 0)
    ends = f"{low * 100:.1f}–{high * 100:.1f} %"
    assert f"| Knows 1 | capability | 83.3 % | {ends} | 30 | 0 | – | Log-likelihood 1 |" in text


def test_scores_are_published_beside_a_card_that_a_person_wrote(
    models: list[TrainedModel],
) -> None:
    scores = cards.lineage_json(model=models[1])["scores"]

    assert {one["suite"]: one["score"] for one in scores} == {
        "knows": pytest.approx(25 / 30),
        "answers": 1.0,
    }


def test_raters_see_no_scorecards(signed_in: SignedIn, rosa: object) -> None:
    client = signed_in(rosa.user)  # type: ignore[attr-defined]

    assert client.get("/models/scorecards/").status_code in (403, 404)
