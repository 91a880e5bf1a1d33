"""The object of an audit entry is a link if the reader may open its page."""

import pytest
from django.apps import apps
from django.urls import NoReverseMatch, reverse
from pytest_django import DjangoAssertNumQueries

from accounts.audit import pages
from accounts.audit import words as audit_words
from accounts.models import AuditEvent, User
from labeling.models import Adjudication, Campaign, Gold, Invitation, JudgmentReview, Pool, Rater
from labeling.people.invitations import services as invitations_services
from labeling.people.invitations.csv_file import Invitee
from labeling.queue.claiming import claim
from labeling.review import services as review_services
from labeling.review.services import Remark
from tests.cast import NOON
from tests.labeling.queue.gold.scene import RIGHT, gold_order, rank_by
from tests.training import cast

ADMIN = frozenset({"admin"})


def address_of(target_type: str, pk: int, roles: frozenset[str] = ADMIN) -> str:
    event = AuditEvent(target_type=target_type, target_id=pk)
    return pages.addresses(events=[event], roles=roles).get((target_type, pk), "")


@pytest.mark.django_db
@pytest.mark.parametrize("name", pages.PAGES)
def test_a_page_and_its_columns_are_there(name: str) -> None:
    page, columns = pages.PAGES[name]

    list(apps.get_model(name)._base_manager.values_list("pk", *columns))
    try:
        address = reverse(page, args=[1 for _column in columns])
    except NoReverseMatch:
        address = reverse(page, args=["repair"])

    assert address.startswith("/")


def test_what_has_words_has_a_page() -> None:
    assert sorted(set(audit_words.TYPE_WORDS) - set(pages.PAGES)) == []


def test_golds_decisions_reviews_and_invitations_are_links(
    comparison_campaign: Campaign, day_shift: Pool, rosa: Rater, alice: User
) -> None:
    slot = claim.claim(campaign=comparison_campaign, rater=rosa, now=NOON)
    assert slot is not None
    given = rank_by(slot, RIGHT, rater=rosa)
    item = given.item
    assert item is not None
    remarks = {given.pk: Remark(feedback="Why?")}
    review_services.adjudicate(
        item=item,
        ranks=gold_order(item),
        reason="none",
        remarks=remarks,
        promotes=True,
        by=alice,
        now=NOON,
    )
    invitations_services.invite_to_pool(
        pool=day_shift, invitees=[Invitee(email="rut@example.org", name="Rut")], by=alice, now=NOON
    )
    reviewed = f"/campaigns/{comparison_campaign.pk}/review/{item.pk}/"

    assert (
        address_of("labeling.gold", Gold.objects.get().pk)
        == f"/campaigns/{comparison_campaign.pk}/gold/"
    )
    assert address_of("labeling.adjudication", Adjudication.objects.get().pk) == reviewed
    assert address_of("labeling.judgmentreview", JudgmentReview.objects.get().pk) == reviewed
    assert (
        address_of("labeling.invitation", Invitation.objects.get().pk)
        == f"/pools/{day_shift.pk}/invitations/"
    )


def test_a_run_is_a_link_for_people_who_may_open_runs(noor: User) -> None:
    run = cast.a_run(noor)

    assert (
        address_of("training.run", run.pk, frozenset({"admin", "researcher"})) == f"/runs/{run.pk}/"
    )
    assert address_of("training.run", run.pk) == ""


def test_what_is_gone_is_no_link(db: None) -> None:
    assert address_of("accounts.webhook", 999) == ""


def test_fifty_acts_on_things_of_a_kind_cost_one_query(
    comparison_campaign: Campaign, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    events = [
        AuditEvent(target_type="labeling.campaign", target_id=comparison_campaign.pk + number)
        for number in range(50)
    ]

    with django_assert_num_queries(1):
        assert len(pages.addresses(events=events, roles=ADMIN)) == 1
