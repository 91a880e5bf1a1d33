"""Creating and changing campaigns, pools and guidelines."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEvent, User
from labeling.campaigns import services as campaigns_services
from labeling.data import intake
from labeling.data.intake import NewResponse
from labeling.guidelines import rating_form
from labeling.guidelines import services as guidelines_services
from labeling.kinds import registry
from labeling.models import Campaign, Guideline, Import, Pool, Rater, Response, Slot, Source
from labeling.people.pools import services as pools_services
from labeling.queue.claiming import claim
from tests.cast import NOON, responses_to, settings_in, some_prompts

pytestmark = pytest.mark.django_db


def create(
    pool: Pool, guideline: Guideline, *, kind: str = "demonstration", **fields: Any
) -> Campaign:
    values: dict[str, Any] = {"name": "Write", "by": None, "now": NOON} | fields
    settings = settings_in(values, registry.KINDS[kind])
    return campaigns_services.create_campaign(
        settings=settings, pool=pool, guideline=guideline, **values
    )


def test_an_item_has_as_many_slots_as_its_overlap(day_shift: Pool, guideline: Guideline) -> None:
    campaign = create(day_shift, guideline, prompts=some_prompts(3), overlap=4)

    assert [item.slots.count() for item in campaign.items.all()] == [4, 4, 4]
    assert set(Slot.objects.values_list("state", flat=True)) == {"free"}
    assert campaign.state == "draft"


def test_the_newest_version_of_the_guideline_is_in_force(
    day_shift: Pool, guideline: Guideline
) -> None:
    guidelines_services.new_guideline_version(
        guideline=guideline, text="Be brief.", form=rating_form.default(), by=None, now=NOON
    )

    assert create(day_shift, guideline, prompts=some_prompts(1)).guideline_version.number == 2


def test_a_new_version_is_in_force_at_once_where_work_goes_on(
    day_shift: Pool, guideline: Guideline
) -> None:
    going, closed = (
        create(day_shift, guideline, name=name, prompts=some_prompts(1))
        for name in ("going", "closed")
    )
    campaigns_services.close_campaign(campaign=closed, by=None, now=NOON)

    guidelines_services.new_guideline_version(
        guideline=guideline, text="Be brief.", form=rating_form.default(), by=None, now=NOON
    )

    going.refresh_from_db()
    closed.refresh_from_db()
    assert (going.guideline_version.number, closed.guideline_version.number) == (2, 1)


def test_a_prompt_without_enough_responses_is_left_out(
    day_shift: Pool, guideline: Guideline
) -> None:
    few, enough = some_prompts(2)
    responses_to([few], n=1)
    responses_to([enough], n=3)

    campaign = create(day_shift, guideline, kind="comparison", n_responses=2, prompts=[few, enough])

    (item,) = campaign.items.all()
    assert item.prompt == enough
    assert item.responses.count() == 2


def test_responses_are_taken_evenly_over_the_sources(day_shift: Pool, guideline: Guideline) -> None:
    prompts = some_prompts(10)
    for name in ("old", "new"):
        responses_to(prompts, n=4, source_name=name)

    campaign = create(day_shift, guideline, kind="comparison", n_responses=4, prompts=prompts)

    for item in campaign.items.all():
        assert sorted(item.responses.values_list("source__name", flat=True)) == [
            "new",
            "new",
            "old",
            "old",
        ]


def test_only_the_named_sources_are_compared(day_shift: Pool, guideline: Guideline) -> None:
    prompts = some_prompts(2)
    for name in ("old", "new"):
        responses_to(prompts, n=2, source_name=name)
    new = Source.objects.get(name="new")

    campaign = create(
        day_shift, guideline, kind="comparison", n_responses=2, prompts=prompts, source_ids=[new.pk]
    )

    assert set(campaign.items.values_list("responses__source__name", flat=True)) == {"new"}


def test_a_text_that_is_there_twice_is_taken_last(day_shift: Pool, guideline: Guideline) -> None:
    prompts = some_prompts(1)
    Response.objects.bulk_create(
        Response(
            prompt=prompts[0], source=Source.objects.create(name=name, kind="model"), text=text
        )
        for name, text in [("a", "Paris."), ("b", "Paris."), ("c", "Rome.")]
    )

    campaign = create(day_shift, guideline, kind="comparison", n_responses=2, prompts=prompts)

    assert set(campaign.items.values_list("responses__text", flat=True)) == {"Paris.", "Rome."}


def test_a_response_of_an_unpublished_import_is_not_compared(
    day_shift: Pool, guideline: Guideline
) -> None:
    prompts = some_prompts(1)
    responses_to(prompts, n=2)
    batch = Import.objects.create(
        file_name="a", path="", format="jsonl", source=prompts[0].source, licence=""
    )
    Response.objects.update(import_batch=batch)

    with pytest.raises(
        campaigns_services.UnableToCreateCampaign, match="No prompt has 2 responses"
    ):
        create(day_shift, guideline, kind="comparison", n_responses=2, prompts=prompts)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Choose at least one prompt"),
        ({"kind": "comparison"}, "2 to 9"),
        ({"kind": "comparison", "n_responses": 10}, "2 to 9"),
    ],
)
def test_a_campaign_that_nobody_could_work_on_is_refused(
    day_shift: Pool, guideline: Guideline, fields: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(campaigns_services.UnableToCreateCampaign, match=sentence):
        create(day_shift, guideline, prompts=[], **fields)

    assert not Campaign.objects.exists()


def test_a_name_is_given_once(day_shift: Pool, guideline: Guideline) -> None:
    create(day_shift, guideline, prompts=some_prompts(1))

    with pytest.raises(campaigns_services.UnableToCreateCampaign, match="has this name"):
        create(day_shift, guideline, prompts=some_prompts(1))


def test_the_cost_of_a_campaign_grows_by_batches_and_not_by_prompts(
    day_shift: Pool, guideline: Guideline, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    prompts = some_prompts(300)
    responses_to(prompts, n=4)

    with django_assert_max_num_queries(12):
        create(day_shift, guideline, kind="comparison", n_responses=4, prompts=prompts, overlap=3)


def test_a_campaign_opens_pauses_and_closes_and_each_is_written_down(
    alice: User, day_shift: Pool, guideline: Guideline
) -> None:
    campaign = create(day_shift, guideline, prompts=some_prompts(1))
    moves = [
        campaigns_services.open_campaign,
        campaigns_services.pause_campaign,
        campaigns_services.open_campaign,
        campaigns_services.close_campaign,
    ]

    assert [move(campaign=campaign, by=alice, now=NOON) for move in moves] == [True] * 4
    assert campaign.state == "closed"
    assert (campaign.opened_at, campaign.closed_at) == (NOON, NOON)
    written = AuditEvent.objects.filter(by=alice, target_type="labeling.campaign").order_by("pk")
    assert [event.after["state"] for event in written] == ["open", "paused", "open", "closed"]


def test_a_closed_campaign_does_not_open_again(day_shift: Pool, guideline: Guideline) -> None:
    campaign = create(day_shift, guideline, prompts=some_prompts(1))
    campaigns_services.close_campaign(campaign=campaign, by=None, now=NOON)

    assert not campaigns_services.open_campaign(campaign=campaign, by=None, now=NOON)
    assert campaign.state == "closed"


# --- the door in ----------------------------------------------------------------------------------


def test_responses_handed_in_twice_are_stored_once() -> None:
    source = intake.source_for_model(name="m-1", licence="Apache-2.0")
    prompts = some_prompts(2)
    rows = [
        NewResponse(prompt.pk, f"Answer {n}", n, {"seed": n}, True)
        for prompt in prompts
        for n in range(3)
    ]

    assert intake.store_responses(source=source, rows=rows, now=NOON) == 6
    assert intake.store_responses(source=source, rows=iter(rows), now=NOON) == 0
    assert Response.objects.filter(source=source).count() == 6


def test_a_model_has_one_source() -> None:
    first = intake.source_for_model(name="m-1", licence="Apache-2.0")

    assert intake.source_for_model(name="m-1", licence="Apache-2.0") == first
    assert first.kind == "model"


def test_a_comparison_campaign_opens_on_what_a_model_wrote(
    alice: User, day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    source = intake.source_for_model(name="m-1", licence="Apache-2.0")
    prompts = some_prompts(2)
    rows = (
        NewResponse(prompt.pk, f"Answer {n}", n, {}, True) for prompt in prompts for n in range(4)
    )
    intake.store_responses(source=source, rows=rows, now=NOON)

    campaign = intake.open_comparison_campaign(
        name="First look",
        pool=day_shift,
        guideline=guideline,
        prompt_ids=[prompt.pk for prompt in prompts],
        source_ids=[source.pk],
        n_responses=4,
        overlap=3,
        by=alice,
        now=NOON,
    )

    assert campaign.state == "open"
    assert claim.claim(campaign=campaign, rater=rosa, now=NOON) is not None


# --- people ---------------------------------------------------------------------------------------


def test_only_somebody_with_the_role_becomes_a_rater(alice: User, rosa: Rater) -> None:
    assert not Rater.everyone.filter(user=alice).exists()
    assert rosa.user.roles == {"rater"}


def test_an_alias_says_nothing_about_the_person(rosa: Rater) -> None:
    assert "rosa" not in rosa.alias.lower()


def test_a_rater_who_left_a_pool_can_come_back(day_shift: Pool, rosa: Rater) -> None:
    assert pools_services.add_raters(pool=day_shift, raters=[rosa], by=None, now=NOON) == 0
    assert pools_services.remove_raters(pool=day_shift, raters=[rosa], by=None, now=NOON) == 1
    assert pools_services.add_raters(pool=day_shift, raters=[rosa], by=None, now=NOON) == 1
    assert day_shift.memberships.get().is_active
