"""Whole journeys by key presses only: every stop of the Tab key on the way shows that it has the
focus, and no bar covers it. Five tasks begin where somebody does who has read the README and no
more, at the log-in or on the page behind it, and have a ceiling of steps each.
"""

import re
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.models import Adjudication, Campaign, Guideline, Judgment, Pool, Rater
from labeling.quality import services as quality_services
from tests.browser.desk.hands import begin, telling_texts
from tests.cast import PASSWORD, open_comparison_campaign, responses_to, some_prompts
from tests.training import cast
from tests.training.schedules.steps.test_best_of_n import rank
from training.models import Run, Schedule

OpenPage = Callable[..., Page]
MOST_STOPS = 120
STOP = """() => {
  const stop = document.activeElement;
  if (stop === document.body) return ["", true]; // past the last stop of the page
  const isRing = (el) => {
    const style = getComputedStyle(el);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  };
  const near = [stop, stop.parentElement, stop.nextElementSibling];
  const isShown = near.some((el) => el && isRing(el));
  const box = stop.getBoundingClientRect();
  const isInside = box.width > 0 && box.bottom > 0 && box.top < innerHeight;
  const name = stop.ariaLabel || stop.labels?.[0]?.textContent || stop.textContent || "";
  return [name.trim().replace(/\\s+/g, " "), isShown && isInside];
}"""

COUNTER = """() => {
  const fields = "input:not([type=radio]):not([type=checkbox]), textarea, select";
  const add = (name) => (sessionStorage[name] = Number(sessionStorage[name] ?? 0) + 1);
  addEventListener("keydown", (event) => {
    if (["Control", "Shift", "Alt", "Meta"].includes(event.key)) return;
    const isText = event.key.length === 1 && !event.ctrlKey && event.target.matches(fields);
    if (event.key === "Tab") add("stops");
    else if (!isText || sessionStorage.isText !== "yes") add("acts");
    sessionStorage.isText = isText ? "yes" : "";
  }, true);
}"""
"""Counts the stops of Tab, and what is done: a key that acts, or a text that is typed."""

COVERED = """() => {
  const stop = document.activeElement;
  if (!stop.closest("main")) return [];
  const box = stop.getBoundingClientRect();
  const isBar = (el) => ["sticky", "fixed"].includes(getComputedStyle(el).position);
  const bars = [...document.querySelectorAll("body *")].filter(isBar);
  const over = bars.filter((el) => {
    if (el.contains(stop)) return false;
    const bar = el.getBoundingClientRect();
    const isBeside = bar.right <= box.left || bar.left >= box.right || !bar.height;
    return !isBeside && Math.min(bar.bottom, box.bottom) - Math.max(bar.top, box.top) > 1;
  });
  return over.map((el) => `${el.className} covers ${stop.id || stop.name || stop.className}`);
}"""

pytestmark = pytest.mark.django_db(transaction=True)


def go_to(page: Page, name: str, *, key: str = "Tab") -> None:
    """Presses Tab until a control whose name begins with `name` has the focus."""
    passed = []
    for _ in range(MOST_STOPS):
        page.keyboard.press(key)
        found, is_visible = page.evaluate(STOP)
        assert is_visible, f"The focus is on “{found}” and cannot be seen."
        if re.match(name, found):
            return
        passed.append(found)
    raise AssertionError(f"“{name}” is not among {passed}.")


def counted(page: Page) -> Page:
    page.context.add_init_script(f"({COUNTER})()")
    page.evaluate(COUNTER)
    return page


def steps(page: Page) -> tuple[int, int]:
    """(what was done, stops of Tab on the way) since the page was opened."""
    acts, stops = page.evaluate("[sessionStorage.acts, sessionStorage.stops]")
    return int(acts or 0), int(stops or 0)


def within(page: Page, *, acts: int, stops: int) -> None:
    """The task may take no more steps than this; a person who knows it needs fewer stops, by the
    links to parts of the page and the search.
    """
    done = steps(page)
    assert done[0] <= acts, done
    assert done[1] <= stops, done


