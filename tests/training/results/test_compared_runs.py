"""Runs compared through HTTP, and their tags and notes."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import AuditEvent, User
from tests.html import text_of
from tests.training import cast
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


def test_losses_of_different_kinds_do_not_share_a_chart(signed_in: SignIn, noor: User) -> None:
    tuned = cast.a_run(noor, state="running", n_points=40, name="Tuned")
    judge = cast.a_reward_run(noor, name="Judge")

    path = f"/runs/compare/?run={tuned.pk}&run={judge.pk}"
    groups = signed_in(noor).get(path).context["chart_groups"]

    losses = [chart for chart in groups[0].charts if "oss" in chart.title]
    assert {tuple(curve.name for curve in chart.curves) for chart in losses} == {
        ("Tuned",),
        ("Judge",),
    }
    assert {curve.number for chart in losses for curve in chart.curves} == {1, 2}


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
