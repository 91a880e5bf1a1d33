"""A rater who wrote in every way that the pages have withdraws by their own page: their words are
in no file, list, campaign and page of others any more.
"""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import chain
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from accounts.models import User
from config.api_permissions import API_TABLE
from labeling.access import prompts_written_by
from labeling.campaigns import selection as campaigns_selection
from labeling.campaigns.selection import Selection
from labeling.data.exports import shapes
from labeling.data.feed_api import JudgmentSerializer
from labeling.data.prompts import services as prompts_services
from labeling.kinds import registry
from labeling.models import Conversation, Draft, Guideline, Item, Judgment, Pool, Rater, Response
from labeling.people.accounts import services as accounts_services
from labeling.people.withdrawals import withdrawal
from labeling.queue import feed
from labeling.review import judgment_events
from labeling.votes import counting
from tests.api.conftest import client_with, secret_of
from tests.cast import NOON, PASSWORD, responses_to
from tests.html import page_of
from tests.labeling.answers import downloaded
from tests.labeling.people.withdrawals import columns, story
from tests.labeling.people.withdrawals.story import Cast
from tests.labeling.quality.judging import report_of
from training.registry.lineage import withdrawals
from training.snapshots import downloads
from training.snapshots import rows as snapshots_rows
from training.snapshots import services as snapshots_services
from training.snapshots.services import Filters, UnableToCreate

pytestmark = pytest.mark.django_db

SignedIn = Callable[..., Client]
DATA = set(chain.from_iterable(columns.WRITTEN.values()))
TO_ADMINS = set(chain.from_iterable(columns.TO_ADMINS.values()))


def test_every_column_with_text_says_what_becomes_of_it_at_a_withdrawal() -> None:
    assert sorted(columns.listed_columns()) == sorted(columns.text_columns())


@pytest.fixture
def staff(db: None) -> User:
    return accounts_services.create_person(
        email="sasha@example.org",
        name="Sasha",
        roles=["admin", "researcher"],
        password=PASSWORD,
        by=None,
        now=NOON,
    )


@pytest.fixture
def cast(
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
    raul: Rater,
    staff: User,
    signed_in: SignedIn,
) -> Cast:
    cast = Cast(day_shift, guideline, rosa, raul, staff)
    story.write_everything(cast, signed_in(rosa))
    story.work_of_others(cast)
    return cast


def withdraw(cast: Cast, signed_in: SignedIn) -> None:
    signed_in(cast.rosa).post("/my-data/withdraw/", {"is_sure": "on"})
    cast.rosa.refresh_from_db()
    assert cast.rosa.withdrawn_at is not None


def files() -> Iterator[tuple[str, str]]:
    for name, shape in shapes.SHAPES.items():
        for style in shape.styles:
            records = shapes.records(
                name,
                style=style,
                include_extra=True,
                include_gold=True,
                include_repeats=True,
                include_set_aside=True,
            )
            yield f"export {name}, {style}", json.dumps(list(records))


def snapshots(by: User, folder: Path) -> Iterator[tuple[str, str]]:
    for kind in ("prompts", "comparisons", "demonstrations", "unpaired"):
        name = f"{kind} at {timezone.now().isoformat()}"
        try:
            snapshot = snapshots_services.create_snapshot(
                kind=kind, name=name, filters=Filters(), by=by, now=timezone.now()
            )
        except UnableToCreate:
            continue
        texts = [path.read_text() for path in (folder / snapshot.folder).iterdir()]
        yield f"snapshot of {kind}", "\n".join(texts)


def feed_of_judgments() -> Iterator[tuple[str, str]]:
    later = timezone.now() + timedelta(hours=1)
    judgments = feed.judgment_feed(n=1_000, includes_imports=True, now=later)
    yield "feed", json.dumps(JudgmentSerializer(judgments, many=True).data)


def new_campaigns() -> Iterator[tuple[str, str]]:
    for kind in registry.KINDS:
        selection = Selection(kind=kind, is_unused=False)
        prompts = campaigns_selection.matching_prompts(selection=selection)
        texts = campaigns_selection.usable(Response.objects.filter(prompt__in=prompts))
        offered = [
            *prompts.values_list("messages", flat=True),
            *texts.values_list("text", flat=True),
        ]
        yield f"new campaign: {kind}", json.dumps(offered)


def pages_of(client: Client, rater: Rater) -> Iterator[tuple[str, str]]:
    leases = Judgment.of_people.filter(rater=rater).values_list("lease", flat=True)
    items = [f"/desk/item/{lease}/" for lease in leases]
    for path in ["/desk/", "/my-work/", *items, *(f"{item}correct" for item in items)]:
        yield path, page_of(client.get(path))
    yield "/my-data/file", downloaded(client.get("/my-data/file")).decode()


def api_lists(client: Client) -> Iterator[tuple[str, str]]:
    for name in sorted(name for name in API_TABLE if name.startswith("GET ")):
        try:
            path = reverse(name.removeprefix("GET "))
        except NoReverseMatch:
            continue  # of one object
        yield f"GET {path}", page_of(client.get(path))


def drafts_of(rater: Rater) -> Iterator[tuple[str, str]]:
    for draft in Draft.objects.filter(rater=rater):
        yield "drafts", json.dumps(draft.content)


def shown(words: set[str], places: Iterator[tuple[str, str]]) -> dict[str, list[str]]:
    """Word → the places that have it."""
    listed = list(places)
    return {
        word: names
        for word in sorted(words)
        if (names := [name for name, text in listed if word in text])
    }


