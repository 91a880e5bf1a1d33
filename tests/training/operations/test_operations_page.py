"""The operations page through HTTP: what is stuck, full or old, in words."""

import re
import shutil
from collections import namedtuple
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import services
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from accounts.models import Backup, Delivery, User, Webhook
from config.celery import app
from labeling.models import Campaign, Import, Rater, Slot, Source
from labeling.queue.claiming import claim
from tests.html import page_of
from tests.training import cast
from training.models import Node
from training.operations import figures

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]
Usage = namedtuple("Usage", "total used free")


def lines_of(client: Client, **extra: Any) -> dict[str, str]:
    """What is checked → its line."""
    figures.forget()
    page = client.get("/operations/", **extra)
    assert page.status_code == 200
    return {
        one.about: " ".join([str(one.label), one.words, one.advice, one.link])
        for one in [*page.context["to_check"], *page.context["fine"]]
    }


def all_runs_well() -> None:
    now = timezone.now()
    every = IntervalSchedule.objects.create(every=10, period="seconds")
    PeriodicTask.objects.create(
        name="sent", task="a", interval=every, last_run_at=now, total_run_count=1
    )
    figures.note_worker(now=now)
    Backup.objects.create(place="/srv/backups", started_at=now, ended_at=now)


def test_a_site_that_works_says_so_with_the_time(signed_in: SignIn, alice: User) -> None:
    all_runs_well()

    page = signed_in(alice).get("/operations/")

    text = page_of(page)
    assert "Nothing needs attention" in text
    assert page.context["at"].strftime("%H:%M:%S") in text
    assert "Problem" not in text
    assert page.context["to_check"] == []
    assert re.search(r'<details class="disclosure" id="fine"\s*>', page.content.decode())
    assert f"{len(page.context['fine'])} checks are OK" in text


def test_htmx_gets_the_live_part_only(signed_in: SignIn, alice: User) -> None:
    part = signed_in(alice).get("/operations/", headers={"HX-Target": "operations"})

    assert b"<html" not in part.content
    assert b"<table" in part.content


def test_admins_find_it_in_the_rail_and_raters_do_not(
    signed_in: SignIn, alice: User, rosa: Rater
) -> None:
    assert b'href="/operations/"' in signed_in(alice).get("/webhooks/").content
    assert b'href="/operations/"' not in signed_in(rosa).get("/my-work/").content
    assert signed_in(rosa).get("/operations/").status_code == 403


def test_a_beat_that_stopped_is_a_problem_and_comes_first(signed_in: SignIn, alice: User) -> None:
    all_runs_well()
    PeriodicTask.objects.update(last_run_at=timezone.now() - timedelta(minutes=20))

    page = signed_in(alice).get("/operations/")

    (first, *_rest) = page.context["to_check"]
    assert first.about == "Beat"
    assert "systemctl restart preferably-beat" in first.advice
    assert "20 minutes ago" in page_of(page).replace("\xa0", " ")
    assert "1 problem: Beat." in page_of(page)
    assert "Beat" not in [one.about for one in page.context["fine"]]


def test_without_beat_a_silent_worker_is_no_problem_of_its_own(
    signed_in: SignIn, alice: User
) -> None:
    all_runs_well()
    figures.note_worker(now=timezone.now() - timedelta(hours=1))
    alone = lines_of(signed_in(alice))["Short worker"]
    PeriodicTask.objects.update(last_run_at=timezone.now() - timedelta(hours=1))

    with_beat = lines_of(signed_in(alice))["Short worker"]

    assert alone.startswith("Problem")
    assert "preferably-short" in alone
    assert with_beat.startswith("Warning")
    assert "Start beat first." in with_beat


def test_an_import_that_waits_for_long_is_named_with_its_page(
    signed_in: SignIn, alice: User
) -> None:
    source = Source.objects.create(name="a vendor", kind="import", licence="CC0-1.0")
    old = Import.objects.create(file_name="a.jsonl", path="a.jsonl", source=source)
    Import.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(minutes=20))
    client = signed_in(alice)
    waits = lines_of(client)["Imports"]
    Import.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(hours=2))

    waits_too_long = lines_of(client)["Imports"]

    assert waits.startswith("Warning 1 waiting")
    assert waits_too_long.startswith("Problem 1 waiting")
    assert "short worker" in waits


