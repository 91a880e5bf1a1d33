"""The feed of judgments over HTTP, and the events that say what happened to them since."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Delivery, User
from accounts.webhooks import services as webhooks_services
from labeling.desk.judgments import correct
from labeling.desk.judgments.checked_answers import DemonstrationAnswer
from labeling.desk.judgments.undo import UNDO_GRACE
from labeling.desk.work import UNDO_WITHIN
from labeling.models import Campaign, Item, Judgment, Prompt, Rater, Response, Source
from labeling.people.withdrawals import withdrawal
from labeling.queue import feed
from labeling.queue.feed import SETTLED_AFTER
from labeling.review import set_aside
from tests.api.test_labeling import Caller, ranked, written
from tests.cast import NOON, lease_of


def test_a_comparison_comes_with_its_ranks_and_sources_under_a_pseudonym(
    calling: Caller, noor: User, comparison_campaign: Campaign, rosa: Rater
) -> None:
    judgment = ranked(comparison_campaign, rosa)

    response = calling(noor).get("/api/v1/judgments")

    (row,) = response.json()["results"]
    assert (row["id"], row["rater"], row["guideline"]) == (
        judgment.pk,
        rosa.alias,
        "Helpful answers v1",
    )
    assert [entry["rank"] for entry in row["comparison"]["responses"]] == [2, 1, 2, None]
    assert {entry["source"] for entry in row["comparison"]["responses"]} == {"a model"}
    assert [entry["ratings"] for entry in row["comparison"]["responses"]] == [
        {"overall": n} for n in (1, 2, 3, 4)
    ]
    assert row["demonstration"] is None
    assert "Rosa" not in response.text
    assert "rosa@" not in response.text


def test_a_demonstration_comes_with_its_text(
    calling: Caller, alice: User, demonstration_campaign: Campaign, rosa: Rater
) -> None:
    written(demonstration_campaign, rosa, "It scatters.")

    (row,) = calling(alice).get("/api/v1/judgments").json()["results"]

    assert row["demonstration"] == {
        "text": "It scatters.",
        "reasoning_content": "",
        "tool_calls": [],
        "further": [],
        "sources": "",
        "edit_of": None,
        "source": "raters",
        "licence": "",
    }
    assert row["comparison"] is None


def test_a_judgment_comes_with_its_prompt_and_the_licence_of_every_text(
    calling: Caller, noor: User, comparison_campaign: Campaign, rosa: Rater
) -> None:
    judgment = ranked(comparison_campaign, rosa)
    best = judgment.comparison.ranked.get(rank=1).response
    Response.objects.filter(pk=best.pk).update(licence="CC-BY-NC-4.0")
    Prompt.objects.filter(pk=judgment.prompt_id).update(licence="CC-BY-4.0")

    (row,) = calling(noor).get("/api/v1/judgments").json()["results"]

    assert row["messages"] == judgment.prompt.messages
    assert (row["prompt_licence"], row["prompt_source"]) == (
        "CC-BY-4.0",
        judgment.prompt.source.name,
    )
    assert {one["response"]: one["licence"] for one in row["comparison"]["responses"]}[
        best.pk
    ] == "CC-BY-NC-4.0"
    assert "CC-BY-4.0 AND CC-BY-NC-4.0" in row["licence"]


def test_the_feed_is_narrowed_to_licences_of_all_texts(
    calling: Caller, noor: User, comparison_campaign: Campaign, rosa: Rater
) -> None:
    free, other, unstated = (ranked(comparison_campaign, rosa) for _ in range(3))
    Source.objects.filter(responses__isnull=False).update(licence="MIT")
    Prompt.objects.update(licence="CC-BY-4.0")
    Response.objects.filter(pk=other.comparison.ranked.get(rank=1).response_id).update(
        licence="CC-BY-NC-4.0"
    )
    Prompt.objects.filter(pk=unstated.prompt_id).update(licence="")
    client = calling(noor)

    def ids(licences: str) -> list[int]:
        found = client.get("/api/v1/judgments", query_params={"licence": licences})
        return [row["id"] for row in found.json()["results"]]

    assert ids("CC-BY-4.0,MIT") == [free.pk]
    assert ids("CC-BY-4.0, MIT, CC-BY-NC-4.0") == [free.pk, other.pk]
    assert ids("MIT,none") == [unstated.pk]
    assert ids("MIT") == []


def test_a_demonstration_that_was_imported_or_edited_is_under_its_own_licence(
    calling: Caller, noor: User, demonstration_campaign: Campaign, rosa: Rater
) -> None:
    here, imported = (written(demonstration_campaign, rosa) for _ in range(2))
    Prompt.objects.update(licence="MIT")
    source = Source.objects.create(name="a file", kind="import", licence="CC-BY-NC-4.0")
    batch = source.imports.create(file_name="a.jsonl", path="", format="jsonl", state="published")
    Judgment.of_people.filter(pk=imported.pk).update(
        import_batch=batch, campaign=None, item=None, slot=None
    )
    client = calling(noor)

    def rows(licences: str) -> list[dict[str, Any]]:
        query = {"licence": licences, "includes_imports": "true"}
        found: list[dict[str, Any]] = client.get("/api/v1/judgments", query_params=query).json()[
            "results"
        ]
        return found

    assert [row["id"] for row in rows("MIT")] == [here.pk]
    both = rows("MIT,CC-BY-NC-4.0")
    assert [row["demonstration"]["licence"] for row in both] == ["", "CC-BY-NC-4.0"]
    assert [row["demonstration"]["source"] for row in both] == ["raters", "a file"]


def test_a_reader_goes_on_from_where_it_stopped(
    calling: Caller, noor: User, demonstration_campaign: Campaign, rosa: Rater
) -> None:
    first = [written(demonstration_campaign, rosa).pk for _ in range(3)]
    client = calling(noor)

    page = client.get("/api/v1/judgments?limit=2").json()
    rest = client.get(f"/api/v1/judgments?cursor={page['next_cursor']}").json()
    nothing = client.get(f"/api/v1/judgments?cursor={rest['next_cursor']}").json()
    later = written(demonstration_campaign, rosa).pk
    new = client.get(f"/api/v1/judgments?cursor={nothing['next_cursor']}").json()

    assert [row["id"] for row in page["results"] + rest["results"]] == first
    assert (page["has_more"], rest["has_more"], nothing["results"]) == (True, False, [])
    assert [row["id"] for row in new["results"]] == [later]


def test_a_judgment_that_may_still_be_undone_ends_the_page(
    calling: Caller, noor: User, demonstration_campaign: Campaign, rosa: Rater
) -> None:
    old = written(demonstration_campaign, rosa)
    young = written(demonstration_campaign, rosa, at=timezone.now())
    Judgment.of_people.filter(pk=written(demonstration_campaign, rosa).pk).update(
        submitted_at=NOON
    )  # a slower clock's

    page = calling(noor).get("/api/v1/judgments").json()

    assert [row["id"] for row in page["results"]] == [old.pk]
    assert page["next_cursor"] < young.pk
    assert SETTLED_AFTER > UNDO_WITHIN + UNDO_GRACE


def test_a_correction_comes_again_under_its_own_id(
    calling: Caller, noor: User, demonstration_campaign: Campaign, rosa: Rater
) -> None:
    first = written(demonstration_campaign, rosa, "Five.")
    correct.correct(
        lease=lease_of(first),
        rater=rosa,
        version=1,
        answer=DemonstrationAnswer(text="Four."),
        now=NOON + timedelta(hours=1),
    )

    (row,) = calling(noor).get("/api/v1/judgments").json()["results"]

    assert (row["demonstration"]["text"], row["version"], row["supersedes"]) == (
        "Four.",
        2,
        first.pk,
    )


def test_the_feed_is_narrowed_to_a_campaign_and_a_time(
    calling: Caller,
    noor: User,
    demonstration_campaign: Campaign,
    comparison_campaign: Campaign,
    rosa: Rater,
) -> None:
    written(demonstration_campaign, rosa)
    late = written(demonstration_campaign, rosa, at=NOON + timedelta(days=1))
    ranked(comparison_campaign, rosa)

    found = calling(noor).get(
        "/api/v1/judgments",
        query_params={
            "campaign": demonstration_campaign.pk,
            "since": (NOON + timedelta(hours=1)).isoformat(),
        },
    )

    assert [row["id"] for row in found.json()["results"]] == [late.pk]


def test_imported_judgments_come_when_asked_for_and_once_published(
    calling: Caller, noor: User, demonstration_campaign: Campaign, rosa: Rater
) -> None:
    judgment = written(demonstration_campaign, rosa)
    source = Source.objects.create(name="a file", kind="import")
    batch = source.imports.create(file_name="a.jsonl", path="", format="jsonl", state="running")
    Judgment.of_people.filter(pk=judgment.pk).update(
        import_batch=batch, campaign=None, item=None, slot=None
    )
    client = calling(noor)

    def ids(query: str) -> list[int]:
        return [row["id"] for row in client.get(f"/api/v1/judgments?{query}").json()["results"]]

    assert ids("includes_imports=true") == []
    batch.state = "published"
    batch.save()
    assert (ids(""), ids("includes_imports=true")) == ([], [judgment.pk])


def test_a_page_of_the_feed_costs_a_constant_number_of_queries(
    calling: Caller,
    noor: User,
    comparison_campaign: Campaign,
    rosa: Rater,
    raul: Rater,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = calling(noor)
    client.get("/api/v1/judgments")
    for rater in (rosa, raul):
        for _ in range(4):
            ranked(comparison_campaign, rater)

    with django_assert_num_queries(5):  # token, end, who withdrew, judgments, ranked responses
        assert len(client.get("/api/v1/judgments").json()["results"]) == 8


def test_the_feed_reads_no_clock_of_its_own(demonstration_campaign: Campaign, rosa: Rater) -> None:
    written(demonstration_campaign, rosa, at=datetime(2030, 1, 1, tzinfo=UTC))

    assert feed.judgment_feed(n=10, now=datetime(2030, 1, 1, tzinfo=UTC)) == []
    assert len(feed.judgment_feed(n=10, now=datetime(2030, 1, 2, tzinfo=UTC))) == 1


def test_the_feed_marks_repeats_and_names_the_item(
    calling: Caller, noor: User, comparison_campaign: Campaign, rosa: Rater
) -> None:
    first, again = ranked(comparison_campaign, rosa), ranked(comparison_campaign, rosa)
    Item.objects.filter(judgments=again).update(repeat_of=first.item)
    Judgment.of_people.filter(pk=again.pk).update(warnings=["too_fast"])

    rows = calling(noor).get("/api/v1/judgments").json()["results"]

    assert [(row["item"], row["is_repeat"]) for row in rows] == [
        (first.item_id, False),
        (again.item_id, True),
    ]
    assert [row["warnings"] for row in rows] == [[], ["too_fast"]]


# --- what happened to judgments since -------------------------------------------------------------


def test_a_reader_hears_which_judgments_stopped_counting_and_count_again(
    calling: Caller, noor: User, demonstration_campaign: Campaign, rosa: Rater
) -> None:
    judgment = written(demonstration_campaign, rosa)
    set_aside.set_aside(judgment=judgment, reason="Off topic.", by=None, now=NOON)
    set_aside.take_back(judgment=judgment, by=None, now=NOON)
    withdrawal.withdraw_rater(rater=rosa, by=None, now=NOON)
    client = calling(noor)

    page = client.get("/api/v1/judgment-events?limit=2").json()
    rest = client.get(f"/api/v1/judgment-events?cursor={page['next_cursor']}").json()

    found = page["results"] + rest["results"]
    assert [row["event"] for row in found] == ["set_aside", "restored", "withdrawn"]
    assert {row["judgment"] for row in found} == {judgment.pk}
    assert {(row["campaign"], row["rater"]) for row in found} == {
        (demonstration_campaign.pk, rosa.alias)
    }
    assert (page["has_more"], rest["has_more"]) == (True, False)
    assert client.get("/api/v1/judgments").json()["results"] == []


def test_setting_aside_sends_a_webhook_event(
    demonstration_campaign: Campaign, alice: User, rosa: Rater
) -> None:
    webhooks_services.create_webhook(
        name="Lake",
        url="https://example.org/lake",
        events=["judgment.set_aside"],
        by=alice,
        now=NOON,
    )
    judgment = written(demonstration_campaign, rosa)

    set_aside.set_aside(judgment=judgment, reason="Off topic.", by=alice, now=NOON)

    body = json.loads(Delivery.objects.get().body)
    assert body["event"] == "judgment.set_aside"
    assert body["data"] == {"rater": rosa.alias, "judgments": [judgment.pk]}


def test_a_page_looks_through_so_many_judgments_and_the_next_goes_on(
    calling: Caller,
    comparison_campaign: Campaign,
    rosa: Rater,
    noor: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judgments = [ranked(comparison_campaign, rosa) for _ in range(5)]
    Prompt.objects.update(licence="MIT")
    Prompt.objects.filter(pk=judgments[4].prompt_id).update(licence="CC-BY-4.0")
    monkeypatch.setattr(feed, "LOOKED_AT", 2)
    client = calling(noor)
    pages, cursor, has_more = [], 0, True

    while has_more:
        query = {"licence": "CC-BY-4.0", "cursor": cursor}
        page = client.get("/api/v1/judgments", query_params=query).json()
        cursor, has_more = page["next_cursor"], page["has_more"]
        pages.append([row["id"] for row in page["results"]])

    assert pages == [[], [], [judgments[4].pk]]
    assert cursor == judgments[4].pk


def test_judgments_since_a_time_do_not_follow_their_ids(
    calling: Caller,
    comparison_campaign: Campaign,
    rosa: Rater,
    noor: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second, third = (ranked(comparison_campaign, rosa) for _ in range(3))
    earlier = Judgment.of_people.filter(pk=second.pk)
    earlier.update(submitted_at=first.submitted_at - timedelta(days=3))
    since = (first.submitted_at - timedelta(days=1)).isoformat()
    monkeypatch.setattr(feed, "LISTED", 1)
    client = calling(noor)

    page = client.get("/api/v1/judgments", query_params={"since": since}).json()
    following = {"since": since, "cursor": page["next_cursor"]}
    other = client.get("/api/v1/judgments", query_params=following).json()

    assert [row["id"] for row in page["results"] + other["results"]] == [first.pk, third.pk]


def test_a_webhook_passes_judgments_that_do_not_count(
    comparison_campaign: Campaign, rosa: Rater, monkeypatch: pytest.MonkeyPatch
) -> None:
    *gold, last = (ranked(comparison_campaign, rosa) for _ in range(4))
    Judgment.of_people.filter(pk__in=[judgment.pk for judgment in gold]).update(is_gold=True)
    monkeypatch.setattr(feed, "LOOKED_AT", 1)

    judgments = feed.judgment_feed(n=10, now=datetime(2030, 1, 2, tzinfo=UTC))

    assert [judgment.pk for judgment in judgments] == [last.pk]
