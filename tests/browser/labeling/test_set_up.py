"""An admin sets up a campaign in Chromium: preview, open, repair a prompt, close, reopen."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.models import Campaign, Case, Guideline, Judgment, Pool, Rater, Slot
from labeling.queue import slots
from labeling.queue.claiming import claim
from tests.cast import NOON, responses_to, some_prompts

OpenPage = Callable[..., Page]


def test_a_campaign_from_set_up_to_its_second_opening(
    alice: User,
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
    raul: Rater,
    transactional_db: None,
    open_page: OpenPage,
    look_over: Callable[..., None],
    axe_clean: Callable[[Page], None],
) -> None:
    responses_to(some_prompts(4), n=2)
    page = open_page("/campaigns/new/", alice)

    # Set up: comparisons whose overlap follows doubt; the line at the foot says what they would
    # take.
    page.get_by_label("name").fill("Spring")
    page.get_by_text("Compare responses", exact=True).click()
    page.get_by_label("pool").select_option("Day shift")
    page.get_by_label("guideline").select_option("Helpful answers")
    expect(page.locator("#id_n_responses")).to_have_value("2")
    page.get_by_text("Order, time and more answers").click()
    expect(page.locator("#id_max_overlap")).to_be_hidden()
    page.get_by_text("More where raters disagree").click()
    page.locator("#id_overlap").fill("2")
    page.locator("#id_max_overlap").fill("4")
    expect(page.locator("#count")).to_contain_text("8 to 16 answers")
    look_over(page, "set-up")
    page.get_by_role("button", name="Create campaign").click()

    # Preview: the desk, and nothing stored.
    page.get_by_role("link", name="Preview").click()
    expect(page.get_by_text("nothing is saved")).to_be_visible()
    look_over(page, "preview")
    page.locator("#response-A .desk-text").focus()
    page.keyboard.press("1")
    page.locator("#response-B .desk-text").focus()
    page.keyboard.press("2")
    for letter in "AB":
        page.locator(f"#response-{letter} [type=radio][value='4']").first.check()
    page.get_by_role("button", name="Review").last.click()
    page.get_by_role("button", name="Submit").first.click()
    expect(page.get_by_text("Nothing is saved in a preview.")).to_be_visible()
    assert not Judgment.of_people.exists()
    assert not Slot.objects.exclude(state="free").exists()

    # Open; a rater skips the first item as unclear.
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    campaign = Campaign.objects.get()
    slot = claim.claim(campaign=campaign, rater=rosa, now=NOON)
    assert slot is not None
    assert slot.lease is not None
    slots.skip(lease=slot.lease, rater=rosa, reason="prompt_unclear", note="Plus what?", now=NOON)

    # The repair queue: take the case, edit the prompt, and it is back at work.
    page.get_by_role("link", name="Queues").first.click()
    expect(page.get_by_text("Plus what?")).to_be_visible()
    page.get_by_role("button", name="Assign to me").click()
    expect(page.get_by_text("Assigned to Alice")).to_be_visible()
    look_over(page, "queue")
    page.get_by_role("link", name="Edit prompt").click()
    page.locator("#id_text").fill("What is one plus one, in words?")
    axe_clean(page)
    page.get_by_role("button", name="Save as new version").click()
    expect(page.get_by_text("1 item is back in the queue.")).to_be_visible()
    assert Case.objects.get().outcome == "edited"
    again = claim.claim(campaign=campaign, rater=rosa, now=NOON)
    assert again is not None
    assert again.item.prompt.version == 2

    # Close, and open again after a question.
    page.goto(f"/campaigns/{campaign.pk}/")
    look_over(page, "board")
    page.get_by_role("link", name="Close…").click()
    page.get_by_role("button", name="Close campaign").click()
    page.get_by_role("link", name="Reopen…").click()
    axe_clean(page)
    page.get_by_role("button", name="Reopen campaign").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    campaign.refresh_from_db()
    assert campaign.state == "open"