def write(page: Page, field: str, text: str) -> None:
    go_to(page, field)
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def test_a_rater_logs_in_ranks_submits_and_undoes(
    open_page: OpenPage, rosa: Rater, comparison_campaign: Campaign
) -> None:
    telling_texts(comparison_campaign)
    page = counted(open_page("/account/login/"))

    assert rosa.user is not None
    page.keyboard.type(rosa.user.email)  # the first field has the focus
    write(page, "Password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/")
    go_to(page, "Start")
    page.keyboard.press("Enter")
    page.wait_for_selector(".desk[data-mounted]")

    for number in "1234":
        page.keyboard.press(number)  # and on to the next text without a rank
    for rating in "2654":  # of D, where the focus is, then of A to C
        go_to(page, "1 ")
        page.keyboard.press(rating)
    expect(page.locator("[data-line]")).to_have_text("A › B › C › D")
    first = page.url
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-review]")).to_be_visible()
    page.keyboard.press("Control+Enter")
    page.wait_for_url(lambda url: url != first)
    page.wait_for_selector(".desk[data-mounted]")
    assert Judgment.of_people.count() == 1
    within(page, acts=15, stops=70)

    page.keyboard.press("u")
    page.wait_for_url(first)
    page.wait_for_selector(".desk[data-mounted]")
    assert not Judgment.of_people.exists()
    expect(page.locator("[data-line]")).to_have_text("A › B › C › D")


def test_an_admin_creates_and_opens_a_campaign(
    open_page: OpenPage, alice: User, day_shift: Pool, guideline: Guideline
) -> None:
    responses_to(some_prompts(3), n=4)
    page = counted(open_page("/", alice))

    go_to(page, "New campaign")
    page.keyboard.press("Enter")
    page.wait_for_url("**/campaigns/new/")
    write(page, "Name", "By keys")
    go_to(page, "Compare responses")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    go_to(page, "Pool")
    page.keyboard.type("Day")
    go_to(page, "Guideline")
    page.keyboard.type("Helpful")
    go_to(page, "Create campaign")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/campaigns/\d+/"))
    go_to(page, "Open")
    page.keyboard.press("Enter")

    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    within(page, acts=9, stops=68)
    campaign = Campaign.objects.get()
    assert (campaign.kind, campaign.state, campaign.items.count()) == ("comparison", "open", 3)


def test_an_admin_reads_a_campaigns_quality_and_decides_a_disputed_item(
    open_page: OpenPage,
    alice: User,
    rosa: Rater,
    raul: Rater,
    day_shift: Pool,
    guideline: Guideline,
) -> None:
    campaign = open_comparison_campaign(
        pool=day_shift, guideline=guideline, n_items=6, n_responses=2, overlap=2, name="By keys"
    )
    rank(campaign, rosa, "12")
    rank(campaign, raul, "21")
    quality_services.compute_quality(campaign_id=campaign.pk, now=timezone.now())
    page = counted(open_page("/", alice))

    go_to(page, "By keys")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/campaigns/\d+/"))
    go_to(page, "Quality")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/quality/"))
    go_to(page, "Read the disputed items")
    page.keyboard.press("Enter")
    go_to(page, "Question 0")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/items/\d+/"))
    go_to(page, "Review this item")
    page.keyboard.press("Enter")
    page.wait_for_selector(".review[data-mounted]")
    for key in "a1b2":  # the letter goes to its rank, the number sets it
        page.keyboard.press(key)
    go_to(page, "Rater error")
    page.keyboard.press("Space")
    page.keyboard.press("Control+Enter")

    expect(page.get_by_text("Saved. Raters see their feedback")).to_be_visible()
    within(page, acts=9, stops=120)
    decided = Adjudication.objects.get()
    assert (decided.item, decided.reason) == (campaign.items.order_by("pk")[0], "rater_error")


def test_a_researcher_starts_a_run(open_page: OpenPage, noor: User) -> None:
    model = cast.a_model(noor)
    snapshot = cast.a_snapshot(noor)
    page = counted(open_page("/", noor))

    go_to(page, "Runs")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/")
    go_to(page, "Train…")
    page.keyboard.press("Enter")
    go_to(page, "Fine-tune")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/new/sft/")
    write(page, "Name", "By keys")
    go_to(page, "Starts from")
    page.keyboard.type(model.name[:5])
    go_to(page, "Data")
    page.keyboard.type(snapshot.name[:5])
    go_to(page, "Start run")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/runs/\d+/"))
    within(page, acts=8, stops=54)

    run = Run.objects.get()
    assert (run.name, run.base_model, run.snapshot) == ("By keys", model, snapshot)


