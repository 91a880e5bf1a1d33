"""Notices about runs: each once, on the pages and by e-mail."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Notice, User
from accounts.notices import services as notices_services
from tests.html import text_of
from tests.training import cast
from training.models import Run
from training.runs import services as runs_services

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]


def test_somebody_elses_notice_is_not_found(signed_in: SignIn, noor: User, alice: User) -> None:
    told(alice)

    assert signed_in(noor).post(f"/notices/{Notice.objects.get().pk}/open").status_code == 404


def told(person: User, kind: str = "failed", key: str = "run-1") -> None:
    notices_services.notify(
        people=[person],
        key=key,
        kind=Notice.Kind(kind),
        words=lambda: f"The run “{key}” {kind}.",
        path="/runs/",
        now=timezone.now(),
    )


def test_an_event_is_told_once(noor: User) -> None:
    told(noor)
    told(noor)

    assert Notice.objects.count() == 1


def test_the_top_line_counts_what_is_unread_and_opening_one_reads_it(
    signed_in: SignIn, noor: User
) -> None:
    client = signed_in(noor)
    told(noor)
    assert 'aria-label="Notifications, 1 unread"' in text_of(client, "/runs/")

    response = client.post(f"/notices/{Notice.objects.get().pk}/open")

    assert response.headers["Location"] == "/runs/"
    assert 'aria-label="Notifications, 0 unread"' in text_of(client, "/runs/")


@pytest.mark.parametrize(
    ("wish", "mailed"), [("none", []), ("trouble", ["failed"]), ("all", ["failed", "finished"])]
)
def test_mail_goes_to_those_who_want_it_and_once(
    signed_in: SignIn, noor: User, mailoutbox: list[Any], wish: str, mailed: list[str]
) -> None:
    signed_in(noor).post("/notices/mail", {"mailed": wish})
    for kind in ("failed", "finished"):
        told(noor, kind, key=kind)

    notices_services.mail_waiting(now=timezone.now())
    notices_services.mail_waiting(now=timezone.now())

    assert sorted(mail.subject.removeprefix("Preferably: ") for mail in mailoutbox) == mailed
    assert all(mail.to == [noor.email] for mail in mailoutbox)


def test_mail_that_could_not_be_sent_is_sent_the_next_time(
    noor: User, settings: Any, mailoutbox: list[Any]
) -> None:
    told(noor)
    settings.EMAIL_BACKEND, settings.EMAIL_PORT = "django.core.mail.backends.smtp.EmailBackend", 9

    assert notices_services.mail_waiting(now=timezone.now()) == 0
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert notices_services.mail_waiting(now=timezone.now()) == 1


def test_the_end_of_a_run_is_told_to_who_started_it(noor: User) -> None:
    run = cast.a_run(noor)
    runs_services.claim_run(run_id=run.pk, node="gpu-2", now=timezone.now())

    ending = runs_services.AttemptResult(Run.Outcome.FAILED, error="Out of memory.")
    runs_services.finish_run(run_id=run.pk, attempt=1, result=ending, now=timezone.now())

    notice = Notice.objects.get(person=noor)
    assert (notice.kind, notice.path) == ("failed", f"/runs/{run.pk}/")
    assert notice.sentence == "The run “Helpful, first try” failed. Out of memory."
