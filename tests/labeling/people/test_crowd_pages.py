"""External crowds: in by a link with an id, out by a code, and returns and timeouts."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, User
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer
from labeling.models import Campaign, CrowdLink, CrowdVisit, Guideline, Pool, Rater, Slot
from labeling.people.accounts import services as accounts_services
from labeling.people.crowd import services as crowd_services
from labeling.queue.claiming import claim
from tests.cast import NOON, open_demonstration_campaign
from tests.labeling.answers import words
from tests.tooling.recordings import recorded

SignedIn = Callable[..., Client]

pytestmark = pytest.mark.django_db
DRAFT = {"revision": 1, "fields": {"text": ["A half sentence of mine"]}}


@pytest.fixture
@recorded
def link(day_shift: Pool, guideline: Guideline) -> CrowdLink:
    """Two items a visit, two places."""
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, overlap=2)
    return crowd_services.create_crowd_link(
        campaign=campaign,
        name="Spring study",
        id_parameter="PROLIFIC_PID",
        completion_code="C0DE42",
        return_url="https://platform.example/done?cc=C0DE42",
        n_items=2,
        n_places=2,
        by=None,
        now=NOON,
    )


def enter(link: CrowdLink, external_id: str, client: Client | None = None) -> tuple[Client, Any]:
    client = client or Client()
    return client, client.post(f"/crowd/{link.token}/?PROLIFIC_PID={external_id}")


def take(client: Client, campaign: Campaign) -> str:
    """Takes the next item; its address."""
    return client.post(f"/desk/{campaign.pk}/next").headers["Location"]


def answer(client: Client, address: str) -> Any:
    text = (
        "An answer of a good twenty words, so that nobody asks whether it is too short to be what"
        " was really meant to be said."
    )
    return client.post(f"{address}submit", {"text": text, "step": "submit", "active_s": "30"})


def test_a_worker_does_the_items_and_is_shown_the_code(link: CrowdLink) -> None:
    client, entered = enter(link, "worker-1")
    assert entered.url == "/desk/"
    address = take(client, link.campaign)
    assert "C0DE42" not in words(client.get("/crowd/done/"))

    address = answer(client, address).url
    last = answer(client, address)

    assert last.url == "/crowd/done/"
    page = words(client.get("/crowd/done/"))
    assert "C0DE42" in page
    assert "https://platform.example/done?cc=C0DE42" in page
    assert CrowdVisit.objects.get().state == "complete"


def test_a_complete_visit_is_given_nothing_more(link: CrowdLink) -> None:
    client, _entered = enter(link, "worker-1")
    answer(client, answer(client, take(client, link.campaign)).url)

    assert take(client, link.campaign) == "/desk/"


def test_the_same_worker_comes_back_to_the_same_visit(link: CrowdLink) -> None:
    client, _entered = enter(link, "worker-1")
    enter(link, "worker-1", client)

    assert CrowdVisit.objects.count() == 1
    assert Rater.everyone.count() == 1


def test_a_worker_is_offered_no_tour(link: CrowdLink) -> None:
    client, _entered = enter(link, "worker-1")

    assert 'class="callout tour"' not in client.get("/desk/").text


def test_an_address_without_an_id_gets_a_sentence(link: CrowdLink) -> None:
    answered = Client().get(f"/crowd/{link.token}/")

    assert (
        answered.status_code,
        "Your ID is missing from the URL (PROLIFIC_PID)." in words(answered),
    ) == (400, True)


def test_looking_takes_no_place(link: CrowdLink) -> None:
    assert Client().get(f"/crowd/{link.token}/?PROLIFIC_PID=worker-1").status_code == 200
    assert not CrowdVisit.objects.exists()


def study(pool: Pool, guideline: Guideline, **fields: Any) -> CrowdLink:
    """One more campaign of the pool, with its own link."""
    campaign = open_demonstration_campaign(
        pool=pool, guideline=guideline, name=f"Another {Campaign.objects.count()}", overlap=2
    )
    given: dict[str, Any] = {
        "name": "Another study",
        "id_parameter": "PROLIFIC_PID",
        "completion_code": "OTHER",
        "n_items": 2,
    }
    return crowd_services.create_crowd_link(
        campaign=campaign, by=None, now=NOON, **(given | fields)
    )


def test_a_worker_is_given_the_links_campaign_and_no_other_of_the_pool(
    link: CrowdLink, day_shift: Pool, guideline: Guideline
) -> None:
    other = study(day_shift, guideline)
    client, _entered = enter(link, "worker-1")

    assert "Another" not in words(client.get("/desk/"))
    assert client.post(f"/desk/{other.campaign_id}/next").status_code == 404
    assert client.post(f"/desk/{link.campaign_id}/next").status_code == 302


def test_the_same_worker_is_the_same_rater_through_another_link(
    link: CrowdLink, day_shift: Pool, guideline: Guideline
) -> None:
    client, _entered = enter(link, "worker-1")
    answer(client, answer(client, take(client, link.campaign)).url)
    assert CrowdVisit.objects.get().state == "complete"
    other = study(day_shift, guideline)

    client, entered = enter(other, "worker-1", client)

    assert (entered.url, Rater.everyone.count()) == ("/desk/", 1)
    assert take(client, other.campaign) != "/desk/", "the end of the first visit is no pause"
    elsewhere = study(day_shift, guideline, id_parameter="WORKER")
    Client().post(f"/crowd/{elsewhere.token}/?WORKER=worker-1")
    assert Rater.everyone.count() == 2, "another platform's ids are other people's"


def test_a_second_visit_for_the_same_campaign_counts_from_its_own_beginning(
    link: CrowdLink,
) -> None:
    client, _entered = enter(link, "worker-1")
    answer(client, take(client, link.campaign))
    client.post("/crowd/leave")
    again = crowd_services.create_crowd_link(
        campaign=link.campaign,
        name="Again",
        id_parameter="PROLIFIC_PID",
        completion_code="TWO",
        n_items=2,
        by=None,
        now=NOON,
    )

    client, _entered = enter(again, "worker-1", client)

    assert "You have answered 0 of 2 items." in words(client.get("/crowd/done/"))


def test_whom_an_admin_has_paused_gets_no_second_visit(
    link: CrowdLink, day_shift: Pool, guideline: Guideline
) -> None:
    enter(link, "worker-1")
    accounts_services.pause_raters(
        pool=day_shift, raters=[Rater.everyone.get()], by=None, now=timezone.now()
    )

    _client, entered = enter(study(day_shift, guideline), "worker-1")

    assert (entered.status_code, "You can't take part in this study." in words(entered)) == (
        410,
        True,
    )


def test_who_has_done_all_that_there_was_gets_the_code(link: CrowdLink) -> None:
    CrowdLink.objects.update(n_items=200)
    client, _entered = enter(link, "worker-1")
    address = take(client, link.campaign)
    assert client.post("/crowd/finish").headers["Location"] == "/crowd/done/"
    assert "C0DE42" not in words(client.get("/crowd/done/")), "nothing is done yet"

    while address.startswith("/desk/item/"):
        address = answer(client, address).url

    assert address == "/crowd/done/"
    page = words(client.get("/crowd/done/"))
    assert "There are no more items for you, but you still get the code." in page
    assert "C0DE42" not in page
    client.post("/crowd/finish")
    assert "C0DE42" in words(client.get("/crowd/done/"))


def test_who_has_skipped_more_than_they_judged_gets_no_code_for_it(link: CrowdLink) -> None:
    CrowdLink.objects.update(n_items=200)
    client, _entered = enter(link, "worker-1")
    address = answer(client, take(client, link.campaign)).url
    while address.startswith("/desk/item/"):
        address = client.post(f"{address}skip", {"reason": "not_my_field"}).headers["Location"]

    client.post("/crowd/finish")

    assert "C0DE42" not in words(client.get("/crowd/done/"))


def elsewhere(entered: Any) -> tuple[int, bool]:
    return entered.status_code, "worked with this ID in another browser" in words(entered)


def test_an_id_alone_does_not_open_the_work_of_the_worker_who_has_it(link: CrowdLink) -> None:
    client, _entered = enter(link, "worker-1")
    answer(client, take(client, link.campaign))

    impostor, entered = enter(link, "worker-1")

    assert elsewhere(entered) == (410, True)
    assert "_auth_user_id" not in impostor.session
    assert enter(link, "worker-1", client)[1].url == "/desk/"


def test_an_id_alone_does_not_show_the_completion_code(link: CrowdLink) -> None:
    client, _entered = enter(link, "worker-1")
    answer(client, answer(client, take(client, link.campaign)).url)

    assert elsewhere(enter(link, "worker-1")[1]) == (410, True)
    assert enter(link, "worker-1", client)[1].url == "/crowd/done/"


def test_a_signed_out_worker_continues_in_the_same_browser(link: CrowdLink) -> None:
    client, _entered = enter(link, "worker-1")
    answer(client, take(client, link.campaign))
    client.post("/account/logout/")

    assert enter(link, "worker-1", client)[1].url == "/desk/"


def test_a_cookie_of_ones_own_making_proves_nothing(link: CrowdLink) -> None:
    client, _entered = enter(link, "worker-1")
    answer(client, take(client, link.campaign))
    name = f"crowd-{Rater.everyone.get().pk}"
    forged, other = Client(), Client()
    enter(link, "worker-2", other)
    (theirs,) = (value for key, value in other.cookies.items() if key.startswith("crowd-"))
    forged.cookies[name] = theirs.value

    assert elsewhere(enter(link, "worker-1", forged)[1]) == (410, True)


def test_what_a_worker_has_typed_is_shown_and_taken_by_nobody_with_their_id(
    link: CrowdLink,
) -> None:
    worker, _entered = enter(link, "worker-1")
    address = take(worker, link.campaign)
    worker.post(f"{address}draft", DRAFT, content_type="application/json")

    impostor, entered = enter(link, "worker-1")

    assert elsewhere(entered) == (410, True)
    assert "_auth_user_id" not in impostor.session
    assert "A half sentence of mine" in worker.get(address).text


@pytest.mark.parametrize("is_left", [False, True])
def test_an_item_that_a_worker_has_taken_stays_in_their_browser(
    link: CrowdLink, is_left: bool
) -> None:
    worker, _entered = enter(link, "worker-1")
    address = take(worker, link.campaign)
    if is_left:  # the lease is over, and what was typed is still there
        worker.post(f"{address}draft", DRAFT, content_type="application/json")
        worker.post(f"{address}release")

    assert elsewhere(enter(link, "worker-1")[1]) == (410, True)
    assert worker.get("/desk/").status_code == 200


def test_before_its_first_item_a_visit_moves_to_the_browser_that_opened_it_last(
    link: CrowdLink,
) -> None:
    first, _entered = enter(link, "worker-1")

    second, entered = enter(link, "worker-1")

    assert entered.url == "/desk/"
    assert second.get("/desk/").status_code == 200
    assert first.get("/desk/").headers["Location"].startswith("/account/login/")
    assert CrowdVisit.objects.count() == 1


def test_an_id_in_another_browser_is_another_rater_in_another_campaign(
    link: CrowdLink, day_shift: Pool, guideline: Guideline
) -> None:
    client, _entered = enter(link, "worker-1")
    answer(client, take(client, link.campaign))

    _other, entered = enter(study(day_shift, guideline), "worker-1")

    assert entered.url == "/desk/"
    assert Rater.everyone.count() == 2


def test_an_id_that_has_answered_in_a_campaign_is_refused_there_in_another_browser(
    link: CrowdLink,
) -> None:
    client, _entered = enter(link, "worker-1")
    answer(client, take(client, link.campaign))
    again = crowd_services.create_crowd_link(
        campaign=link.campaign,
        name="Again",
        id_parameter="PROLIFIC_PID",
        completion_code="TWO",
        by=None,
        now=NOON,
    )

    assert elsewhere(enter(again, "worker-1")[1]) == (410, True)


def test_who_was_paused_does_not_come_back_in_another_browser(
    link: CrowdLink, day_shift: Pool, guideline: Guideline
) -> None:
    client, _entered = enter(link, "worker-1")
    answer(client, take(client, link.campaign))
    accounts_services.pause_raters(
        pool=day_shift, raters=[Rater.everyone.get()], by=None, now=timezone.now()
    )

    _other, entered = enter(study(day_shift, guideline), "worker-1")

    assert "You can't take part in this study." in words(entered)


def test_made_up_ids_free_their_places_by_themselves(link: CrowdLink) -> None:
    enter(link, "made-up-1")
    enter(link, "made-up-2")
    assert "All places are taken." in words(enter(link, "worker-1")[1])
    CrowdVisit.objects.update(started_at=timezone.now() - timedelta(minutes=16))

    assert enter(link, "worker-1")[1].url == "/desk/"


def test_an_answer_keeps_the_place(link: CrowdLink) -> None:
    CrowdLink.objects.update(n_places=1)
    client, _entered = enter(link, "worker-1")
    answer(client, take(client, link.campaign))
    CrowdVisit.objects.update(started_at=timezone.now() - timedelta(minutes=16))

    assert "All places are taken." in words(enter(link, "worker-2")[1])


def test_a_full_study_is_refused_and_a_return_frees_place_and_item(link: CrowdLink) -> None:
    first, _entered = enter(link, "worker-1")
    enter(link, "worker-2")
    take(first, link.campaign)
    assert "All places are taken." in words(enter(link, "worker-3")[1])

    first.post("/crowd/leave")

    assert not Slot.objects.filter(state="leased").exists()
    assert first.get("/desk/").status_code == 302
    assert enter(link, "worker-3")[1].url == "/desk/"
    assert "Your visit has ended." in words(enter(link, "worker-1")[1])


def test_time_out_frees_place_and_item(link: CrowdLink) -> None:
    client, _entered = enter(link, "worker-1")
    take(client, link.campaign)
    later = timezone.now() + timedelta(minutes=link.max_minutes + 1)

    assert crowd_services.end_expired_visits(now=later) == 1
    assert crowd_services.end_expired_visits(now=later) == 0

    assert CrowdVisit.objects.get().state == "timed_out"
    assert not Slot.objects.filter(state="leased").exists()
    assert take(client, link.campaign) == "/desk/"


def test_who_has_done_all_when_the_time_is_up_keeps_the_code(link: CrowdLink) -> None:
    client, _entered = enter(link, "worker-1")
    for _ in range(2):
        slot = claim.claim(campaign=link.campaign, rater=Rater.everyone.get(), now=timezone.now())
        assert slot is not None
        assert slot.lease is not None
        submit.submit(
            lease=slot.lease,
            rater=Rater.everyone.get(),
            answer=DemonstrationAnswer(text="An answer."),
            now=timezone.now(),
        )

    crowd_services.end_expired_visits(now=timezone.now() + timedelta(days=1))

    assert "C0DE42" in words(client.get("/crowd/done/"))


def test_a_closed_link_lets_nobody_begin(alice: User, link: CrowdLink, signed_in: SignedIn) -> None:
    signed_in(alice).post(f"/crowd-links/{link.pk}/close")

    assert "This study is closed." in words(enter(link, "worker-1")[1])
    assert AuditEvent.objects.filter(by=alice, action="close").exists()


def test_an_admin_opens_a_link(
    alice: User, day_shift: Pool, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    given = {
        "campaign": demonstration_campaign.pk,
        "name": "Study",
        "id_parameter": "PROLIFIC_PID",
        "completion_code": "X",
        "n_items": 5,
        "n_places": 10,
        "max_minutes": 30,
    }
    client = signed_in(alice)

    client.post(f"/pools/{day_shift.pk}/crowd/", given)

    assert CrowdLink.objects.get().token in words(client.get(f"/pools/{day_shift.pk}/crowd/"))


def test_the_platforms_id_is_no_name_and_no_alias(link: CrowdLink) -> None:
    enter(link, "worker-1")

    rater = Rater.everyone.get()
    assert rater.user is not None
    assert "worker-1" not in f"{rater.alias} {rater.user.name} {rater.user.email}"


def test_who_came_by_no_link_has_no_visit(rosa: Rater, signed_in: SignedIn) -> None:
    assert signed_in(rosa).get("/crowd/done/").status_code == 404
