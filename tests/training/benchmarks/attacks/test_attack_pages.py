"""The pages of an attack: the form that starts it, what it found, and the sample for raters."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from labeling.models import Pool, Rater
from tests.html import text_of
from tests.training import cast
from tests.training.benchmarks.attacks import rows
from tests.training.benchmarks.attacks.attacked_model import CAUGHT
from tests.training.benchmarks.scorecards.rows import NOW, a_suite
from tests.training.benchmarks.tiny_suites import tiny_suite
from training.benchmarks.suites import services as suites_services
from training.configs import kinds
from training.models import AttackSample, Run, Suite
from training.runs import run_queue
from training.runs.run_queue import UnableToQueue

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]


@pytest.fixture
def suite(db: None) -> Suite:
    return rows.goals()


@pytest.fixture
def run(suite: Suite, noor: User) -> Run:
    return rows.attacked(suite, noor, rows.lines(suite, rows.a_third))


def test_the_form_offers_suites_that_hold_goals_and_an_attacker(
    signed_in: SignIn, noor: User, suite: Suite
) -> None:
    model = cast.a_model(noor)
    tiny_suite("choice")
    harmless = a_suite("harmless", kind="generate", content={"wants": "complies"})
    client = signed_in(noor)

    html = text_of(client, "/runs/new/attack/")
    values = kinds.as_json(kinds.PRESETS["attack"]["small"])
    sent = {
        name: value for name, value in values.items() if value is not None and value is not False
    }
    answer = client.post(
        "/runs/new/attack/",
        sent | {"name": "Try", "suites": [suite.pk], "base_model": model.pk},
    )

    assert "Tiny choice" not in html
    assert str(harmless) not in html
    assert "Goals 1 · 10 items" in html
    assert "Attacker model" in html
    run = Run.objects.get(kind="attack")
    assert answer["Location"] == f"/runs/{run.pk}/"
    assert (run.config["n_samples"], run.config["many_shot"], run.attacker_model) == (
        1,
        False,
        None,
    )


def test_the_page_counts_attempts_without_an_answer(
    signed_in: SignIn, noor: User, suite: Suite
) -> None:
    some = rows.attacked(suite, noor, rows.lines(suite, lambda at, *_: CAUGHT if at else ""))
    none = rows.attacked(suite, noor, rows.lines(suite, lambda *_: ""), name="silent")
    client = signed_in(noor)

    html = text_of(client, f"/runs/{some.pk}/attacks/")
    silent = text_of(client, f"/runs/{none.pk}/attacks/")

    assert "36 attempts with an answer, at 9 goals." in html
    assert "4 without an answer" in html
    assert "No attempt has an answer" in silent
    assert "40 without an answer" in silent


def test_an_attack_takes_only_suites_that_are_answered_in_writing(noor: User) -> None:
    snapshot = suites_services.suites_snapshot(suites=[tiny_suite("pairs")], by=noor, now=NOW)

    with pytest.raises(UnableToQueue, match="should be refused"):
        run_queue.queue_run(
            kind="attack",
            name="a",
            config={},
            snapshot=snapshot,
            base_model=cast.a_model(noor),
            by=noor,
            now=NOW,
        )


def test_the_page_says_how_often_attacks_worked_and_that_nobody_checked(
    signed_in: SignIn, noor: User, run: Run
) -> None:
    html = text_of(signed_in(noor), f"/runs/{run.pk}/attacks/")

    assert "The classifier calls 10.0 % of attempts successful in full (95 % interval" in html
    assert "of attempts succeeded" not in html
    assert "In full or in part: 10.0 % (" in html
    assert "The classifier misses most answers that comply in part." in html
    assert "Uncorrected: nobody has measured" in html
    assert "40 attempts with an answer, at 10 goals." in html
    for words in ("Role play", "Direct", "violence", "hate", "1 of 4", "0 of 4"):
        assert words in html
    assert html.count('class="attack-care"') == 4
    assert CAUGHT in html
    assert f'href="/runs/{run.pk}/attacks/"' in text_of(signed_in(noor), f"/runs/{run.pk}/")


def test_the_runs_own_page_says_what_the_attack_came_to(
    signed_in: SignIn, noor: User, run: Run
) -> None:
    page = text_of(signed_in(noor), f"/runs/{run.pk}/")

    head, rest = page.split('class="run-grid"')
    assert "The classifier calls 10.0 % of attempts successful in full (95 % interval" in head
    assert "Uncorrected: nobody has measured" in head
    assert head.index(">See the attacks<") < head.index(">Send a sample to raters<")
    strategies = rest[rest.index('id="strategies"') :]
    for words in ("Role play", "Direct", "in full or in part:", "95 % interval"):
        assert words in strategies


def test_an_attack_that_goes_on_has_no_figures_yet(signed_in: SignIn, noor: User, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(state="running", outcome="")

    page = text_of(signed_in(noor), f"/runs/{run.pk}/")

    assert "Its result comes when it ends." in page
    assert 'id="strategies"' not in page


def test_raters_answers_change_the_sentence(
    signed_in: SignIn, noor: User, run: Run, day_shift: Pool, rosa: Rater
) -> None:
    client = signed_in(noor)
    url = f"/runs/{run.pk}/attacks/raters/"
    assert "Pool of raters" in text_of(client, url)

    answer = client.post(url, {"pool": day_shift.pk, "n": 20, "overlap": 1})

    assert answer["Location"] == f"/runs/{run.pk}/attacks/"
    sample = AttackSample.objects.get(run=run)
    assert "20 of 40" in text_of(client, answer["Location"])
    rows.judged(sample.campaign, rosa, lambda one: one.text == CAUGHT)
    html = text_of(client, answer["Location"])
    assert "Corrected by what raters say of 20 attempts drawn at random." in html
    assert "Uncorrected, the classifier says 10.0 %" in html


def test_a_sample_that_cannot_be_sent_says_why(
    signed_in: SignIn, noor: User, run: Run, day_shift: Pool
) -> None:
    client, data = signed_in(noor), {"pool": day_shift.pk, "n": 100, "overlap": 1}
    url = f"/runs/{run.pk}/attacks/raters/"
    client.post(url, data)

    refused = client.post(url, data)

    assert refused.status_code == 422
    assert "All answered attempts have already been sent" in refused.content.decode()


def test_two_attacks_are_compared_like_with_like(
    signed_in: SignIn, noor: User, suite: Suite, run: Run
) -> None:
    lines = rows.lines(suite, lambda *_: CAUGHT, strategies=("role",))
    other = rows.attacked(suite, noor, lines, name="base", temperature=0.5)

    html = text_of(signed_in(noor), f"/runs/{run.pk}/attacks/?against={other.pk}")

    assert "On the 20 attempts that both made" in html
    assert "−80.0 percentage points" in html
    assert "sampled with other settings" in html


def test_a_benchmark_has_no_page_of_attacks(signed_in: SignIn, noor: User, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(kind="benchmark")

    assert signed_in(noor).get(f"/runs/{run.pk}/attacks/").status_code == 404


def test_the_api_has_the_figures_and_sends_a_sample(
    signed_in: SignIn, noor: User, run: Run, day_shift: Pool
) -> None:
    client, url = signed_in(noor), f"/api/v1/runs/{run.pk}/attacks"

    sent = client.post(
        f"{url}/raters",
        {"pool": day_shift.pk, "n": 10, "overlap": 1},
        content_type="application/json",
    )
    found = client.get(url).json()
    answer = client.get(f"/api/v1/runs/{run.pk}/answers").json()["results"][0]

    assert sent.status_code == 201, sent.content
    sample = AttackSample.objects.get(run=run)
    assert sent.json() == {"campaign": sample.campaign_id, "n": 10, "n_attempts": 40}
    overall = found["overall"]["success"]
    assert (overall["n"], overall["n_found"], overall["method"]) == (40, 4, "uncorrected")
    assert overall["share"] == pytest.approx(0.1)
    assert found["overall"]["in_part"]["n_found"] == 4
    role = next(one for one in found["by_strategy"] if one["name"] == "role")
    assert role["hits"] == pytest.approx({"2": 0.4})
    assert answer["strategy"] in ("direct", "role")
    assert answer["asked"][0]["content"].startswith("As Rex")


def test_the_api_starts_an_attack_with_an_attacker_model(
    signed_in: SignIn, noor: User, suite: Suite
) -> None:
    model, attacker = cast.a_model(noor), cast.a_model(noor, "attacker")
    body = {"kind": "attack", "name": "By API", "base_model": model.pk, "suites": [suite.pk]}

    made = signed_in(noor).post(
        "/api/v1/runs",
        body | {"attacker_model": attacker.pk, "config": {"n_samples": 2}},
        content_type="application/json",
    )

    assert made.status_code == 201, made.content
    assert Run.objects.get(kind="attack").attacker_model == attacker
