"""A researcher who is no admin asks for a comparison of what a run has sampled."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import AuditEvent, Notice, User
from tests.html import text_of
from tests.training import cast
from training.models import Run
from training.runs import selectors, services

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]


@pytest.fixture
def run(noor: User) -> Run:
    return cast.a_sampling_run(noor)


def test_every_admin_is_told_once_with_a_link_to_the_campaign(
    signed_in: SignIn, alice: User, noor: User, run: Run
) -> None:
    client = signed_in(noor)
    assert "Ask an admin to have them compared" in text_of(client, f"/runs/{run.pk}/")

    for _time in range(2):
        page = client.post(f"/runs/{run.pk}/ask-for-comparison", follow=True).text
        assert "The admins have a notice" in page

    notice = Notice.objects.get(key=f"compare-{run.pk}")
    assert notice.person == alice
    assert notice.sentence == (
        f"{noor} asks for a blind comparison of the responses of “{run.name}”."
    )
    sources = selectors.sampled_sources(run=run)
    assert notice.path == "/campaigns/new/?" + "&".join(f"response_source={pk}" for pk in sources)
    assert signed_in(alice).get(notice.path).status_code == 200
    assert AuditEvent.objects.filter(action="ask_for_comparison").count() == 1


def test_without_an_admin_nothing_is_said_to_be_asked(
    signed_in: SignIn, noor: User, run: Run
) -> None:
    page = signed_in(noor).post(f"/runs/{run.pk}/ask-for-comparison", follow=True).text

    assert "Nobody here is an admin" in page
    assert not Notice.objects.exists()


def test_an_admin_starts_the_campaign_instead(signed_in: SignIn, noor: User, run: Run) -> None:
    User.objects.filter(pk=noor.pk).update(is_admin=True)

    page = text_of(signed_in(User.objects.get(pk=noor.pk)), f"/runs/{run.pk}/")

    assert "Ask an admin" not in page
    assert "New comparison campaign from" in page


def test_only_sampled_responses_can_be_compared(signed_in: SignIn, noor: User) -> None:
    run = cast.a_reward_run(noor)

    assert signed_in(noor).post(f"/runs/{run.pk}/ask-for-comparison").status_code == 404


def test_a_link_has_as_many_sources_as_a_notice_has_room_for() -> None:
    path = services.new_campaign_path(sources=[*range(10_000, 10_100)])

    assert 150 < len(path) <= 200
    assert path.endswith(f"response_source={10_000 + path.count('response_source') - 1}")
    assert services.new_campaign_path(sources=[]) == "/campaigns/new/"
