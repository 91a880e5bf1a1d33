"""A crowd link connected to Prolific: its draft, publishing, places, and what a refusal leaves."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.test import Client

from accounts.models import AuditEvent, User
from labeling.models import CrowdLink, ProlificStudy
from labeling.people.prolific import client, protocol, services
from labeling.people.prolific.forms import StudyForm
from tests.cast import NOON
from tests.labeling.answers import words
from tests.labeling.people.prolific.conftest import PAGE, PLAN
from tests.labeling.people.prolific.prolific_stub import LOST, Prolific

SignedIn = Callable[..., Client]

pytestmark = pytest.mark.django_db


def connect(link: CrowdLink, by: User) -> ProlificStudy:
    return services.connect(link=link, page=PAGE, plan=PLAN, by=by, now=NOON)


def test_a_draft_has_our_url_and_three_codes(
    prolific: Prolific, link: CrowdLink, alice: User
) -> None:
    made = connect(link, alice)

    (draft,) = prolific.studies.values()
    assert draft["external_study_url"] == (
        f"{PAGE}?PROLIFIC_PID={{{{%PROLIFIC_PID%}}}}&STUDY_ID={{{{%STUDY_ID%}}}}"
        "&SESSION_ID={{%SESSION_ID%}}"
    )
    assert draft["description"] == "Write answers.\n\nFluent in English."
    codes = {code["code"]: code["actions"][0] for code in draft["completion_codes"]}
    assert codes == {
        "D0NE42": {"action": "MANUALLY_REVIEW"},
        made.no_work_code: {"action": "MANUALLY_REVIEW"},
        made.screen_out_code: {
            "action": "FIXED_SCREEN_OUT_PAYMENT",
            "fixed_screen_out_reward": 50,
            "slots": 10,
        },
    }
    assert (made.status, made.currency) == ("UNPUBLISHED", "GBP")
    link.refresh_from_db()
    assert link.n_places == 5
    assert AuditEvent.objects.filter(action="create", target_id=made.pk, by=alice).exists()


def test_without_a_screen_out_reward_participants_are_asked_to_return(
    prolific: Prolific, link: CrowdLink, alice: User
) -> None:
    plan = replace(PLAN, screen_out_reward=None, screen_out_places=None)

    services.connect(link=link, page=PAGE, plan=plan, by=alice, now=NOON)

    (draft,) = prolific.studies.values()
    actions = [code["actions"][0]["action"] for code in draft["completion_codes"]]
    assert actions == ["MANUALLY_REVIEW", "MANUALLY_REVIEW", "REQUEST_RETURN"]


def test_a_draft_whose_answer_was_lost_is_found_and_not_created_twice(
    prolific: Prolific, link: CrowdLink, alice: User
) -> None:
    prolific.faults["POST /api/v1/studies/"] = LOST
    with pytest.raises(client.NoAnswer):
        connect(link, alice)
    assert not ProlificStudy.objects.exists()
    prolific.faults.clear()

    made = connect(link, alice)

    assert list(prolific.studies) == [made.prolific_id]
    codes = {code["code"] for code in prolific.studies[made.prolific_id]["completion_codes"]}
    assert made.no_work_code in codes, "the draft is brought up to date"


def test_a_refused_token_gets_a_sentence_and_creates_nothing(
    prolific: Prolific, link: CrowdLink, alice: User
) -> None:
    prolific.faults["/api/v1/"] = 401

    with pytest.raises(client.TokenRefused, match="PREFERABLY_PROLIFIC_TOKEN"):
        connect(link, alice)

    assert not ProlificStudy.objects.exists()


def test_prolifics_own_words_are_shown(prolific: Prolific, link: CrowdLink, alice: User) -> None:
    prolific.faults["POST /api/v1/studies/"] = 400

    with pytest.raises(client.UnableToUseProlific, match="Prolific refused: A fault"):
        connect(link, alice)


def test_a_site_without_a_token_asks_nobody(link: CrowdLink, alice: User) -> None:
    with pytest.raises(client.TokenRefused, match="has no Prolific token"):
        connect(link, alice)


def test_a_study_is_published_paused_and_resumed(
    prolific: Prolific, link: CrowdLink, alice: User
) -> None:
    made = connect(link, alice)

    seen = [
        services.move_study(study=made, act=act, by=alice, now=NOON).status
        for act in ("publish", "pause", "resume")
    ]

    assert seen == ["ACTIVE", "PAUSED", "ACTIVE"]
    with pytest.raises(services.UnableToChangeStudy):
        services.move_study(study=made, act="publish", by=alice, now=NOON)


def test_what_was_done_counts_though_the_look_afterwards_failed(
    prolific: Prolific, link: CrowdLink, alice: User
) -> None:
    made = connect(link, alice)
    prolific.faults["GET /api/v1/studies/"] = 500

    services.move_study(study=made, act="publish", by=alice, now=NOON)

    assert prolific.studies[made.prolific_id]["status"] == "ACTIVE"
    assert AuditEvent.objects.filter(action="publish", target_id=made.pk).exists()


def test_places_are_added_once(study: ProlificStudy, prolific: Prolific, alice: User) -> None:
    services.set_places(study=study, n_places=8, by=alice, now=NOON)
    with pytest.raises(services.UnableToChangeStudy):
        services.set_places(study=study, n_places=8, by=alice, now=NOON)

    assert prolific.studies[study.prolific_id]["total_available_places"] == 8
    study.link.refresh_from_db()
    assert study.link.n_places == 8


def test_only_a_draft_can_be_deleted(prolific: Prolific, link: CrowdLink, alice: User) -> None:
    made = connect(link, alice)
    services.disconnect(study=made, by=alice, now=NOON)
    assert prolific.studies == {}

    again = services.move_study(study=connect(link, alice), act="publish", by=alice, now=NOON)

    with pytest.raises(services.UnableToConnect):
        services.disconnect(study=again, by=alice, now=NOON)


def test_two_admins_who_connect_a_link_at_once_leave_one_draft(
    prolific: Prolific, link: CrowdLink, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "find_study", lambda **_name: None)  # both looked before
    create, is_first = protocol.create_study, iter([True, False])

    def overtaken(fields: protocol.StudyFields) -> protocol.Study:
        draft = create(fields)
        if next(is_first):
            connect(link, alice)
        return draft

    monkeypatch.setattr(protocol, "create_study", overtaken)

    with pytest.raises(services.UnableToConnect, match="connected to Prolific already"):
        connect(link, alice)

    assert list(prolific.studies) == [ProlificStudy.objects.get().prolific_id]


def test_an_admin_connects_a_link_on_its_page(
    prolific: Prolific, link: CrowdLink, signed_in: SignedIn, alice: User
) -> None:
    admin = signed_in(alice)
    form = {
        "description": "Write answers.",
        "reward": "3.00",
        "minutes": "20",
        "n_places": "5",
        "screen_out_reward": "4.00",
        "screen_out_places": "10",
    }

    refused = admin.post(f"/crowd-links/{link.pk}/prolific/", form)
    admin.post(f"/crowd-links/{link.pk}/prolific/", form | {"screen_out_reward": "0.50"})

    assert refused.status_code == 422
    made = ProlificStudy.objects.get()
    assert (made.reward, made.screen_out_reward) == (300, 50)
    page = words(admin.get(f"/crowd-links/{link.pk}/prolific/"))
    assert "3.00 GBP" in page
    assert f"/crowd/{link.token}/?PROLIFIC_PID" in str(prolific.studies)


@pytest.mark.parametrize("missing", ["screen_out_reward", "screen_out_places"])
def test_half_a_screen_out_is_marked_where_the_other_half_is_missing(missing: str) -> None:
    fields = {
        "description": "Write answers.",
        "reward": "3.00",
        "minutes": "20",
        "n_places": "5",
        "screen_out_reward": "0.50",
        "screen_out_places": "10",
    }

    form = StudyForm(fields | {missing: ""})

    assert form.errors == {missing: ["A screen-out needs a reward and a number of places."]}


def test_publishing_shows_the_cost_with_fees_first(
    prolific: Prolific, link: CrowdLink, signed_in: SignedIn, alice: User
) -> None:
    connect(link, alice)
    admin = signed_in(alice)

    page = words(admin.get(f"/crowd-links/{link.pk}/prolific/publish/"))

    assert "5 places at 3.00 GBP" in page
    assert "21.00 GBP" in page
    (draft,) = prolific.studies.values()
    assert draft["status"] == "UNPUBLISHED"
    admin.post(f"/crowd-links/{link.pk}/prolific/publish/")
    assert draft["status"] == "ACTIVE"


def test_adding_places_shows_the_cost_first(
    study: ProlificStudy, prolific: Prolific, signed_in: SignedIn, alice: User
) -> None:
    admin = signed_in(alice)
    address = f"/crowd-links/{study.link_id}/prolific/places/"

    page = words(admin.get(address, {"n_places": "7"}))
    admin.post(address, {"n_places": "7"})

    assert "8.40 GBP" in page
    assert prolific.studies[study.prolific_id]["total_available_places"] == 7
    assert admin.get(address, {"n_places": "6"}).status_code == 422