def test_queues_in_which_nothing_waits_share_a_line(
    signed_in: SignIn, alice: User, noor: User
) -> None:
    cast.a_run(noor, heartbeat_at=None)

    lines = lines_of(signed_in(alice))

    assert "Runs" in lines
    assert "Imports, Downloads from a hub, Exports" in lines["Empty queues"]
    assert "Runs" not in lines["Empty queues"]


def test_runs_wait_for_as_long_as_they_must_while_a_node_is_online(
    signed_in: SignIn, alice: User, noor: User
) -> None:
    cast.a_run(noor, created_at=timezone.now() - timedelta(hours=9), heartbeat_at=None)
    client = signed_in(alice)
    without_a_node = lines_of(client)["Runs"]
    Node.objects.create(name="gpu-1", seen_at=timezone.now())

    with_one = lines_of(client)["Runs"]

    assert without_a_node.startswith("Problem 1 waiting")
    assert "preferably-node" in without_a_node
    assert with_one.startswith("OK 1 waiting")


def test_a_link_leads_only_where_the_reader_may_go(
    signed_in: SignIn, alice: User, noor: User
) -> None:
    Node.objects.create(name="gpu-1", seen_at=timezone.now() - timedelta(hours=1))
    client = signed_in(alice)
    for_an_admin = client.get("/operations/").content
    User.objects.filter(pk=alice.pk).update(is_researcher=True)

    for_an_admin_who_trains = client.get("/operations/").content

    assert b"Node gpu-1" in for_an_admin
    assert b'href="/nodes/"' not in for_an_admin
    assert b'href="/nodes/"' in for_an_admin_who_trains


def test_a_run_without_heartbeat_is_named(signed_in: SignIn, alice: User, noor: User) -> None:
    silent_since = timezone.now() - timedelta(hours=1)
    cast.a_run(noor, state="running", name="Silent one", heartbeat_at=silent_since)

    line = lines_of(signed_in(alice))["Heartbeats of runs"]

    assert line.startswith("Problem 1 run is silent: “Silent one” (gpu-2).")


def test_items_that_raters_left_are_counted_and_old_ones_warn(
    signed_in: SignIn, alice: User, comparison_campaign: Campaign, rosa: Rater
) -> None:
    now = timezone.now()
    slot = claim.claim(campaign=comparison_campaign, rater=rosa, now=now)
    assert slot is not None
    client = signed_in(alice)
    held = lines_of(client)["Items in work"]
    Slot.objects.filter(pk=slot.pk).update(expires_at=now - timedelta(days=2))

    left = lines_of(client)["Items in work"]

    assert held.startswith("OK 1 item is with a rater.")
    assert left.startswith("Warning 0 items are with raters. 1 was abandoned")


def test_webhook_messages_that_were_given_up_are_counted(signed_in: SignIn, alice: User) -> None:
    now = timezone.now()
    webhook = Webhook.objects.create(
        name="ours", url="https://a.example", created_at=now, enabled_at=now
    )
    for key, state, age in (("1", "given_up", 1), ("2", "given_up", 50), ("3", "delivered", 1)):
        Delivery.objects.create(
            webhook=webhook,
            uuid=f"00000000-0000-4000-8000-00000000000{key}",
            key=key,
            event="run.finished",
            body="{}",
            state=state,
            due_at=now,
            created_at=now - timedelta(hours=age),
        )

    line = lines_of(signed_in(alice))["Failed webhook messages"]

    assert line.startswith("Warning 1 message of the last 24 hours")


def test_a_redis_that_is_away_is_the_first_problem(
    signed_in: SignIn, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(alice)
    assert lines_of(client)["Broker"].startswith("OK")
    monkeypatch.setattr(app.conf, "broker_url", f"redis://127.0.0.1:{services.free_port()}/0")

    assert lines_of(client)["Broker"].startswith("Problem Redis is not responding.")


@pytest.mark.parametrize(
    ("free", "level"), [(500, "OK"), (90, "Warning"), (20, "Problem"), (0, "Problem")]
)
def test_a_disk_that_fills_up_says_what_to_delete(
    signed_in: SignIn, alice: User, monkeypatch: pytest.MonkeyPatch, free: int, level: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1000, 1000 - free, free))

    lines = lines_of(signed_in(alice))

    assert lines["Disk of the site's data"].startswith(level)
    assert ("Delete checkpoints" in lines["Disk of the artifacts"]) == (level != "OK")


