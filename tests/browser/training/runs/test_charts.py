"""Charts in Chromium: their numbers at the pointer, by the keys and by touch, and as a table."""

import re
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from tests.training import cast
from training.models import Run, RunPoint

Opener = Callable[..., Page]


def chart(page: Page, title: str) -> Locator:
    return page.locator(".chart", has=page.locator(".chart-title", has_text=title))


def move_over(page: Page, found: Locator, *, share: float) -> None:
    """Moves the pointer over a chart, at this share of its width."""
    found.scroll_into_view_if_needed()
    box = found.locator("svg").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)


def table_of(found: Locator) -> list[list[str]]:
    rows: list[list[str]] = found.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    return rows


def as_shown(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")


def test_the_numbers_at_the_pointer_are_those_of_the_step_there(
    open_page: Opener, noor: User
) -> None:
    run = cast.a_run(noor, state="running", n_points=150)
    page = open_page(f"/runs/{run.pk}/", noor)
    loss = chart(page, "Loss on held-out")
    before = loss.bounding_box()

    move_over(page, loss, share=0.25)

    readout = loss.locator(".chart-readout")
    expect(readout).to_contain_text("Steps: ")
    step = int(re.findall(r"Steps: (\d+)", readout.inner_text())[0])
    values = RunPoint.objects.get(run=run, step=step).values
    assert f"Training {as_shown(values['loss'])}" in readout.inner_text()
    assert 30 < step < 150
    assert re.search(r"Held out [\d.]+ at (1|50|100)$", readout.inner_text())
    assert loss.bounding_box() == before
    page.mouse.move(2, 2)
    expect(readout).to_be_empty()


def test_the_line_at_the_pointer_is_at_the_same_step_and_in_no_chart_of_something_else(
    open_page: Opener, noor: User
) -> None:
    run = cast.a_reward_run(noor)
    page = open_page(f"/runs/{run.pk}/", noor)
    loss, accuracy = chart(page, "Loss over pairs"), chart(page, "Accuracy on held-out")

    move_over(page, loss, share=0.4)

    expect(accuracy.locator(".chart-marks line")).to_have_count(1)
    places = page.evaluate(
        """() => [...document.querySelectorAll(".chart-marks line")].map((line) => {
          const [low, high, left, right] =
            line.closest(".chart-plot").dataset.frame.split(" ").map(Number);
          return low + ((line.x1.baseVal.value - left) / (right - left)) * (high - low);
        })"""
    )
    assert len(places) >= 3
    assert max(places) - min(places) < 0.1
    for title in ("Too few pairs to tell", "The two responses of a pair"):
        expect(chart(page, title).locator("svg")).to_have_count(1)
        expect(chart(page, title).locator(".chart-marks")).to_have_count(0)

    move_over(page, chart(page, "The two responses of a pair"), share=0.5)
    expect(page.locator(".chart-marks")).to_have_count(1)


def test_the_keys_read_a_chart_point_by_point(open_page: Opener, noor: User) -> None:
    run = cast.a_run(noor, state="running", n_points=150)
    page = open_page(f"/runs/{run.pk}/", noor)
    readout = chart(page, "Token accuracy").locator(".chart-readout")

    page.locator("#stop").focus()
    while not page.evaluate("document.activeElement.matches('.chart-plot')"):
        page.keyboard.press("Tab")
    page.keyboard.press("Tab")  # the first chart's table
    while not page.evaluate("document.activeElement.matches('.chart-plot')"):
        page.keyboard.press("Tab")

    expect(readout).to_contain_text("Steps: 150")
    for key, step in (
        ("ArrowLeft", 149),
        ("ArrowLeft", 148),
        ("ArrowRight", 149),
        ("Home", 1),
        ("ArrowLeft", 1),
        ("End", 150),
    ):
        page.keyboard.press(key)
        expect(readout).to_contain_text(f"Steps: {step}")
    page.keyboard.press("Escape")
    expect(readout).to_be_empty()
    expect(page.locator(".chart-marks")).to_have_count(0)


def test_the_table_holds_what_was_measured(
    open_page: Opener, noor: User, look_over: Callable[..., None]
) -> None:
    run = cast.a_run(noor, state="running", n_points=150)
    page = open_page(f"/runs/{run.pk}/", noor)
    loss = chart(page, "Loss on held-out")

    loss.get_by_text("Table", exact=True).click()
    move_over(page, loss, share=0.3)
    look_over(page, "chart-table")

    points = dict(RunPoint.objects.filter(run=run).values_list("step", "values"))
    assert table_of(loss) == [
        [
            str(step),
            as_shown(values["loss"]),
            as_shown(values["held_out_loss"]) if "held_out_loss" in values else "–",
        ]
        for step, values in sorted(points.items())
    ]


def test_a_long_table_says_that_it_is_thinned_and_where_everything_is(
    open_page: Opener, noor: User
) -> None:
    run = cast.a_run(noor, state="running", n_points=400)
    page = open_page(f"/runs/{run.pk}/", noor)
    loss = chart(page, "Loss on held-out")
    loss.get_by_text("Table", exact=True).click()

    n_rows = loss.locator("tbody tr").count()
    assert 190 <= n_rows <= 200
    expect(loss.get_by_text(f"{n_rows} rows, evenly chosen from all.")).to_be_visible()
    with page.expect_download() as download:
        loss.get_by_role("link", name="Download all values").click()
    assert download.value.suggested_filename.endswith(".zip")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_finger_reads_a_chart_and_another_tap_ends_it(
    open_page: Opener, noor: User, theme: str, look_over: Callable[..., None]
) -> None:
    run = cast.a_run(noor, state="running", n_points=150)
    page = open_page(f"/runs/{run.pk}/", noor, theme=theme, width=390, height=844, has_touch=True)
    loss = chart(page, "Loss on held-out")
    loss.scroll_into_view_if_needed()
    box = loss.locator("svg").bounding_box()
    assert box is not None

    page.touchscreen.tap(box["x"] + box["width"] * 0.6, box["y"] + box["height"] / 2)

    readout = loss.locator(".chart-readout")
    expect(readout).to_contain_text("Training")
    edges = readout.bounding_box()
    assert edges is not None
    assert edges["x"] >= 0
    assert edges["x"] + edges["width"] <= 390
    look_over(page, f"chart-touched-{theme}")
    loss.locator(".chart-title").tap()
    expect(readout).to_be_empty()


def test_what_is_read_stays_while_the_run_goes_on(open_page: Opener, noor: User) -> None:
    run = cast.a_run(noor, state="running", n_points=150)
    page = open_page(f"/runs/{run.pk}/", noor)
    loss = chart(page, "Loss on held-out")
    loss.locator(".chart-plot").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(loss.locator(".chart-readout")).to_contain_text("Steps: 2")

    Run.objects.filter(pk=run.pk).update(step=151)
    RunPoint.objects.create(run=run, attempt=1, step=151, at=timezone.now(), values={"loss": 1.0})

    expect(page.get_by_text("step 151 of 400")).to_be_visible()
    expect(loss.locator(".chart-readout")).to_contain_text("Steps: 2")
    expect(loss.locator(".chart-plot")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(loss.locator(".chart-readout")).to_contain_text("Steps: 3")
