"""Access to objects by the id in a URL: an object that a person may not see does not exist for
them.
"""

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import Http404

from accounts.models import User
from labeling import access as labeling_access
from labeling.conversations import turns
from labeling.desk import access as desk_access
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer
from labeling.models import Campaign, Guideline, Import, Pool, Prompt, Rater, Source
from labeling.people.pools import services as pools_services
from labeling.queue import slots
from labeling.queue.claiming import claim
from tests.cast import NOON, PASSWORD, lease_of, login_of, rater_called
from tests.labeling.desk.conversations.talking import (
    answered,
    open_conversation_campaign,
    rated,
    started,
    turn_of,
)

pytestmark = pytest.mark.django_db


def reaches(fetch: Callable[[], object]) -> bool:
    try:
        fetch()
    except Http404:
        return False
    return True


@pytest.fixture
def people(alice: User, noor: User, rosa: Rater) -> dict[str, User | AnonymousUser]:
    return {
        "admin": alice,
        "researcher": noor,
        "rater": login_of(rosa),
        "anonymous": AnonymousUser(),
    }


@pytest.mark.parametrize("who", ["admin", "researcher", "rater", "anonymous"])
def test_only_an_admin_reaches_what_is_managed(
    people: dict[str, User | AnonymousUser],
    who: str,
    demonstration_campaign: Campaign,
    guideline: Guideline,
    day_shift: Pool,
) -> None:
    user, item = people[who], demonstration_campaign.items.first()
    source = Source.objects.create(name="a file", kind=Source.Kind.IMPORT)
    batch = Import.objects.create(
        file_name="a.jsonl", path="", format="jsonl", source=source, licence=""
    )
    fetches = {
        "campaign": lambda: labeling_access.campaign(user=user, pk=demonstration_campaign.pk),
        "item": lambda: labeling_access.item(
            user=user, campaign_pk=demonstration_campaign.pk, pk=item.pk
        ),
        "pool": lambda: labeling_access.pool(user=user, pk=day_shift.pk),
        "guideline": lambda: labeling_access.guideline(user=user, pk=guideline.pk),
        "prompt": lambda: labeling_access.prompt(user=user, pk=item.prompt_id),
        "import": lambda: labeling_access.import_batch(user=user, pk=batch.pk),
    }

    reached = {name for name, fetch in fetches.items() if reaches(fetch)}

    assert reached == (set(fetches) if who == "admin" else set())


def test_an_item_is_reached_through_its_own_campaign_only(
    alice: User, demonstration_campaign: Campaign, comparison_campaign: Campaign
) -> None:
    item = demonstration_campaign.items.first()

    assert not reaches(
        lambda: labeling_access.item(user=alice, campaign_pk=comparison_campaign.pk, pk=item.pk)
    )


def test_a_prompt_of_an_unpublished_import_does_not_exist(
    alice: User, demonstration_campaign: Campaign
) -> None:
    prompt = demonstration_campaign.items.first().prompt
    prompt.import_batch = Import.objects.create(
        file_name="a.jsonl", path="", format="jsonl", source=prompt.source, licence=""
    )
    prompt.save()

    assert not reaches(lambda: labeling_access.prompt(user=alice, pk=prompt.pk))


@pytest.mark.parametrize("ending", ["open", "submitted", "released", "skipped", "taken over"])
def test_a_rater_reaches_own_leases_in_every_state_and_nobody_elses(
    demonstration_campaign: Campaign,
    people: dict[str, User | AnonymousUser],
    rosa: Rater,
    raul: Rater,
    ending: str,
) -> None:
    slot = claim.claim(campaign=demonstration_campaign, rater=rosa, now=NOON)
    given: dict[str, Any] = {"lease": lease_of(slot), "rater": rosa, "now": NOON}
    if ending == "submitted":
        submit.submit(**given, answer=DemonstrationAnswer(text="Four."))
    elif ending == "released":
        slots.release(**given)
    elif ending == "skipped":
        slots.skip(reason="technical", **given)
    elif ending == "taken over":
        slots.release(**given)
        claim.claim(campaign=demonstration_campaign, rater=raul, now=NOON)

    others = [people["admin"], people["researcher"], people["anonymous"], login_of(raul)]

    assert desk_access.work(user=login_of(rosa), lease=lease_of(slot)).item.pk == slot.item_id
    assert not any(
        reaches(partial(desk_access.work, user=user, lease=lease_of(slot))) for user in others
    )


def test_a_lease_that_never_was_does_not_exist(rosa: Rater) -> None:
    assert not reaches(lambda: desk_access.work(user=login_of(rosa), lease=uuid.uuid4()))


def test_a_rater_works_in_open_campaigns_of_own_pools_only(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    night = pools_services.create_pool(name="Night shift", by=None, now=NOON)
    stranger = rater_called("Stella", pool=night)

    assert reaches(
        lambda: desk_access.campaign_to_work_in(rater=rosa, pk=demonstration_campaign.pk)
    )
    assert not reaches(
        lambda: desk_access.campaign_to_work_in(rater=stranger, pk=demonstration_campaign.pk)
    )


def test_a_rater_who_left_the_pool_is_given_nothing_more(
    demonstration_campaign: Campaign, rosa: Rater
) -> None:
    pools_services.remove_raters(pool=demonstration_campaign.pool, raters=[rosa], by=None, now=NOON)

    assert not reaches(
        lambda: desk_access.campaign_to_work_in(rater=rosa, pk=demonstration_campaign.pk)
    )


@pytest.mark.parametrize("state", ["draft", "paused", "closed"])
def test_a_campaign_that_is_not_open_is_not_worked_in(
    demonstration_campaign: Campaign, rosa: Rater, state: str
) -> None:
    Campaign.objects.filter(pk=demonstration_campaign.pk).update(state=state)

    assert not reaches(
        lambda: desk_access.campaign_to_work_in(rater=rosa, pk=demonstration_campaign.pk)
    )


def test_only_somebody_who_judges_has_a_rater(alice: User, rosa: Rater) -> None:
    assert labeling_access.rater(user=login_of(rosa)) == rosa
    assert not reaches(lambda: labeling_access.rater(user=alice))
    assert not reaches(lambda: labeling_access.rater(user=AnonymousUser()))


def test_the_cast_can_sign_in_with_its_password(rosa: Rater) -> None:
    assert rosa.user.check_password(PASSWORD)


def test_each_row_says_of_its_prompt_what_the_list_of_withdrawn_prompts_says(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    """Also what Rosa said in a conversation that began with a prompt by Raul."""
    campaign = open_conversation_campaign(pool=day_shift, guideline=guideline)
    conversation = started(campaign=campaign, rater=rosa)
    rated(answered(conversation))
    turns.write(conversation=conversation, number=2, text="And then?", now=NOON)
    by_raul = Source.objects.create(name="Raul", kind=Source.Kind.PERSON, person=login_of(raul))
    Prompt.objects.filter(pk=conversation.item.prompt_id).update(source=by_raul)
    Rater.everyone.filter(pk=raul.pk).update(withdrawn_at=NOON)

    rows = Prompt.objects.annotate(is_on_withdrawn=labeling_access.on_withdrawn("pk"))

    said = set(rows.filter(is_on_withdrawn=True).values_list("pk", flat=True))
    assert said == {conversation.item.prompt_id, turn_of(conversation).prompt_id}
    assert said == set(labeling_access.withdrawn_prompt_ids())
