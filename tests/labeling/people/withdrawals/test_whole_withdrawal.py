"""One of four raters withdraws: every figure, file, page and new campaign does without them."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import AuditEvent, Delivery, Notice, User
from accounts.webhooks import services as webhooks_services
from labeling.campaigns import board
from labeling.campaigns import selection as campaigns_selection
from labeling.campaigns import services as campaigns_services
from labeling.campaigns.selection import Selection
from labeling.data.exports import shapes
from labeling.desk.judgments import correct, submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer, Edit
from labeling.desk.judgments.rows import UnableToSubmit
from labeling.kinds.comparison import ComparisonSettings
from labeling.models import (
    Campaign,
    Guideline,
    Item,
    Judgment,
    JudgmentEvent,
    Pool,
    Prompt,
    Rater,
    Response,
    Slot,
    Source,
)
from labeling.people.withdrawals import withdrawal
from labeling.quality import contests
from labeling.queue import feed
from labeling.queue.claiming import claim, order
from labeling.queue.gold import services as gold_services
from labeling.queue.gold.services import UnableToMakeGold
from labeling.review import judgment_events
from labeling.votes import counting
from labeling.votes.item_answers import item_answers
from labeling.votes.item_consensus import certainty_of, consensus_of
from tests import html
from tests.cast import NOON, lease_of, login_of, rater_called, responses_to, some_prompts
from tests.labeling.answers import words
from tests.labeling.quality.judging import report_of
from tests.tooling.recordings import recorded
from training.snapshots import services as snapshots_services
from training.snapshots.services import Filters

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=1)
N_ITEMS = 6
EDITED = "What Rosa made of it"


@dataclass
class Story:
    campaign: Campaign
    rosa: Rater
    others: list[Rater]
    prompts: list[Prompt]
    edits: list[Response] = field(default_factory=list)

    @property
    def hers(self) -> list[Judgment]:
        return list(Judgment.of_people.filter(rater=self.rosa).order_by("pk"))

    def withdraw(self) -> None:
        assert withdrawal.withdraw_rater(rater=self.rosa, by=self.rosa.user, now=LATER)
        self.rosa.refresh_from_db()


@recorded
def judge(campaign: Campaign, rater: Rater, *, likes: str, edits: bool = False) -> None:
    """Judge everything; the response of the source `likes` is better."""
    while (slot := claim.claim(campaign=campaign, rater=rater, now=NOON)) is not None:
        shown = order.presented(slot)
        ranks: dict[int, int | None] = {
            place: 1 if response.source.name == likes else 2 for place, response in enumerate(shown)
        }
        answer = ComparisonAnswer(
            ranks=ranks,
            ratings={place: {"overall": 4} for place in ranks},
            edit=Edit(0, f"{EDITED}, {slot.item_id}.") if edits else None,
        )
        submit.submit(lease=lease_of(slot), rater=rater, answer=answer, now=NOON)


@pytest.fixture
@recorded
def story(day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater, rita: Rater) -> Story:
    """Four raters compare an old and a new model on six items. Three prefer the new one; Rosa never
    does, and improves a response each time.
    """
    prompts = some_prompts(N_ITEMS)
    for name in ("old model", "new model"):
        responses_to(prompts, n=1, source_name=name)
    campaign = open_campaign("Compare", prompts, day_shift, guideline, overlap=4)
    others = [raul, rita, rater_called("Ravi", pool=day_shift)]
    for rater in others:
        judge(campaign, rater, likes="new model")
    judge(campaign, rosa, likes="old model", edits=True)
    edits = list(Response.objects.filter(text__startswith=EDITED).order_by("pk"))
    assert len(edits) == N_ITEMS
    return Story(campaign, rosa, others, prompts, edits)


def open_campaign(
    name: str,
    prompts: list[Prompt],
    pool: Pool,
    guideline: Guideline,
    *,
    n_responses: int = 2,
    overlap: int = 1,
    source_ids: tuple[int, ...] = (),
) -> Campaign:
    campaign = campaigns_services.create_campaign(
        name=name,
        settings=ComparisonSettings(overlap=overlap, n_responses=n_responses),
        pool=pool,
        guideline=guideline,
        prompts=prompts,
        source_ids=source_ids,
        by=None,
        now=NOON,
    )
    campaigns_services.open_campaign(campaign=campaign, by=None, now=NOON)
    return campaign


def of_edits(story: Story, pool: Pool, guideline: Guideline) -> Campaign:
    """A campaign in which others compare what Rosa wrote with the new model."""
    sources = (story.edits[0].source_id, Source.objects.get(name="new model").pk)
    return open_campaign("Edits", story.prompts, pool, guideline, source_ids=sources)


def records(shape: str) -> str:
    return json.dumps(list(shapes.records(shape)))


def test_the_report_leaves_them_out_and_says_so(
    story: Story, alice: User, signed_in: Callable[..., Client]
) -> None:
    before = report_of(story.campaign)
    story.withdraw()

    before.refresh_from_db()
    assert before.is_outdated
    assert before.rests_until is None
    after = report_of(story.campaign)
    assert (before.n_judgments, after.n_judgments) == (24, 18)
    assert after.results["n_withdrawn"] == 6
    assert after.results["agreement"]["raw_half"]["value"] == 1.0
    assert story.rosa.pk not in set(after.raters.values_list("rater", flat=True))
    (contest,) = contests.stored_contests(report=after)
    won = contest.as_voted.value
    assert {contest.source: won}.get("new model", 100 - (won or 0)) == 100
    client = signed_in(alice)
    for page in ("agreement", "bias"):
        text = words(client.get(f"/campaigns/{story.campaign.pk}/{page}/"))
        assert "6 answers of raters who withdrew are left out." in text
        assert not html.names(text, story.rosa.alias)


def test_a_stored_block_of_votes_leaves_them_out_too(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labeling.votes.blocks.BLOCK", 10)
    report_of(story.campaign)
    assert story.campaign.vote_blocks.count() == 2

    story.withdraw()

    assert report_of(story.campaign).n_judgments == 18


def test_the_item_page_and_the_consensus_file_say_the_same(story: Story) -> None:
    item = story.campaign.items.order_by("pk")[0]
    story.withdraw()

    found = consensus_of(campaign=story.campaign, answers=item_answers(item=item).answers)

    (pair,) = found.pairs
    (row,) = [row for row in shapes.records("consensus") if row["item"] == item.pk]
    assert found.n_judgments == 3
    assert (pair.n_left, pair.n_tie, pair.n_right) == (row["n_a"], row["n_tie"], row["n_b"])
    assert sorted((row["n_a"], row["n_b"])) == [0, 3]


def test_certainty_counts_only_those_who_are_left(story: Story) -> None:
    item = story.campaign.items.order_by("pk")[0]
    before = certainty_of(item=item)

    story.withdraw()

    assert certainty_of(item=item) > before


def test_their_slots_are_free_again_and_others_judge_those_items(
    story: Story, day_shift: Pool
) -> None:
    assert not Slot.objects.filter(campaign=story.campaign, state="free").exists()

    story.withdraw()

    free = Slot.objects.filter(campaign=story.campaign, state="free")
    assert free.values("item").distinct().count() == free.count() == N_ITEMS
    (row,) = board.campaign_rows(campaigns=[story.campaign], now=LATER)
    assert (row.progress.n_submitted, row.progress.n_left) == (18, 6)
    newcomer = rater_called("Nils", pool=day_shift)
    judge(story.campaign, newcomer, likes="new model")
    assert not free.exists()
    assert report_of(story.campaign).n_judgments == 24


def test_an_item_in_their_hands_goes_back_and_a_late_answer_is_refused(
    story: Story, day_shift: Pool, guideline: Guideline
) -> None:
    more = some_prompts(1)
    for name in ("old model", "new model"):
        responses_to(more, n=1, source_name=name)
    campaign = open_campaign("More", more, day_shift, guideline)
    slot = claim.claim(campaign=campaign, rater=story.rosa, now=NOON)
    assert slot is not None

    story.withdraw()

    assert Slot.objects.get(pk=slot.pk).state == "free"
    answer = ComparisonAnswer(ranks={0: 1, 1: 2}, ratings={n: {"overall": 4} for n in (0, 1)})
    with pytest.raises(UnableToSubmit, match="withdrawn"):
        submit.submit(lease=lease_of(slot), rater=story.rosa, answer=answer, now=LATER)
    assert claim.claim(campaign=campaign, rater=story.others[0], now=LATER) is not None


def test_they_can_correct_nothing(story: Story, signed_in: Callable[..., Client]) -> None:
    old = story.hers[0]
    story.withdraw()

    answer = ComparisonAnswer(ranks={0: 1, 1: 2}, ratings={n: {"overall": 4} for n in (0, 1)})
    with pytest.raises(UnableToSubmit, match="withdrawn"):
        correct.correct(lease=lease_of(old), rater=story.rosa, version=1, answer=answer, now=LATER)
    client = signed_in(login_of(story.rosa))
    assert client.get(f"/desk/item/{old.lease}/correct").status_code in {302, 404}
    assert "/correct" not in client.get("/my-work/").content.decode()
    assert [judgment.pk for judgment in story.hers] == sorted(one.pk for one in story.hers)
    assert Judgment.versions_of_people.filter(rater=story.rosa, version=2).count() == 0


def test_files_snapshots_and_the_feed_leave_them_out(story: Story, noor: User) -> None:
    assert story.rosa.alias in records("rankings")
    story.withdraw()

    found = {shape: records(shape) for shape in shapes.SHAPES}
    snapshot = snapshots_services.create_snapshot(
        kind="comparisons", name="after", filters=Filters(), by=noor, now=LATER
    )
    judgments = feed.judgment_feed(n=100, now=LATER)

    for text in found.values():
        assert not html.names(text, story.rosa.alias)
        assert EDITED not in text
    assert found["rankings"].count('"reason"') == 18
    assert snapshot.n_rows == 18
    assert {judgment.rater_id for judgment in judgments} == {one.pk for one in story.others}


def test_what_they_wrote_is_in_no_new_campaign(
    story: Story, day_shift: Pool, guideline: Guideline
) -> None:
    wanted = Selection(kind="comparison", is_unused=False, n_responses=3)
    assert campaigns_selection.match(selection=wanted).n_fitting == N_ITEMS

    story.withdraw()

    assert campaigns_selection.match(selection=wanted).n_fitting == 0
    assert campaigns_selection.most_responses(selection=wanted) == 2
    names = {source.name for source in campaigns_selection.response_sources()}
    assert names == {"old model", "new model"}
    with pytest.raises(campaigns_services.UnableToCreateCampaign):
        open_campaign("New", story.prompts, day_shift, guideline, n_responses=3)
    again = open_campaign("Again", story.prompts, day_shift, guideline)
    shown = Response.objects.filter(item_responses__item__campaign=again)
    assert not shown.filter(counting.by_withdrawn()).exists()


def test_a_running_campaign_offers_their_texts_to_nobody_and_does_again_after_readmission(
    story: Story, day_shift: Pool, guideline: Guideline
) -> None:
    running = of_edits(story, day_shift, guideline)
    raul, rita, _ravi = story.others
    assert claim.claim(campaign=running, rater=raul, now=NOON) is not None

    story.withdraw()
    assert claim.claim(campaign=running, rater=rita, now=LATER) is None

    withdrawal.readmit_rater(rater=story.rosa, by=None, now=LATER)
    assert claim.claim(campaign=running, rater=rita, now=LATER) is not None


def test_votes_on_their_texts_leave_figures_files_and_the_feed(
    story: Story, day_shift: Pool, guideline: Guideline
) -> None:
    running = of_edits(story, day_shift, guideline)
    judge(running, story.others[0], likes="new model")
    assert len(contests.contests(campaign=running)) == 1

    story.withdraw()

    assert contests.contests(campaign=running) == []
    assert list(shapes.records("rankings", campaigns=[running.pk])) == []
    assert list(shapes.records("consensus", campaigns=[running.pk])) == []
    judgments = feed.judgment_feed(campaign_id=running.pk, n=100, now=LATER)
    texts = [row.response.text for one in judgments for row in one.comparison.ranked.all()]
    assert texts
    assert not [text for text in texts if text.startswith(EDITED)]


def test_no_gold_is_made_of_their_answers_or_texts(
    story: Story, day_shift: Pool, guideline: Guideline
) -> None:
    running = of_edits(story, day_shift, guideline)
    story.withdraw()

    with pytest.raises(UnableToMakeGold):
        gold_services.make_gold_of_answer(judgment=story.hers[0], by=None, now=LATER)
    item = Item.objects.filter(campaign=running)[0]
    ranks = dict.fromkeys(item.responses.values_list("pk", flat=True), 1)
    best = next(iter(ranks))
    with pytest.raises(UnableToMakeGold, match="withdrawn"):
        gold_services.make_gold(
            item=item, ranks=ranks | {best: 2}, origin="expert", by=None, now=LATER
        )


def test_consumers_hear_of_it_and_of_the_way_back(story: Story, alice: User) -> None:
    webhooks_services.create_webhook(
        name="Lake",
        url="https://example.org/lake",
        events=["judgment.withdrawn", "judgment.restored"],
        by=alice,
        now=NOON,
    )
    ids = [judgment.pk for judgment in story.hers]

    story.withdraw()
    withdrawal.readmit_rater(rater=story.rosa, by=alice, now=LATER)

    sent = [json.loads(one.body) for one in Delivery.objects.order_by("pk")]
    assert [one["event"] for one in sent] == ["judgment.withdrawn", "judgment.restored"]
    assert [one["data"] for one in sent] == 2 * [{"rater": story.rosa.alias, "judgments": ids}]
    assert judgment_events.event_feed(n=100, now=LATER) == []  # too young to be read
    events = judgment_events.event_feed(n=100, now=LATER + timedelta(minutes=1))
    assert [event.judgment_id for event in events] == 2 * ids
    kinds = [JudgmentEvent.Kind.WITHDRAWN] * N_ITEMS + [JudgmentEvent.Kind.RESTORED] * N_ITEMS
    assert [event.kind for event in events] == kinds


def test_a_readmitted_raters_answers_take_free_slots_and_count_again(story: Story) -> None:
    story.withdraw()
    newcomer = story.others[0].pools.get()
    judge_one(story.campaign, rater_called("Nils", pool=newcomer))

    withdrawal.readmit_rater(rater=story.rosa, by=None, now=LATER)

    mine = Judgment.of_people.filter(rater=story.rosa)
    assert (mine.filter(slot__isnull=False).count(), mine.filter(is_extra=True).count()) == (5, 1)
    assert not Slot.objects.filter(campaign=story.campaign, state="free").exists()
    assert report_of(story.campaign).n_judgments == 25


def judge_one(campaign: Campaign, rater: Rater) -> None:
    slot = claim.claim(campaign=campaign, rater=rater, now=LATER)
    answer = ComparisonAnswer(ranks={0: 1, 1: 2}, ratings={n: {"overall": 4} for n in (0, 1)})
    submit.submit(lease=lease_of(slot), rater=rater, answer=answer, now=LATER)


def test_pages_that_admins_read_still_open(
    story: Story, alice: User, signed_in: Callable[..., Client]
) -> None:
    report_of(story.campaign)
    item = story.campaign.items.order_by("pk")[0]
    story.withdraw()
    client = signed_in(alice)

    for path in ("", "items/", f"items/{item.pk}/", "review/", f"review/{item.pk}/", "gold/"):
        assert client.get(f"/campaigns/{story.campaign.pk}/{path}").status_code == 200, path
    assert "Withdrawn" in words(client.get(f"/campaigns/{story.campaign.pk}/items/{item.pk}/"))


def test_admins_are_told_and_the_audit_log_has_it(story: Story, alice: User) -> None:
    story.withdraw()

    assert story.rosa.alias in Notice.objects.get(person=alice).sentence
    assert AuditEvent.objects.get(action="withdraw").by == story.rosa.user