def test_what_a_rater_wrote_leaves_every_place(
    cast: Cast, signed_in: SignedIn, settings: LazySettings
) -> None:
    def data_and_pages() -> Iterator[tuple[str, str]]:
        yield from files()
        yield from snapshots(cast.admin, Path(settings.SNAPSHOTS_DIR))
        yield from feed_of_judgments()
        yield from new_campaigns()
        yield from pages_of(signed_in(cast.raul), cast.raul)
        yield from drafts_of(cast.rosa)

    api = client_with(secret_of(cast.admin))
    before = shown(DATA, chain(data_and_pages(), api_lists(api)))
    assert before.keys() == DATA, "the walk sees every word before the withdrawal"
    assert shown(TO_ADMINS, data_and_pages()) == {}

    withdraw(cast, signed_in)

    assert shown(DATA | TO_ADMINS, data_and_pages()) == {}
    assert shown(DATA, api_lists(api)) == {}


def test_a_withdrawal_that_was_a_mistake_brings_the_words_back(
    cast: Cast, signed_in: SignedIn, settings: LazySettings
) -> None:
    folder = Path(settings.SNAPSHOTS_DIR)
    before = shown(DATA, chain(files(), snapshots(cast.admin, folder), new_campaigns()))
    withdraw(cast, signed_in)
    held = Item.objects.filter(prompt=story.message_prompt(), is_turn=False, held_at__isnull=False)
    assert held.count() == 1

    withdrawal.readmit_rater(rater=cast.rosa, by=cast.admin, now=timezone.now())

    after = shown(DATA, chain(files(), snapshots(cast.admin, folder), new_campaigns()))
    assert after == before
    assert not held.exists()


def test_programs_find_neither_the_prompt_nor_the_conversation(
    cast: Cast, signed_in: SignedIn
) -> None:
    prompt, conversation = story.message_prompt(), Conversation.objects.latest("-pk")
    paths = [f"prompts/{prompt.pk}", f"lineage/prompts/{prompt.pk}"]
    paths += [f"lineage/prompts/{prompt.pk}/responses", f"conversations/{conversation.pk}"]
    api = client_with(secret_of(cast.admin))
    assert {path: api.get(f"/api/v1/{path}").status_code for path in paths} == dict.fromkeys(
        paths, 200
    )

    withdraw(cast, signed_in)

    assert {path: api.get(f"/api/v1/{path}").status_code for path in paths} == dict.fromkeys(
        paths, 404
    )


def test_programs_hear_of_others_judgments_on_those_prompts(
    cast: Cast, signed_in: SignedIn
) -> None:
    on_hers = Judgment.of_people.filter(rater=cast.raul, prompt__source__person=cast.rosa.user)
    ids = set(on_hers.values_list("pk", flat=True))
    assert len(ids) == 3

    withdraw(cast, signed_in)
    withdrawal.readmit_rater(rater=cast.rosa, by=cast.admin, now=timezone.now())

    later = timezone.now() + timedelta(hours=1)
    events = judgment_events.event_feed(n=1_000, now=later)
    heard = {
        kind: {row.judgment_id for row in events if row.kind == kind}
        for kind in ("withdrawn", "restored")
    }
    assert ids <= heard["withdrawn"]
    assert heard["withdrawn"] == heard["restored"]


def test_an_older_snapshot_keeps_its_files_and_shows_the_words_to_nobody(
    cast: Cast, signed_in: SignedIn
) -> None:
    old = {
        kind: snapshots_services.create_snapshot(
            kind=kind, name=kind, filters=Filters(), by=cast.admin, now=timezone.now()
        )
        for kind in ("prompts", "comparisons")
    }

    withdraw(cast, signed_in)

    for snapshot in old.values():
        rows = snapshots_rows.frozen_rows(snapshot=snapshot, split="train", skip=0, n=500)
        seen = {
            "page": str(rows),
            "API": json.dumps(downloads.page(snapshot=snapshot, split="train", skip=0, n=500)),
            "file": json.dumps(list(downloads.rows(snapshot=snapshot, split="train"))),
        }
        assert shown(DATA, iter(seen.items())) == {}
    touched = withdrawals.touched_by(rater=cast.rosa).snapshots
    assert {entry.snapshot for entry in touched} == set(old.values())
    in_train = prompts_written_by(cast.rosa).filter(split="train").count()
    counts = {entry.snapshot: entry.n_prompts for entry in touched}
    assert counts == {old["prompts"]: in_train, old["comparisons"]: 0}
    assert in_train


def test_what_they_typed_in_as_a_prompt_leaves_too_with_others_answers_to_it(
    cast: Cast, signed_in: SignedIn
) -> None:
    assert cast.rosa.user is not None
    typed = prompts_services.create_prompt(
        messages=[{"role": "user", "content": "wtyped7q?"}],
        category="chat",
        language="en",
        licence="",
        by=cast.rosa.user,
        now=timezone.now(),
    )
    responses_to([typed], n=2)
    campaign = story.judged_campaign_over(cast, "Typed in", typed)
    assert counting.n_answers(campaign=campaign) == report_of(campaign).n_judgments == 1

    withdraw(cast, signed_in)

    assert counting.n_answers(campaign=campaign) == report_of(campaign).n_judgments == 0
    assert shown({"wtyped7q"}, chain(files(), new_campaigns())) == {}


def test_who_withdrew_still_reads_what_they_wrote(cast: Cast, signed_in: SignedIn) -> None:
    withdraw(cast, signed_in)

    kept = DATA - set(columns.WRITTEN["Draft.content"])
    assert shown(kept, pages_of(signed_in(cast.rosa), cast.rosa)).keys() == kept
