"""The labeling half over HTTP: what is listed, made and steered, and what the feed of judgments
tells.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEvent, Delivery, User
from accounts.webhooks import services as webhooks_services
from labeling.desk.judgments import correct, submit
from labeling.desk.judgments.answers import ComparisonAnswer, DemonstrationAnswer
from labeling.desk.judgments.undo import UNDO_GRACE
from labeling.desk.work import UNDO_WITHIN
from labeling.models import Campaign, Guideline, Item, Judgment, Pool, Prompt, Rater, Source
from labeling.people import withdrawal
from labeling.queue import feed
from labeling.queue.claiming import claim
from labeling.queue.feed import SETTLED_AFTER
from labeling.review import set_aside
from tests.cast import NOON, lease_of, open_demonstration_campaign, responses_to, some_prompts

Caller = Callable[..., Client]
QUESTION = [{"role": "user", "content": "Why is the sky blue?"}]


def post(client: Client, path: str, body: object, **headers: str) -> Any:
    return client.post(path, body, content_type="application/json", headers=headers)


def written(campaign: Campaign, rater: Rater, text: str = "Four.", at: datetime = NOON) -> Judgment:
    slot = claim.claim(campaign=campaign, rater=rater, now=at)
    return submit.submit(
        lease=lease_of(slot), rater=rater, answer=DemonstrationAnswer(text=text), now=at
    )


def ranked(campaign: Campaign, rater: Rater) -> Judgment:
    slot = claim.claim(campaign=campaign, rater=rater, now=NOON)
    ratings = {position: {"overall": position + 1} for position in range(4)}
    return submit.submit(
        lease=lease_of(slot),
        rater=rater,
        answer=ComparisonAnswer(ranks={0: 2, 1: 1, 2: 2, 3: None}, ratings=ratings),
        now=NOON,
    )


# --- prompts --------------------------------------------------------------------------------------


def test_a_prompt_is_stored_and_told_back(calling: Caller, alice: User) -> None:
    response = post(
        calling(alice),
        "/api/v1/prompts",
        {"messages": QUESTION, "category": "open_qa", "language": "en"},
    )

    prompt = Prompt.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "id": prompt.pk,
        "messages": QUESTION,
        "category": "open_qa",
        "language": "en",
        "split": "train",
        "licence": "",
        "sensitive": [],
        "constraints": [],
        "source": {"id": prompt.source_id, "name": f"person {alice.pk}", "kind": "person"},
        "origin": "typed in",
        "created_at": prompt.created_at.isoformat().replace("+00:00", "Z"),
    }


def test_a_prompt_is_stored_with_what_may_upset_and_what_an_answer_keeps_to(
    calling: Caller, alice: User
) -> None:
    about = {"sensitive": ["violence", "hate"], "constraints": ["At most three sentences."]}

    response = post(calling(alice), "/api/v1/prompts", {"messages": QUESTION, **about})
    refused = post(
        calling(alice), "/api/v1/prompts", {"messages": QUESTION, "sensitive": ["boredom"]}
    )

    prompt = Prompt.objects.get()
    assert {name: response.json()[name] for name in about} == about
    assert {"sensitive": prompt.sensitive, "constraints": prompt.constraints} == about
    assert refused.status_code == 400


@pytest.mark.parametrize(
    ("messages", "field", "sentence"),
    [
        ([], "messages", "Ensure this field has at least 1 elements."),
        ([{"role": "user", "content": ""}], "messages.0.content", "This field may not be blank."),
        (
            [*QUESTION, *QUESTION],
            "messages",
            "Message 2 must have the role assistant: turns alternate, starting with the user.",
        ),
        (
            [{"role": "system", "content": "Be kind."}],
            "messages",
            "The last message must be from the user: it is the one that gets answered.",
        ),
        (
            [*QUESTION, {"role": "assistant", "content": "Rayleigh."}],
            "messages",
            "The last message must be from the user: it is the one that gets answered.",
        ),
    ],
)
def test_messages_that_are_no_conversation_are_refused_where_they_stop(
    calling: Caller, alice: User, messages: list[object], field: str, sentence: str
) -> None:
    response = post(calling(alice), "/api/v1/prompts", {"messages": messages})

    assert response.status_code == 400
    assert response.json() == {
        "detail": "Some values are invalid.",
        "errors": {field: [sentence]},
    }


def test_every_problem_of_a_body_is_told_at_once(calling: Caller, alice: User) -> None:
    response = post(
        calling(alice),
        "/api/v1/prompts",
        {"messages": QUESTION, "category": "poetry", "split": "none"},
    )

    assert set(response.json()["errors"]) == {"category", "split"}


def test_a_body_that_is_no_json_gets_a_sentence(calling: Caller, alice: User) -> None:
    response = calling(alice).post("/api/v1/prompts", "{", content_type="application/json")

    assert (response.status_code, response.json()["errors"]) == (400, {})
    assert response.json()["detail"].startswith("JSON parse error")


def test_prompts_are_filtered_by_what_they_are(calling: Caller, alice: User) -> None:
    some_prompts(2)
    Prompt.objects.filter(pk=some_prompts(1)[0].pk).update(category="chat", split="test")

    client = calling(alice)

    assert len(client.get("/api/v1/prompts?category=chat&split=test").json()["results"]) == 1
    assert len(client.get("/api/v1/prompts?text=Question 1").json()["results"]) == 1
    assert client.get("/api/v1/prompts?category=poetry").status_code == 400


@pytest.mark.parametrize("blank", ["language=%20", "text="])
def test_a_blank_filter_leaves_nothing_out(calling: Caller, alice: User, blank: str) -> None:
    some_prompts(3)

    response = calling(alice).get(f"/api/v1/prompts?{blank}")

    assert (response.status_code, len(response.json()["results"])) == (200, 3)


def test_pages_of_a_list_neither_overlap_nor_leave_a_gap(calling: Caller, alice: User) -> None:
    ids = [prompt.pk for prompt in some_prompts(5)]
    client = calling(alice)

    first = client.get("/api/v1/prompts?limit=2").json()
    some_prompts(1, source_name="while somebody reads")
    second = client.get(f"/api/v1/prompts?limit=2&cursor={first['next_cursor']}").json()
    third = client.get(f"/api/v1/prompts?limit=2&cursor={second['next_cursor']}").json()

    assert [row["id"] for page in (first, second, third) for row in page["results"]] == sorted(
        ids, reverse=True
    )
    assert third["next_cursor"] is None


def test_a_list_of_prompts_costs_the_same_however_long(
    calling: Caller, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = calling(alice)
    client.get("/api/v1/prompts")
    some_prompts(60)

    with django_assert_num_queries(2):  # token with its person, prompts with their sources
        assert len(client.get("/api/v1/prompts?limit=60").json()["results"]) == 60


def test_what_is_not_there_is_404_with_a_sentence(calling: Caller, alice: User) -> None:
    client = calling(alice)

    for path in ("prompts/987", "pools/987", "campaigns/987"):
        response = client.get(f"/api/v1/{path}")
        assert (response.status_code, response.json()["errors"]) == (404, {})
        assert response.json()["detail"]


# --- pools and campaigns --------------------------------------------------------------------------


def test_a_pool_is_made_under_a_name_of_its_own(
    calling: Caller, alice: User, day_shift: Pool
) -> None:
    client = calling(alice)

    made = post(client, "/api/v1/pools", {"name": "Night shift", "is_held_out": True})
    refused = post(client, "/api/v1/pools", {"name": "Day shift"})

    assert made.status_code == 201
    assert made.json() | {"id": 0, "created_at": ""} == {
        "id": 0,
        "name": "Night shift",
        "description": "",
        "is_held_out": True,
        "n_raters": 0,
        "n_campaigns": 0,
        "created_at": "",
    }
    assert refused.json()["errors"] == {"name": ["Another pool already has this name."]}


def test_a_campaign_is_made_opened_paused_and_closed(
    calling: Caller, alice: User, day_shift: Pool, guideline: Guideline
) -> None:
    responses_to(some_prompts(3), n=4)
    client = calling(alice)
    body = {
        "name": "By script",
        "kind": "comparison",
        "pool": day_shift.pk,
        "guideline": guideline.pk,
        "overlap": 2,
        "n_responses": 4,
        "prompts": {"n_prompts": 2},
    }

    made = post(client, "/api/v1/campaigns", body).json()
    states = [
        post(client, f"/api/v1/campaigns/{made['id']}/{verb}", {}).json()["state"]
        for verb in ("open", "pause", "close")
    ]

    assert (made["state"], made["progress"]["n_slots"], made["progress"]["is_done"]) == (
        "draft",
        4,
        False,
    )
    assert states == ["open", "paused", "closed"]
    assert set(
        AuditEvent.objects.filter(target_type="labeling.campaign").values_list(
            "by__name", flat=True
        )
    ) == {"Alice"}


def test_a_campaign_that_nobody_could_work_on_is_refused_in_the_services_words(
    calling: Caller, alice: User, day_shift: Pool, guideline: Guideline
) -> None:
    body = {
        "name": "Empty",
        "kind": "demonstration",
        "pool": day_shift.pk,
        "guideline": guideline.pk,
    }

    response = post(calling(alice), "/api/v1/campaigns", body)

    assert (response.status_code, response.json()["detail"]) == (
        409,
        "Choose at least one prompt.",
    )
    assert not Campaign.objects.exists()


def test_an_id_that_is_nobodys_is_named(calling: Caller, alice: User, guideline: Guideline) -> None:
    body = {"name": "x", "kind": "demonstration", "pool": 987, "guideline": guideline.pk}

    response = post(calling(alice), "/api/v1/campaigns", body)

    assert response.json()["errors"] == {"pool": ["No object has the ID 987."]}


def test_a_campaigns_progress_counts_its_slots(
    calling: Caller, alice: User, demonstration_campaign: Campaign, rosa: Rater
) -> None:
    written(demonstration_campaign, rosa)
    claim.claim(campaign=demonstration_campaign, rater=rosa, now=timezone.now())

    progress = (
        calling(alice).get(f"/api/v1/campaigns/{demonstration_campaign.pk}").json()["progress"]
    )

    assert progress == {
        "n_slots": 5,
        "n_submitted": 1,
        "n_in_hand": 1,
        "n_left": 4,
        "n_extra": 0,
        "is_done": False,
    }


def test_a_list_of_campaigns_costs_the_same_however_long(
    calling: Caller,
    alice: User,
    day_shift: Pool,
    guideline: Guideline,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = calling(alice)
    client.get("/api/v1/campaigns")
    for number in range(6):
        open_demonstration_campaign(
            pool=day_shift, guideline=guideline, n_items=2, name=f"Campaign {number}"
        )

    with django_assert_num_queries(5):  # token, campaigns, slots, extras, newest judgments
        assert len(client.get("/api/v1/campaigns").json()["results"]) == 6


def test_guidelines_are_listed_so_that_a_campaign_can_name_one(
    calling: Caller, alice: User, guideline: Guideline
) -> None:
    (row,) = calling(alice).get("/api/v1/guidelines").json()["results"]

    assert (row["id"], row["name"], row["n_versions"]) == (guideline.pk, "Helpful answers", 1)


# --- the feed of judgments ------------------------------------------------------------------------


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
        "further": [],
        "sources": "",
        "edit_of": None,
    }
    assert row["comparison"] is None


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
    Judgment.objects.filter(pk=written(demonstration_campaign, rosa).pk).update(
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
    Judgment.objects.filter(pk=judgment.pk).update(
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

    with django_assert_num_queries(3):  # token, judgments, their ranked responses
        assert len(client.get("/api/v1/judgments").json()["results"]) == 8


def test_the_feed_reads_no_clock_of_its_own(demonstration_campaign: Campaign, rosa: Rater) -> None:
    written(demonstration_campaign, rosa, at=datetime(2030, 1, 1, tzinfo=UTC))

    assert feed.judgment_feed(n=10, now=datetime(2030, 1, 1, tzinfo=UTC)) == []
    assert len(feed.judgment_feed(n=10, now=datetime(2030, 1, 2, tzinfo=UTC))) == 1


def test_the_feed_marks_repeats_and_names_the_item(
    calling: Caller, noor: User, comparison_campaign: Campaign, rosa: Rater
) -> None:
    first, again = ranked(comparison_campaign, rosa), ranked(comparison_campaign, rosa)
    Item.objects.filter(pk=again.item_id).update(repeat_of=first.item)
    Judgment.objects.filter(pk=again.pk).update(warnings=["too_fast"])

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
