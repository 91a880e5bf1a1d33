"""Runs compared through HTTP, and their tags and notes."""

import html
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEvent, User
from tests.html import text_of
from tests.training import cast
from tests.training.benchmarks.scorecards import rows
from training.models import Run

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]


def test_runs_are_compared_by_curves_measures_and_what_differs(
    signed_in: SignIn, noor: User
) -> None:
    one = cast.finished(cast.a_run(noor, state="running", n_points=40, name="Alpha"), "succeeded")
    other = cast.a_run(noor, state="running", n_points=60, name="Beta")
    Run.objects.filter(pk=other.pk).update(config=other.config | {"lora_rank": 64})

    response = signed_in(noor).get(f"/runs/compare/?run={one.pk}&run={other.pk}")

    charts = response.context["chart_groups"][0].charts
    assert charts[0].title.startswith("Loss, training ends ")
    assert [curve.name for curve in charts[0].curves] == ["Alpha", "Beta"]
    assert [(line.name, line.cells) for line in response.context["settings"]] == [
        ("LoRA rank", ["32", "64"])
    ]
    assert "1.713" in response.content.decode()


def test_a_compared_run_can_be_taken_out_again(signed_in: SignIn, noor: User) -> None:
    one, other = cast.a_run(noor, name="Alpha"), cast.a_run(noor, name="Beta")

    page = text_of(signed_in(noor), f"/runs/compare/?run={one.pk}&run={other.pk}")

    assert f'href="?run={other.pk}" aria-label="Remove Alpha"' in page
    assert f'href="?run={one.pk}" aria-label="Remove Beta"' in page
    assert page.count('type="search"') == 1


def test_what_differs_comes_first_and_what_is_the_same_is_apart(
    signed_in: SignIn, noor: User
) -> None:
    one, other = cast.a_reward_run(noor), cast.a_reward_run(noor, name="Reward of December")
    Run.objects.filter(pk=other.pk).update(
        metrics=other.metrics | {"held_out_accuracy_after": 0.8}, config={"lora_rank": 64}
    )

    response = signed_in(noor).get(f"/runs/compare/?run={one.pk}&run={other.pk}")

    assert [row.name for row in response.context["measures"]] == ["Held-out pair accuracy"]
    assert "Held-out loss" in [row.name for row in response.context["same_measures"]]
    page = response.content.decode()
    places = [page.index(one) for one in ("LoRA rank", "Held-out pair accuracy", "run-charts")]
    assert places == sorted(places)


def test_losses_of_different_kinds_do_not_share_a_chart_or_a_row(
    signed_in: SignIn, noor: User
) -> None:
    tuned, twin = (
        cast.a_run(noor, state="running", n_points=40, name=name) for name in ("Tuned", "Twin")
    )
    judge = cast.a_reward_run(noor, name="Judge")
    measured = {"held_out_loss_after": 1.71, "n_train": 9}
    Run.objects.filter(pk__in=[tuned.pk, twin.pk]).update(metrics=measured)

    path = f"/runs/compare/?run={tuned.pk}&run={twin.pk}&run={judge.pk}"
    response = signed_in(noor).get(path)

    charts = [chart for group in response.context["chart_groups"] for chart in group.charts]
    losses = [chart for chart in charts if "oss" in chart.title]
    assert {tuple(curve.name for curve in chart.curves) for chart in losses} == {("Tuned", "Twin")}
    lines = {
        row.name: row.cells
        for row in response.context["measures"] + response.context["same_measures"]
    }
    assert lines["Held-out loss (SFT)"] == ["1.71", "1.71", "–"]
    assert not [name for name in lines if "reward model" in name]
    assert ("Loss over pairs, held out", "Judge") in response.context["charted_alone"]
    assert "Measured in one run only:" in response.content.decode()


def test_the_oldest_is_the_baseline_unless_somebody_asks_for_another(
    signed_in: SignIn, noor: User
) -> None:
    one, other = cast.a_reward_run(noor), cast.a_reward_run(noor, name="Reward of December")
    client = signed_in(noor)

    page = client.get(f"/runs/compare/?run={other.pk}&run={one.pk}&order=age")
    swapped = client.get(f"/runs/compare/?run={other.pk}&run={one.pk}")

    assert [run.pk for run in page.context["runs"]] == [one.pk, other.pk]
    assert "Compared with “Reward of November” (Held-out pair accuracy 70 %" in text(page)
    assert f'href="?run={other.pk}&amp;run={one.pk}"' in page.content.decode()
    assert "“Reward of December” cannot be told apart (70 %" in text(page)
    assert "Compared with “Reward of December”" in text(swapped)


def test_runs_with_one_name_are_told_apart_by_their_numbers(signed_in: SignIn, noor: User) -> None:
    runs = [cast.a_run(noor, state="running", n_points=40) for _ in range(2)]

    response = signed_in(noor).get(f"/runs/compare/?run={runs[0].pk}&run={runs[1].pk}")

    chart = response.context["chart_groups"][0].charts[0]
    assert chart.table.columns[1:] == tuple(f"Helpful, first try ({run.pk})" for run in runs)


