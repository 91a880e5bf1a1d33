"""A researcher's pages through HTTP: what they say, whom they refuse, and what they cost the
database.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from labeling.models import Campaign, Rater, Response
from tests.cast import responses_to, some_prompts
from tests.html import text_of
from tests.training import cast
from tests.training.benchmarks.scorecards.rows import a_benchmark, a_suite
from tests.training.snapshots.test_freezing import demonstrate, on_split
from training.models import BenchmarkAnswer, Endpoint, Run, RunPoint, Snapshot, TrainedModel
from training.results import curves
from training.runs import selectors as runs_selectors
from training.runs.selectors import RunFilter

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]


# --- who ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/runs/", "/runs/new/sft/", "/snapshots/", "/snapshots/new/", "/models/", "/models/new/"],
)
def test_admins_and_raters_are_refused(
    signed_in: SignIn, alice: User, rosa: Rater, path: str
) -> None:
    assert signed_in(alice).get(path).status_code == 403
    assert signed_in(rosa).get(path).status_code == 403


def test_what_is_not_there_is_not_found(signed_in: SignIn, noor: User) -> None:
    for path in (
        "/runs/999/",
        "/runs/999/live",
        "/snapshots/999/",
        "/models/999/",
        "/runs/new/dance/",
    ):
        assert signed_in(noor).get(path).status_code == 404, path


# --- runs -----------------------------------------------------------------------------------------


def test_the_list_costs_the_same_for_one_run_and_for_twenty(
    signed_in: SignIn,
    noor: User,
    django_assert_num_queries: DjangoAssertNumQueries,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client = signed_in(noor)
    cast.a_run(noor, state="running", n_points=3)
    with django_assert_max_num_queries(12) as few:
        client.get("/runs/")

    for number in range(19):
        cast.finished(cast.a_run(noor, state="running", name=f"run {number}"), "succeeded")

    with django_assert_num_queries(len(few)):
        client.get("/runs/")


def test_a_runs_page_costs_the_same_for_few_points_and_for_many(
    signed_in: SignIn,
    noor: User,
    django_assert_num_queries: DjangoAssertNumQueries,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client = signed_in(noor)
    short, long = (
        cast.a_run(noor, state="running", n_points=3),
        cast.a_run(noor, state="running", n_points=3000),
    )
    with django_assert_max_num_queries(13) as few:  # one asks who has withdrawn
        client.get(f"/runs/{short.pk}/")

    with django_assert_num_queries(len(few)):
        client.get(f"/runs/{long.pk}/")


def test_the_list_is_narrowed_by_its_address(signed_in: SignIn, noor: User) -> None:
    cast.a_run(noor, name="Alpha")
    cast.finished(cast.a_run(noor, state="running", name="Beta"), "failed", "x")

    text = text_of(signed_in(noor), "/runs/?state=failed")

    assert "Beta" in text
    assert "Alpha" not in text


def test_a_failed_run_opens_on_its_sentence(signed_in: SignIn, noor: User) -> None:
    run = cast.finished(
        cast.a_run(noor, state="running", n_points=5), "failed", "The loss became NaN at step 5."
    )

    text = text_of(signed_in(noor), f"/runs/{run.pk}/")

    assert text.index("The loss became NaN at step 5.") < text.index("Data")
    assert "Try again" in text


def test_a_running_page_asks_for_its_fragment_and_an_ended_one_does_not(
    signed_in: SignIn, noor: User
) -> None:
    running = cast.a_run(noor, state="running", n_points=5)
    ended = cast.finished(cast.a_run(noor, state="running", n_points=5), "succeeded")
    client = signed_in(noor)

    assert f'hx-get="/runs/{running.pk}/live"' in text_of(client, f"/runs/{running.pk}/")
    assert 'hx-get="/runs/' not in text_of(client, f"/runs/{ended.pk}/")
    assert client.get(f"/runs/{running.pk}/live").status_code == 200
    assert client.get(f"/runs/{ended.pk}/live").status_code == 286


def test_text_of_a_model_is_shown_as_text(signed_in: SignIn, noor: User) -> None:
    run = cast.a_run(noor, state="running", n_points=2)
    run.samples.update(response="<script>alert(1)</script>")

    assert "<script>alert(1)" not in text_of(signed_in(noor), f"/runs/{run.pk}/")


def test_accuracies_of_groups_stand_in_a_table(signed_in: SignIn, noor: User) -> None:
    run = cast.a_run(noor, state="finished", outcome="succeeded")
    of_six = {"n": 6, "accuracy": 1.0, "low": 0.61, "high": 1.0}
    run.metrics = {
        "accuracy_by": {
            name: [{"group": group, **of_six}] for name, group in (("strength", "4"), ("pool", ""))
        }
    }
    run.metrics |= {
        "cross_validation": [{"unseen": of_six | {"n": 7}, "seen": of_six}],
        "unseen_raters_accuracy": 0.696,
    }
    run.save()

    page = text_of(signed_in(noor), f"/runs/{run.pk}/")

    assert [text in page for text in ("Unseen raters", "Fold 1", "70 %", "cross validation")] == [
        True,
        True,
        True,
        False,
    ]
    assert [
        text in page for text in ("significantly", "Not specified", "61–100 %", "accuracy by")
    ] == [
        True,
        True,
        True,
        False,
    ]


def test_a_stopped_run_says_how_far_it_got_and_offers_to_resume(
    signed_in: SignIn, noor: User
) -> None:
    run = cast.a_run(noor, state="running", n_points=100, stop_requested_at=timezone.now())
    cast.finished(run, "succeeded")
    Run.objects.filter(pk=run.pk).update(outcome="stopped", kept_step=100)
    client = signed_in(noor)

    page = text_of(client, f"/runs/{run.pk}/")

    assert "step 100 of 400" in page
    assert "25 %" in page
    assert ">Resume</button>" in page
    client.post(f"/runs/{run.pk}/retry")
    run.refresh_from_db()
    assert run.state == "queued"


def test_a_benchmark_whose_server_left_something_unanswered_offers_to_ask_that(
    signed_in: SignIn, noor: User
) -> None:
    suite, read = a_suite(n=2, kind="generate"), a_suite("read", n=2, kind="pairs")
    model = cast.a_model(noor)
    ended = {"state": "finished", "outcome": "succeeded", "finished_at": timezone.now()}
    run = a_benchmark(model, [suite, read], by=noor)
    Run.objects.filter(pk=run.pk).update(**ended)
    item = suite.items.get(position=0)
    missing = BenchmarkAnswer.objects.create(run=run, item=item, missing="The server was busy.")
    client = signed_in(noor)
    assert "Ask what is missing" not in text_of(client, f"/runs/{run.pk}/")

    Endpoint.objects.create(model=model, url="http://127.0.0.1:9/v1", served_name="served")
    assert 'id="retry">Ask what is missing</button>' in text_of(client, f"/runs/{run.pk}/")
    answered = client.post(f"/runs/{run.pk}/retry", follow=True)
    assert "It asks what has no answer yet" in answered.content.decode()

    Run.objects.filter(pk=run.pk).update(**ended)
    assert client.post(f"/api/v1/runs/{run.pk}/retry").status_code == 200
    Run.objects.filter(pk=run.pk).update(**ended)
    missing.delete()
    BenchmarkAnswer.objects.create(
        run=run, item=read.items.get(position=0), missing="No likelihoods."
    )
    assert "Ask what is missing" not in text_of(client, f"/runs/{run.pk}/")
    assert client.post(f"/api/v1/runs/{run.pk}/retry").status_code == 409


def test_stop_and_retry_are_posts(signed_in: SignIn, noor: User) -> None:
    run = cast.a_run(noor, state="running", n_points=2)
    client = signed_in(noor)

    assert client.get(f"/runs/{run.pk}/stop").status_code == 405
    client.post(f"/runs/{run.pk}/stop")
    run.refresh_from_db()
    assert run.stop_requested_at is not None

    cast.finished(run, "stopped")
    client.post(f"/runs/{run.pk}/retry")
    run.refresh_from_db()
    assert (run.state, run.stop_requested_at) == ("queued", None)


def test_a_run_is_killed_after_asking_back_once_a_stop_was_asked_for(
    signed_in: SignIn, noor: User
) -> None:
    run = cast.a_run(noor, state="running", n_points=2, progress_at=timezone.now())
    client = signed_in(noor)
    assert f"/runs/{run.pk}/kill" not in text_of(client, f"/runs/{run.pk}/")
    client.post(f"/runs/{run.pk}/stop")

    assert f"/runs/{run.pk}/kill" in text_of(client, f"/runs/{run.pk}/live")
    asked = text_of(client, f"/runs/{run.pk}/kill")
    run.refresh_from_db()
    assert (run.state, "no model is saved" in asked) == ("running", True)
    client.post(f"/runs/{run.pk}/kill")

    run.refresh_from_db()
    assert (run.state, run.outcome) == ("finished", "stopped")
    page = text_of(client, f"/runs/{run.pk}/")
    assert ("Noor force-stopped it" in page, "Stopped and saved" in page) == (True, False)
    assert client.get(f"/runs/{run.pk}/kill").status_code == 302


def test_a_run_without_a_step_for_minutes_can_be_killed(signed_in: SignIn, noor: User) -> None:
    run = cast.a_run(noor, state="running", n_points=0)

    assert f"/runs/{run.pk}/kill" in text_of(signed_in(noor), f"/runs/{run.pk}/")


# --- snapshots and models -------------------------------------------------------------------------


def test_a_snapshot_is_cut_from_the_form(
    signed_in: SignIn,
    noor: User,
    rosa: Rater,
    settings: LazySettings,
    tmp_path: Any,
    demonstration_campaign: Campaign,
) -> None:
    settings.SNAPSHOTS_DIR = tmp_path
    demonstrate(on_split("train")[0], rosa, campaign=demonstration_campaign)

    response = signed_in(noor).post(
        "/snapshots/new/?kind=demonstrations", {"name": "November", "includes_imports": "on"}
    )

    snapshot = Snapshot.objects.get()
    assert response.headers["Location"] == f"/snapshots/{snapshot.pk}/"
    text = text_of(signed_in(noor), f"/snapshots/{snapshot.pk}/?verify")
    assert "match the fingerprint" in text
    assert snapshot.fingerprint in text


def test_a_snapshot_of_nothing_is_refused_with_a_sentence(
    signed_in: SignIn, noor: User, settings: LazySettings, tmp_path: Any
) -> None:
    settings.SNAPSHOTS_DIR = tmp_path

    response = signed_in(noor).post("/snapshots/new/?kind=comparisons", {"name": "None"})

    assert response.status_code == 422
    assert "no decided pair" in response.content.decode()


def test_missing_files_are_said_on_verifying(signed_in: SignIn, noor: User) -> None:
    snapshot = cast.a_snapshot(noor)

    assert "Do not train on this snapshot" in text_of(
        signed_in(noor), f"/snapshots/{snapshot.pk}/?verify"
    )


def test_a_model_is_registered_from_a_hub_name(signed_in: SignIn, noor: User) -> None:
    signed_in(noor).post(
        "/models/new/",
        {"name": "Base", "kind": "policy", "location": "owner/model", "licence": "MIT"},
    )

    model = TrainedModel.objects.get()
    assert (model.location, model.created_by) == ("owner/model", noor)
    assert model.source is not None
    assert "owner" not in model.source.name


@pytest.mark.parametrize(
    ("location", "sentence"),
    [
        ("/nowhere/at/all", "The folder /nowhere/at/all does not exist"),
        ("not a name", "is not a full path or a hub name"),
        ("..", "is not a full path or a hub name"),
        (".", "is not a full path or a hub name"),
        ("../victim", "is not a full path or a hub name"),
        ("owner/..", "is not a full path or a hub name"),
    ],
)
def test_a_model_that_cannot_be_found_is_refused(
    signed_in: SignIn, noor: User, location: str, sentence: str
) -> None:
    response = signed_in(noor).post(
        "/models/new/", {"name": "Base", "kind": "policy", "location": location}
    )

    assert response.status_code == 422
    assert sentence in response.content.decode()


@pytest.mark.parametrize("path", ["/snapshots/", "/models/"])
def test_the_other_lists_cost_the_same_for_few_and_for_many(
    signed_in: SignIn,
    noor: User,
    django_assert_num_queries: DjangoAssertNumQueries,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    path: str,
) -> None:
    client = signed_in(noor)
    cast.finished(cast.a_run(noor, state="running"), "succeeded")
    with django_assert_max_num_queries(10) as few:
        client.get(path)

    for number in range(10):
        cast.finished(cast.a_run(noor, state="running"), "succeeded")
        cast.a_snapshot(noor, name=f"snapshot {number}")

    with django_assert_num_queries(len(few)):
        client.get(path)


# --- reads behind the pages -----------------------------------------------------------------------


def test_replayed_steps_count_once_and_the_later_attempt_wins(noor: User) -> None:
    run = cast.a_run(noor, state="running", attempt=2)
    now = timezone.now()
    for attempt, steps in ((1, range(1, 7)), (2, range(4, 6))):
        for step in steps:
            RunPoint.objects.create(
                run=run, attempt=attempt, step=step, at=now, values={"loss": attempt * 100 + step}
            )

    points = curves.curves(run=run)["loss"].points

    assert points == [(1, 101), (2, 102), (3, 103), (4, 204), (5, 205)]


def test_a_hundred_thousand_points_are_thinned_by_the_database(noor: User) -> None:
    run = cast.a_run(noor, state="running", n_points=6000)

    assert 750 <= len(curves.curves(run=run)["loss"].points) <= 850


def test_time_left_follows_this_attempts_pace(noor: User) -> None:
    now = timezone.now()
    run = cast.a_run(noor, state="running", attempt=1, step=11, n_steps=21)
    for step in (1, 11):
        RunPoint.objects.create(
            run=run, attempt=1, step=step, at=now - timedelta(seconds=2 * (11 - step)), values={}
        )

    assert runs_selectors.live(run=run, now=now).left_s == pytest.approx(20)


def test_a_run_without_a_heartbeat_for_long_is_called_silent(noor: User) -> None:
    run = cast.a_run(noor, state="running", n_points=3)

    assert runs_selectors.live(run=run, now=timezone.now() + timedelta(minutes=5)).is_silent


def test_the_nearest_preset_is_the_one_that_differs_least(noor: User) -> None:
    preset, differences = runs_selectors.differences_from_preset(run=cast.a_run(noor))

    assert preset == "balanced"
    assert [(one.label, one.value, one.was) for one in differences] == [
        ("Learning rate", "5e-05", "0.0002"),
        ("LoRA rank", "32", "16"),
    ]


def test_words_find_runs_by_name_model_and_snapshot(noor: User) -> None:
    run = cast.a_run(noor, name="Helpful")

    assert list(runs_selectors.runs(narrowed=RunFilter(words="helpful smollm2 november"))) == [run]
    assert not runs_selectors.runs(narrowed=RunFilter(words="helpful nothing")).exists()


def test_a_sampling_run_leads_to_its_responses_and_to_a_campaign(
    signed_in: SignIn, noor: User, alice: User
) -> None:
    run = cast.a_sampling_run(noor)
    prompts = some_prompts(2)
    source = responses_to(prompts, n=1, source_name="model-1")[0].source
    Response.objects.filter(source=source).update(number=run.pk * 1000)
    responses_to(prompts, n=1, source_name="model-1")
    TrainedModel.objects.filter(pk=run.base_model_id).update(source=source)

    page = text_of(signed_in(noor), f"/runs/{run.pk}/")
    assert "See all 40 responses" in page
    assert "/campaigns/new/" not in page
    written = text_of(signed_in(noor), f"/models/{run.base_model_id}/responses/?run={run.pk}")
    assert f"wrote 2 in the run {run.name}" in written

    alice.is_researcher = True
    alice.save()
    page = text_of(signed_in(alice), f"/runs/{run.pk}/")
    assert f'href="/campaigns/new/?response_source={source.pk}"' in page
    form = text_of(signed_in(alice), f"/campaigns/new/?response_source={source.pk}")
    assert re.search(rf'name="response_sources" value="{source.pk}"[^>]*checked', form)
    assert re.search(r'name="kind" value="comparison"[^>]*checked', form)


def test_a_trained_model_leads_to_trying_it(signed_in: SignIn, noor: User) -> None:
    run = cast.finished(cast.a_run(noor, state="running", n_points=3), "succeeded")

    page = text_of(signed_in(noor), f"/runs/{run.pk}/")

    assert f'href="/models/try/?model={run.trained_model.pk}"' in page
    assert f'href="/runs/new/sample/?base_model={run.trained_model.pk}"' in page


def test_a_snapshot_leads_to_every_kind_of_run_that_takes_it(signed_in: SignIn, noor: User) -> None:
    snapshot = cast.a_snapshot(noor, "comparisons")

    page = text_of(signed_in(noor), f"/snapshots/{snapshot.pk}/")

    for kind in ("reward", "dpo", "evaluate"):
        assert f'href="/runs/new/{kind}/?snapshot={snapshot.pk}"' in page


def test_the_list_shows_each_runs_result_and_how_long_it_took(
    signed_in: SignIn, noor: User
) -> None:
    cast.a_reward_run(noor)
    cast.a_run(noor, name="Waiting")

    text = text_of(signed_in(noor), "/runs/")

    assert "52 % →" in text
    assert "<strong>70 %</strong>" in text
    assert "64–76 %" in text
    assert "31 min" in text


def test_the_list_is_sorted_by_its_address(signed_in: SignIn, noor: User) -> None:
    now = timezone.now()
    for name, accuracy, minutes in (("b", 0.7, 5), ("a", 0.9, 50), ("c", 0.8, 1)):
        run = cast.a_reward_run(noor, name=name)
        Run.objects.filter(pk=run.pk).update(
            metrics=run.metrics | {"held_out_accuracy_after": accuracy},
            started_at=now - timedelta(minutes=minutes),
            finished_at=now,
        )
    cast.a_run(noor, name="waiting", started_at=None)
    client = signed_in(noor)

    def order(query: str) -> str:
        rows = client.get(f"/runs/?{query}").context["rows"]
        return " ".join(row.run.name for row in rows)

    assert order("") == "waiting c a b"
    assert order("sort=name") == "a b c waiting"
    assert order("sort=-duration") == "a b c waiting"
    assert order("kind=reward&sort=-result") == "a c b"
    assert order("sort=-result") == "waiting c a b"