@pytest.mark.parametrize(("hours", "level"), [(1, "OK"), (40, "Warning"), (200, "Problem")])
def test_a_backup_grows_old(signed_in: SignIn, alice: User, hours: int, level: str) -> None:
    at = timezone.now() - timedelta(hours=hours)
    Backup.objects.create(place="/srv/backups", started_at=at, ended_at=at)

    assert lines_of(signed_in(alice))["Backup"].startswith(level)


def test_a_backup_that_failed_after_the_last_one_is_a_problem(
    signed_in: SignIn, alice: User
) -> None:
    all_runs_well()
    at = timezone.now()
    Backup.objects.create(place="s3://b", started_at=at, ended_at=at, problem="No such bucket.")

    line = lines_of(signed_in(alice))["Backup"]
    assert line.startswith("Problem The last attempt failed: No such bucket.")


def test_what_a_backup_did_not_find_is_named(signed_in: SignIn, alice: User) -> None:
    at = timezone.now()
    missing = ["The weights of the model “base” are not there."]
    Backup.objects.create(place="/srv/b", started_at=at, ended_at=at, missing=missing)

    line = lines_of(signed_in(alice))["Backup"]
    assert line.startswith(
        "Warning The last backup is missing files. The weights of the model “base” are"
    )


def test_a_site_that_was_never_backed_up_is_told_how(signed_in: SignIn, alice: User) -> None:
    assert "Run preferably backup" in lines_of(signed_in(alice))["Backup"]


def test_a_backup_a_week_is_not_old_after_a_week(
    signed_in: SignIn, alice: User, settings: LazySettings
) -> None:
    settings.BACKUP_EVERY_HOURS = 168
    at = timezone.now() - timedelta(hours=170)
    Backup.objects.create(place="/srv/b", started_at=at, ended_at=at)

    assert lines_of(signed_in(alice))["Backup"].startswith("OK")


def test_a_node_of_another_release_is_named(signed_in: SignIn, alice: User) -> None:
    Node.objects.create(
        name="gpu-1", seen_at=timezone.now(), versions={"preferably": "0.0.9", "torch": "2.13"}
    )

    line = lines_of(signed_in(alice))["Versions"]

    assert line.startswith("Warning")
    assert "gpu-1 (0.0.9)" in line


def test_the_build_is_shown_beside_the_version(
    signed_in: SignIn, alice: User, settings: LazySettings
) -> None:
    settings.RELEASE, settings.BUILD = "0.2.0", "0123456789ab"
    figures.note_worker(now=timezone.now())
    Node.objects.create(
        name="gpu-1", seen_at=timezone.now(), versions={"preferably": "0.2.0", "build": "ba98"}
    )

    line = lines_of(signed_in(alice))["Versions"]

    assert "The site runs 0.2.0+0123456789ab; these nodes don't: gpu-1 (0.2.0+ba98)." in line


def test_a_short_worker_of_another_release_is_named(
    signed_in: SignIn, alice: User, settings: LazySettings
) -> None:
    settings.RELEASE, settings.BUILD = "0.1.0", ""
    figures.note_worker(now=timezone.now())
    settings.RELEASE = "0.2.0"
    figures.forget()

    line = lines_of(signed_in(alice))["Versions"]

    assert line.startswith("Warning")
    assert "The site runs 0.2.0, its short worker 0.1.0." in line


def test_the_page_costs_a_bounded_number_of_queries(
    signed_in: SignIn, alice: User, noor: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(8):
        cast.a_run(noor, name=f"run {number}")
        Node.objects.create(name=f"gpu-{number}", seen_at=timezone.now())
    client = signed_in(alice)

    with django_assert_max_num_queries(70):
        figures.forget()
        client.get("/operations/")
    with django_assert_max_num_queries(8):
        client.get("/operations/")