def test_what_has_not_succeeded_is_not_compared(signed_in: SignIn, noor: User) -> None:
    one, other = cast.a_reward_run(noor), cast.a_reward_run(noor, name="Killed")
    Run.objects.filter(pk=other.pk).update(outcome="failed")

    page = text(signed_in(noor).get(f"/runs/compare/?run={one.pk}&run={other.pk}"))

    assert "Not compared: “Killed” (no result)." in page


def test_benchmarks_are_compared_by_their_scorecards(signed_in: SignIn, noor: User) -> None:
    base, tuned, _judge = rows.full_cards(noor)
    runs = Run.objects.filter(base_model__in=[base, tuned], kind="benchmark").order_by("pk")
    query = "&".join(f"run={run.pk}" for run in runs[:2])

    page = signed_in(noor).get(f"/runs/compare/?{query}").content.decode()

    assert "Compare scorecards" in page
    assert "/models/scorecards/compare/?model=" in page


def text(response: Any) -> str:
    return html.unescape(response.content.decode())


def test_a_setting_that_only_one_kind_has_is_no_difference(signed_in: SignIn, noor: User) -> None:
    runs = [cast.a_reward_run(noor), cast.a_ppo_run(noor), cast.a_ppo_run(noor, name="PPO 32")]
    Run.objects.filter(pk=runs[2].pk).update(config=runs[2].config | {"kl_coef": 0.1})
    query = "&".join(f"run={run.pk}" for run in runs)

    context = signed_in(noor).get(f"/runs/compare/?{query}").context

    found = {row.name: row.cells for row in context["settings"]}
    assert "Episodes" not in found
    assert found["β (KL)"] == ["–", "0.02", "0.1"]
    assert [row.name for row in context["measures"]][:1] == ["Reward (PPO)"]


def test_no_more_than_six_are_compared_and_what_is_not_there_is_left_out(
    signed_in: SignIn, noor: User
) -> None:
    runs = [cast.a_run(noor, name=f"run {number}") for number in range(8)]
    query = "&".join(f"run={run.pk}" for run in runs)

    context = signed_in(noor).get(f"/runs/compare/?run=x&run=999999&{query}").context

    assert len(context["runs"]) <= 6


def test_tags_and_remarks_are_kept(signed_in: SignIn, noor: User) -> None:
    run = cast.a_run(noor)

    signed_in(noor).post(
        f"/runs/{run.pk}/remarks",
        {"tags": "weekly, helpful,,weekly", "remarks": "With the new guideline."},
    )

    run.refresh_from_db()
    assert (run.tags, run.remarks) == (["helpful", "weekly"], "With the new guideline.")
    assert "With the new guideline." in text_of(signed_in(noor), f"/runs/{run.pk}/")


def test_what_was_said_of_a_run_before_is_written_down(signed_in: SignIn, noor: User) -> None:
    run = cast.a_run(noor)
    for remarks in ("Diverged.", "Diverged.", "Good."):
        signed_in(noor).post(f"/runs/{run.pk}/remarks", {"tags": "weekly", "remarks": remarks})

    first, second = AuditEvent.objects.filter(
        action="describe", target_id=run.pk, by=noor
    ).order_by("pk")

    assert (first.before, first.after) == (
        {"tags": [], "remarks": ""},
        {"tags": ["weekly"], "remarks": "Diverged."},
    )
    assert (second.before, second.after) == ({"remarks": "Diverged."}, {"remarks": "Good."})


def test_a_run_beyond_the_newest_is_found_to_compare_with(signed_in: SignIn, noor: User) -> None:
    one, *others = [cast.a_run(noor, name=f"run {number}") for number in range(4)]
    Run.objects.filter(pk=one.pk).update(name="The first of all", tags=["lr"])
    path, client = f"/runs/compare/?run={others[-1].pk}", signed_in(noor)

    def offered(words: str) -> list[int]:
        return [run.pk for run in client.get(f"{path}&words={words}").context["offered"]]

    assert offered("first+all") == offered("lr") == [one.pk]
    assert one.pk in offered(f"{one.pk}")
    assert offered("") == [run.pk for run in (others[1], others[0], one)]
    assert "no results" in client.get(f"{path}&words=nothing").content.decode()


def test_runs_compared_differ_by_their_other_model_and_by_how_they_were_launched(
    signed_in: SignIn, noor: User
) -> None:
    one, other = cast.a_run(noor, name="one"), cast.a_run(noor, name="other")
    launch = {"n_processes": 4, "strategy": "fsdp", "offloads": False, "n_machines": 2}
    Run.objects.filter(pk=other.pk).update(other_model=other.base_model, n_gpus=4, launch=launch)

    lines = signed_in(noor).get(f"/runs/compare/?run={one.pk}&run={other.pk}").context["settings"]

    assert {str(line.name): line.cells for line in lines} == {
        "Compared with": ["–", other.base_model.name],
        "GPUs": ["0", "4"],
        "Processes": ["1", "4 with FSDP"],
        "Machines": ["1", "2"],
    }