def test_a_researcher_starts_a_grpo_run_from_the_page_of_a_model(
    open_page: OpenPage, noor: User
) -> None:
    model, judge = cast.a_model(noor), cast.a_model(noor, "judge", "reward")
    cast.a_model(noor, "another")
    snapshot = cast.a_snapshot(noor, kind="prompts")
    page = open_page(f"/models/{model.pk}/", noor)

    go_to(page, "Train…")
    page.keyboard.press("Enter")
    go_to(page, "Improve with GRPO")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/new/grpo/**")
    go_to(page, "Reward model")
    page.keyboard.type("judge")
    go_to(page, "Rewards")
    page.keyboard.press("Enter")
    write(page, "Weight: length", "-0.5")
    go_to(page, "Spot checks by raters")
    page.keyboard.press("Enter")
    go_to(page, "Pool of raters")
    go_to(page, "Start run")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/runs/\d+/"))

    run = Run.objects.get()
    assert (run.kind, run.base_model, run.reward_model) == ("grpo", model, judge)
    assert (run.snapshot, run.config["length_weight"]) == (snapshot, -0.5)


def test_a_researcher_creates_a_schedule_with_a_gate(
    open_page: OpenPage, noor: User, day_shift: Pool, guideline: Guideline
) -> None:
    model = cast.a_model(noor)
    page = counted(open_page("/", noor))

    go_to(page, "Schedules")
    page.keyboard.press("Enter")
    page.wait_for_url("**/schedules/")
    go_to(page, "Create a schedule")
    page.keyboard.press("Enter")
    page.wait_for_url("**/schedules/new/weekly/")
    go_to(page, "Workflow")
    page.keyboard.press("Enter")
    go_to(page, "All other workflows")
    page.keyboard.press("Enter")
    go_to(page, "Iterative DPO, asking raters")
    page.keyboard.press("Enter")
    page.wait_for_url("**/schedules/new/iterative-dpo-raters/")
    write(page, "Name", "By keys")
    go_to(page, "At set times")
    page.keyboard.press("ArrowLeft")  # around to the last one
    go_to(page, "Comparison by raters")
    page.keyboard.press("Enter")
    write(page, "Test prompts", "80")
    go_to(page, "Gate: when the new model")
    page.keyboard.press("Enter")
    write(page, "Confidence", "90")
    write(page, "Looks", "2")
    go_to(page, "Create schedule")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/schedules/\d+/"))
    within(page, acts=17, stops=98)

    schedule = Schedule.objects.get()
    assert (schedule.name, schedule.trigger) == ("By keys", "hand")
    proposed = {"base_model": model.pk, "pool": day_shift.pk, "guideline": guideline.pk}
    wanted = proposed | {"n_judged": 80, "confidence": 90.0, "n_looks": 2}
    assert schedule.plan.items() >= wanted.items()


@pytest.mark.parametrize("path", ["/campaigns/new/", "/guidelines/new/", "/profile/", "desk"])
def test_on_a_phone_no_bar_covers_what_has_the_focus(
    path: str, open_page: OpenPage, alice: User, rosa: Rater, comparison_campaign: Campaign
) -> None:
    phone = {"width": 390, "height": 844}
    page = begin(open_page, rosa, **phone) if path == "desk" else open_page(path, alice, **phone)

    covered = covered_stops(page)

    assert covered == [], "\n".join(covered)


@pytest.mark.parametrize("path", ["/runs/new/grpo/", "/schedules/new/iterative-dpo-raters/"])
def test_on_a_researchers_phone_no_bar_covers_what_has_the_focus(
    path: str, open_page: OpenPage, noor: User
) -> None:
    cast.a_model(noor)
    cast.a_snapshot(noor, kind="prompts")
    page = open_page(path, noor, width=390, height=844)

    covered = covered_stops(page)

    assert covered == [], "\n".join(covered)


def covered_stops(page: Page) -> list[str]:
    """Tab there, and back."""
    covered: list[str] = []
    for key in ("Tab", "Shift+Tab"):
        for _ in range(60):
            page.keyboard.press(key)
            covered += page.evaluate(COVERED)
    return covered


@pytest.mark.parametrize("width", [1440, 390])
def test_a_person_finds_a_time_zone_by_its_city(
    width: int, open_page: OpenPage, alice: User, look_over: Callable[[Page, str], None]
) -> None:
    page = open_page("/profile/", alice, width=width, timezone_id="Asia/Tokyo")
    field = page.get_by_role("combobox", name="Time zone")
    look_over(page, f"time-zone-{width}")

    page.get_by_role("button", name="Asia/Tokyo").click()
    expect(field).to_have_value("Asia/Tokyo")
    field.click()
    page.keyboard.type("new york")  # over what was there
    page.keyboard.press("Enter")

    expect(field).to_have_value("America/New_York")
