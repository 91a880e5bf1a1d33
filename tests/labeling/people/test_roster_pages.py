"""The roster: filters, and bulk actions."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEvent, User
from labeling.models import Pool, PoolMembership, Rater, RaterSkill
from labeling.people.accounts import services as accounts_services
from labeling.people.pools import services as pools_services
from labeling.people.skills import services as skills_services
from tests.cast import NOON, rater_called
from tests.labeling.answers import words

SignedIn = Callable[..., Client]

pytestmark = pytest.mark.django_db


def shown(client: Client, query: str = "") -> set[str]:
    return {row.rater.user.name for row in client.get(f"/roster/{query}").context["rows"]}


def test_an_empty_site_says_what_to_do(alice: User, signed_in: SignedIn) -> None:
    assert "No raters yet" in words(signed_in(alice).get("/roster/"))


def test_raters_are_found_by_name_mail_and_alias(
    alice: User, rosa: Rater, raul: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(alice)

    assert shown(client, "?q=ros") == {"Rosa"}
    assert shown(client, "?q=raul@") == {"Raul"}
    assert shown(client, f"?q={raul.alias}") == {"Raul"}, "Rater 1 would find Rater 13 too"


def test_raters_are_found_by_pool_language_and_topic(
    alice: User, day_shift: Pool, rosa: Rater, raul: Rater, signed_in: SignedIn
) -> None:
    experts = pools_services.create_pool(name="Experts", by=None, now=NOON)
    pools_services.add_raters(pool=experts, raters=[raul], by=None, now=NOON)
    skills_services.declare_skills(rater=rosa, languages=["de"], topics=["chat"], now=NOON)
    client = signed_in(alice)

    assert shown(client, f"?pool={experts.pk}") == {"Raul"}
    assert shown(client, "?language=de") == {"Rosa"}
    assert shown(client, "?topic=chat") == {"Rosa"}


def test_raters_are_found_by_where_they_stand(
    alice: User, day_shift: Pool, rosa: Rater, raul: Rater, rita: Rater, signed_in: SignedIn
) -> None:
    accounts_services.pause_raters(pool=day_shift, raters=[raul], by=None, now=NOON)
    accounts_services.deactivate_raters(raters=[rita], by=None, now=NOON)
    client = signed_in(alice)

    assert shown(client, "?standing=at_work") == {"Rosa"}
    assert shown(client, "?standing=paused") == {"Raul"}
    assert shown(client, "?standing=closed") == {"Rita"}


@pytest.mark.parametrize(
    ("act", "left_at_work"),
    [("remove", {"Rita"}), ("pause", {"Rita"}), ("add", {"Rosa", "Raul", "Rita"})],
)
def test_an_act_reaches_all_who_are_ticked(
    act: str,
    left_at_work: set[str],
    alice: User,
    day_shift: Pool,
    rosa: Rater,
    raul: Rater,
    rita: Rater,
    signed_in: SignedIn,
) -> None:
    signed_in(alice).post(
        "/roster/act", {"act": act, "pool": day_shift.pk, "raters": [rosa.pk, raul.pk]}
    )

    active = PoolMembership.objects.filter(pool=day_shift, is_active=True, paused_at=None)
    assert set(active.values_list("rater__user__name", flat=True)) == left_at_work


def test_paused_raters_are_put_to_work_again(
    alice: User, day_shift: Pool, rosa: Rater, signed_in: SignedIn
) -> None:
    accounts_services.pause_raters(pool=day_shift, raters=[rosa], by=None, now=NOON)

    signed_in(alice).post(
        "/roster/act", {"act": "resume", "pool": day_shift.pk, "raters": [rosa.pk]}
    )

    assert day_shift.memberships.get().paused_at is None
    assert AuditEvent.objects.filter(by=alice, action="resume_raters").exists()


def test_an_act_reaches_all_whom_the_filter_finds_on_other_pages_too(
    alice: User, day_shift: Pool, rosa: Rater, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labeling.people.roster.views.RATERS_PER_PAGE", 2)
    for number in range(4):
        rater_called(f"Temp {number}", pool=day_shift)
    client = signed_in(alice)
    assert "All 4 matching raters" in words(client.get("/roster/?q=temp&page=2"))

    answer: Any = client.post(
        "/roster/act?q=temp", {"act": "pause", "pool": day_shift.pk, "everybody": "on"}
    )

    assert answer.url == "/roster/?q=temp"
    assert day_shift.memberships.filter(paused_at__isnull=False).count() == 4
    assert rosa.memberships.get().paused_at is None


def test_whoever_joins_the_filter_between_the_question_and_the_answer_is_asked_about_again(
    alice: User, day_shift: Pool, signed_in: SignedIn
) -> None:
    rater_called("Temp 1", pool=day_shift)
    client = signed_in(alice)
    assert "Close 1 login" in words(
        client.post("/roster/act?q=temp", {"act": "deactivate", "everybody": "on"})
    )
    late = rater_called("Temp 2", pool=day_shift)

    answer = client.post(
        "/roster/act?q=temp", {"act": "deactivate", "everybody": "on", "confirmed": "1"}
    )

    assert "Close 2 logins" in words(answer)
    assert late.user is not None
    assert late.user.is_active


def test_closing_logins_is_asked_back_once(alice: User, rosa: Rater, signed_in: SignedIn) -> None:
    client, rater_client = signed_in(alice), signed_in(rosa)

    asked = client.post("/roster/act", {"act": "deactivate", "raters": [rosa.pk]})
    assert "Close 1 login" in words(asked)
    assert rater_client.get("/desk/").status_code == 200

    client.post("/roster/act", {"act": "deactivate", "raters": [rosa.pk], "confirmed": "1"})
    assert rater_client.get("/desk/").status_code == 302
    assert AuditEvent.objects.filter(by=alice, action="change", after={"is_active": False}).exists()


def test_an_act_without_a_pool_gets_a_sentence_and_keeps_the_ticks(
    alice: User, rosa: Rater, signed_in: SignedIn
) -> None:
    answer = signed_in(alice).post("/roster/act", {"act": "pause", "raters": [rosa.pk]})

    assert (answer.status_code, "Choose a pool." in words(answer)) == (
        422,
        True,
    )
    assert f'value="{rosa.pk}" checked' in words(answer)


def test_nobody_ticked_gets_a_sentence(
    alice: User, day_shift: Pool, rosa: Rater, signed_in: SignedIn
) -> None:
    answer = signed_in(alice).post("/roster/act", {"act": "pause", "pool": day_shift.pk})

    assert "Select at least one rater" in words(answer)


def test_who_withdrew_joins_no_pool(
    alice: User, day_shift: Pool, rosa: Rater, signed_in: SignedIn
) -> None:
    Rater.everyone.filter(pk=rosa.pk).update(withdrawn_at=NOON)

    answer = signed_in(alice).post(
        "/roster/act", {"act": "add", "pool": day_shift.pk, "raters": [rosa.pk]}
    )

    assert "has withdrawn and can't join a pool" in words(answer)


def test_what_a_rater_has_shown_is_written_down(
    alice: User, rosa: Rater, signed_in: SignedIn
) -> None:
    skills_services.declare_skills(rater=rosa, languages=["de"], topics=[], now=NOON)

    signed_in(alice).post(
        f"/raters/{rosa.pk}/skills/", {"languages": "en, fr", "topics": ["chat"], "tags": "chess"}
    )

    known = set(RaterSkill.objects.filter(rater=rosa).values_list("code", "basis"))
    assert known == {
        ("de", "declared"),
        ("en", "shown"),
        ("fr", "shown"),
        ("chat", "shown"),
        ("chess", "shown"),
    }
    assert AuditEvent.objects.filter(by=alice, action="skills", target_id=rosa.pk).exists()


def test_a_word_that_is_no_language_is_refused(
    alice: User, rosa: Rater, signed_in: SignedIn
) -> None:
    answer = signed_in(alice).post(f"/raters/{rosa.pk}/skills/", {"languages": "German"})

    assert "“German” is not a language code." in words(answer)


def test_a_pools_terms_are_saved_with_topics_by_their_code(
    alice: User, signed_in: SignedIn
) -> None:
    given = {
        "name": "Experts",
        "languages": "en, de",
        "expertise": "Open question, medicine",
        "routes_by_language": "on",
        "max_per_day": "40",
        "max_at_once": "2",
    }

    signed_in(alice).post("/pools/new/", given)

    pool = Pool.objects.get()
    assert (pool.languages, pool.expertise) == (["en", "de"], ["open_qa", "medicine"])
    assert (
        pool.routes_by_language,
        pool.routes_by_category,
        pool.max_per_day,
        pool.max_at_once,
    ) == (True, False, 40, 2)


def test_the_desk_says_why_nothing_is_given(
    day_shift: Pool, rosa: Rater, demonstration_campaign: Any, signed_in: SignedIn
) -> None:
    accounts_services.pause_raters(pool=day_shift, raters=[rosa], by=None, now=NOON)
    client = signed_in(rosa)

    assert "An admin has paused you in “Day shift”." in words(client.get("/desk/"))
    assert "An admin has paused you" in words(
        client.post(f"/desk/{demonstration_campaign.pk}/next", follow=True)
    )


@pytest.mark.parametrize("n_raters", [1, 20])
def test_the_roster_asks_as_many_queries_for_one_rater_as_for_twenty(
    n_raters: int, alice: User, day_shift: Pool, signed_in: SignedIn, django_assert_num_queries: Any
) -> None:
    for number in range(n_raters):
        rater_called(f"Rater {number}", pool=day_shift)
    client = signed_in(alice)

    with django_assert_num_queries(13):
        client.get("/roster/")
