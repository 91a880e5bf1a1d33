"""Webhooks: URLs that receive events. Messages are signed, retried with growing delays, and never
sent to an internal address.

An event's deliveries are rows, written in the event's transaction; a beat task sends them. Delivery
is at least once: a receiver may get a message twice (if its answer was lost) and recognises copies
by their id."""

import asyncio
import json
import secrets
import socket
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import Delivery, User, Webhook
from accounts.refusals import Refusal
from accounts.webhooks import signing
from accounts.webhooks.targets import Target, bracketed, is_inside, is_outside, name_in, problem_of
from jobs import guard

PAUSES = tuple(timedelta(seconds=s) for s in (30, 120, 600, 3600, 3 * 3600, 12 * 3600))
"""Delays between attempts; after the last one the delivery fails."""
CLAIMED_FOR = timedelta(minutes=2)
TIMEOUT_S = 10.0
N_AT_ONCE = 20
"""Messages sent to one webhook in one batch."""
N_LOGGED = 100
MAX_WORDS = 300
OVERLAP = timedelta(days=3)
"""How long the previous secret signs alongside the new one."""
KEPT_FOR = timedelta(days=30)


class Event(StrEnum):
    RUN_QUEUED = "run.queued"
    RUN_STARTED = "run.started"
    RUN_FINISHED = "run.finished"
    CAMPAIGN_CHANGED = "campaign.changed"
    JUDGMENT_GIVEN = "judgment.given"
    JUDGMENT_WITHDRAWN = "judgment.withdrawn"
    JUDGMENT_SET_ASIDE = "judgment.set_aside"
    JUDGMENT_RESTORED = "judgment.restored"


class UnableToCreateWebhook(Refusal):
    """The webhook could never receive anything; the text says what to change."""


class UnableToChangeWebhook(Refusal):
    """The webhook could no longer receive anything; the text says what to change."""


class UnableToRotate(Refusal):
    """Two secrets sign already; the text says what to do."""


class AddressRefused(Exception):
    """An address that messages are never sent to; the text says why."""


@dataclass(frozen=True)
class WebhookRow:
    """A webhook with the counts of its deliveries."""

    webhook: Webhook
    n_waiting: int
    n_given_up: int
    last_at: datetime | None


def create_webhook(
    *, name: str, url: str, events: Collection[str], by: User, now: datetime
) -> tuple[Webhook, str]:
    """Returns the webhook and its secret, which is shown once. It receives events from now on.
    Raises UnableToCreateWebhook.
    """
    problem = _problem_of(url=url, events=events)
    if problem:
        raise UnableToCreateWebhook(problem)
    with transaction.atomic():
        webhook = Webhook.objects.create(
            name=name,
            url=url,
            events=_in_order(events),
            salt=secrets.token_urlsafe(24),
            created_by=by,
            created_at=now,
            enabled_at=now,
        )
        audit_log.record(
            by,
            "create",
            webhook,
            after={"name": name, "url": url, "events": webhook.events},
            now=now,
        )
    return webhook, signing.secret_of(webhook)


def change_webhook(
    *, webhook: Webhook, name: str, url: str, events: Collection[str], by: User, now: datetime
) -> bool:
    """Pending messages go to the new URL. False if nothing is different. Raises
    UnableToChangeWebhook.
    """
    problem = _problem_of(url=url, events=events)
    if problem:
        raise UnableToChangeWebhook(problem)
    before = {"name": webhook.name, "url": webhook.url, "events": webhook.events}
    after = {"name": name, "url": url, "events": _in_order(events)}
    if before == after:
        return False
    is_new_to_judgments = Event.JUDGMENT_GIVEN in set(events) - set(webhook.events)
    # As with a new webhook, judgments are sent from now on.
    start = {"enabled_at": now, "judgments_told_to": None} if is_new_to_judgments else {}
    with transaction.atomic():
        Webhook.objects.filter(pk=webhook.pk).update(**after, **start)
        audit_log.record(by, "change", webhook, before=before, after=after, now=now)
    return True


def _problem_of(*, url: str, events: Collection[str]) -> str:
    return problem_of(url) or _inside(url) or ("" if events else _("Choose at least one event."))


def _inside(url: str) -> str:
    """Refuses an address of this network. Where a name leads is looked at when it is called."""
    name = name_in(urlsplit(url))
    if settings.WEBHOOKS_MAY_STAY_INSIDE or not is_inside(name):
        return ""
    return _stays_inside(name)


def _stays_inside(name: str) -> str:
    words = _("The host %(host)s is inside this network. Webhooks are not sent there.")
    return words % {"host": name}


def _in_order(events: Collection[str]) -> list[str]:
    return [event for event in Event if event in events]


def rotate_secret(*, webhook: Webhook, by: User, now: datetime) -> tuple[Webhook, str]:
    """Creates a new secret, shown once. For three days the previous secret signs each message too.
    Raises UnableToRotate.
    """
    over = Q(old_salt_until=None) | Q(old_salt_until__lte=now)
    with transaction.atomic():
        rows = Webhook.objects.filter(over, pk=webhook.pk, salt=webhook.salt)
        changes = {
            "salt": secrets.token_urlsafe(24),
            "old_salt": webhook.salt,
            "old_salt_until": now + OVERLAP,
        }
        if not guard.update_one(rows, **changes):
            raise UnableToRotate(
                _("The previous secret is still valid. Revoke it before you create another one.")
            )
        audit_log.record(by, "rotate", webhook, now=now)
    webhook.refresh_from_db()
    return webhook, signing.secret_of(webhook)


def end_old_secret(*, webhook: Webhook, by: User, now: datetime) -> bool:
    """Stops signing with the previous secret. False if it has already stopped."""
    with transaction.atomic():
        signing = Webhook.objects.filter(pk=webhook.pk, old_salt_until__gt=now)
        is_changed = guard.update_one(signing, old_salt="", old_salt_until=None)
        if is_changed:
            audit_log.record(by, "end_secret", webhook, now=now)
    return is_changed


def disable_webhook(*, webhook: Webhook, by: User, now: datetime) -> bool:
    """Stops recording and sending events until the webhook is enabled. False if it was already
    disabled.
    """
    return _switch(webhook, "disable", disabled_at=now, by=by, now=now)


def enable_webhook(*, webhook: Webhook, by: User, now: datetime) -> bool:
    """Resumes with events from now on, and sends what was pending when it was disabled. False if it
    was already enabled.
    """
    return _switch(webhook, "enable", disabled_at=None, by=by, now=now)


def delete_webhook(*, webhook: Webhook, by: User, now: datetime) -> None:
    """Deletes the webhook and its log permanently."""
    with transaction.atomic():
        audit_log.record(
            by, "delete", webhook, before={"name": webhook.name, "url": webhook.url}, now=now
        )
        Webhook.objects.filter(pk=webhook.pk).delete()


def _switch(
    webhook: Webhook, action: str, *, disabled_at: datetime | None, by: User, now: datetime
) -> bool:
    with transaction.atomic():
        changes: dict[str, object] = {"disabled_at": disabled_at}
        if disabled_at is None:
            changes |= {"enabled_at": now, "judgments_told_to": None}
        if not guard.update_one(
            Webhook.objects.filter(pk=webhook.pk, disabled_at__isnull=disabled_at is not None),
            **changes,
        ):
            return False
        audit_log.record(by, action, webhook, now=now)
    return True


# --- recording events -----------------------------------------------------------------------------


def send_event(*, event: Event, key: str, data: Mapping[str, object], now: datetime) -> None:
    """Records an event; call it in the event's transaction. A repeated `key` has no effect."""
    queue_deliveries(webhooks=listening(event=event), event=event, payloads={key: data}, now=now)


def listening(*, event: Event) -> list[Webhook]:
    """Enabled webhooks for this event. There are few, so they are filtered here: SQLite cannot
    query inside a list.
    """
    return [
        webhook
        for webhook in Webhook.objects.filter(disabled_at=None).order_by("pk")
        if event in webhook.events
    ]


def queue_deliveries(
    *,
    webhooks: Sequence[Webhook],
    event: Event,
    payloads: Mapping[str, Mapping[str, object]],
    now: datetime,
) -> None:
    """Creates one delivery per webhook and key of `payloads`."""
    deliveries = []
    for webhook in webhooks:
        for key, data in payloads.items():
            uuid = uuid4()
            body = {"id": str(uuid), "event": event, "at": now.isoformat(), "data": data}
            deliveries.append(
                Delivery(
                    webhook=webhook,
                    uuid=uuid,
                    key=key,
                    event=event,
                    body=json.dumps(body),
                    due_at=now,
                    created_at=now,
                )
            )
    Delivery.objects.bulk_create(deliveries, ignore_conflicts=True)


def redeliver(*, delivery: Delivery, by: User, now: datetime) -> bool:
    """Sends a delivery again at the next beat, as if it were new. False if it is already pending or
    its webhook is disabled.
    """
    with transaction.atomic():
        done = Delivery.objects.filter(pk=delivery.pk, webhook__disabled_at=None).exclude(
            state=Delivery.State.WAITING
        )
        if not guard.update_one(done, state=Delivery.State.WAITING, n_tries=0, due_at=now):
            return False
        audit_log.record(
            by, "redeliver", delivery.webhook, after={"delivery": str(delivery.uuid)}, now=now
        )
    return True


@dataclass(frozen=True)
class Answer:
    """The result of one attempt: whether the receiver accepted the message, and its answer or the
    error.
    """

    is_taken: bool
    words: str


def deliver_waiting(*, now: datetime) -> int:
    """Sends every delivery that is due, concurrently; returns how many were claimed. Deliveries
    claimed by a worker that died are due again after two minutes.
    """
    Delivery.objects.filter(created_at__lt=now - KEPT_FOR).delete()
    claimed = _claim_due(now)
    if not claimed:
        return 0
    answers = asyncio.run(_send_all(claimed, now))
    for delivery, answer in zip(claimed, answers, strict=True):
        _note(delivery, answer, now)
    _postpone_unreachable(claimed, answers, now)
    return len(claimed)


def _claim_due(now: datetime) -> list[Delivery]:
    """Claims a few deliveries per webhook, so that a long queue for one delays no other."""
    due = Delivery.objects.filter(state=Delivery.State.WAITING, due_at__lte=now)
    claimed = []
    for webhook in Webhook.objects.filter(
        Exists(due.filter(webhook=OuterRef("pk"))), disabled_at=None
    ):
        for delivery in due.filter(webhook=webhook).order_by("due_at", "pk")[:N_AT_ONCE]:
            delivery.webhook = webhook
            mine = due.filter(pk=delivery.pk, n_tries=delivery.n_tries)
            delivery.n_tries += 1
            if guard.update_one(
                mine, n_tries=delivery.n_tries, due_at=now + CLAIMED_FOR, tried_at=now
            ):
                claimed.append(delivery)
    return claimed


async def _send_all(deliveries: Sequence[Delivery], now: datetime) -> list[Answer]:
    # Connections are not reused: they are pooled by IP address, so one could serve a name other
    # than the one its certificate was checked for.
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx2.AsyncClient(
        timeout=TIMEOUT_S, limits=limits, follow_redirects=False, trust_env=False
    ) as client:
        return await asyncio.gather(*(_send(client, delivery, now) for delivery in deliveries))


async def _send(client: httpx2.AsyncClient, delivery: Delivery, now: datetime) -> Answer:
    """Sends one message without touching the database. One timeout covers the whole exchange, so a
    receiver that answers byte by byte holds nobody up.
    """
    webhook, body = delivery.webhook, delivery.body.encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Preferably",
        "Preferably-Event": delivery.event,
        "Preferably-Delivery": str(delivery.uuid),
        **signing.headers(webhook=webhook, message_id=str(delivery.uuid), body=body, now=now),
    }
    try:
        async with asyncio.timeout(TIMEOUT_S):
            target = await _resolved(webhook.url)
            headers["Host"] = target.host
            extensions = {
                "sni_hostname": target.name
            }  # the certificate must match the name, not the IP address
            async with client.stream(
                "POST", target.url, content=body, headers=headers, extensions=extensions
            ) as answer:
                return Answer(answer.is_success, f"{answer.status_code} {answer.reason_phrase}")
    except TimeoutError:
        return Answer(False, _("No response within %(n)s seconds.") % {"n": f"{TIMEOUT_S:g}"})
    except AddressRefused as problem:
        return Answer(False, str(problem))
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as problem:
        return Answer(False, f"{type(problem).__name__}: {problem}")


def _note(delivery: Delivery, answer: Answer, now: datetime) -> None:
    """Records the result, unless another worker has tried the delivery since."""
    mine = Delivery.objects.filter(
        pk=delivery.pk, state=Delivery.State.WAITING, n_tries=delivery.n_tries
    )
    words = answer.words[:MAX_WORDS]  # the receiver controls its length
    if answer.is_taken:
        mine.update(state=Delivery.State.DELIVERED, answer=words)
    elif delivery.n_tries <= len(PAUSES):
        mine.update(due_at=now + PAUSES[delivery.n_tries - 1], answer=words)
    else:
        mine.update(state=Delivery.State.GIVEN_UP, answer=words)


def _postpone_unreachable(
    claimed: Sequence[Delivery], answers: Sequence[Answer], now: datetime
) -> None:
    """Postpones pending messages to receivers that accepted nothing in this batch, so that a dead
    receiver is not called for each of them.
    """
    took = {
        delivery.webhook_id
        for delivery, answer in zip(claimed, answers, strict=True)
        if answer.is_taken
    }
    unreachable = {delivery.webhook_id for delivery in claimed} - took
    until = now + PAUSES[0]
    Delivery.objects.filter(
        webhook__in=unreachable, state=Delivery.State.WAITING, due_at__lt=until
    ).update(due_at=until)


async def _resolved(url: str) -> Target:
    """Resolves the host and checks its addresses. Raises AddressRefused."""
    problem = problem_of(url)
    if problem:
        raise AddressRefused(problem)
    parts = urlsplit(url)
    name, port = name_in(parts), parts.port or (443 if parts.scheme == "https" else 80)
    try:
        addresses = await asyncio.get_running_loop().getaddrinfo(
            name, port, type=socket.SOCK_STREAM
        )
    except OSError as error:
        raise AddressRefused(_("Unknown host: %(host)s.") % {"host": name}) from error
    numbers = [str(entry[4][0]).partition("%")[0] for entry in addresses]
    if not settings.WEBHOOKS_MAY_STAY_INSIDE and not all(is_outside(number) for number in numbers):
        raise AddressRefused(_stays_inside(name))
    called = parts._replace(netloc=f"{bracketed(numbers[0])}:{port}").geturl()
    return Target(called, name, bracketed(name) + (f":{parts.port}" if parts.port else ""))


def webhooks() -> list[WebhookRow]:
    waiting, given_up = (
        Q(deliveries__state=Delivery.State.WAITING),
        Q(deliveries__state=Delivery.State.GIVEN_UP),
    )
    queryset = Webhook.objects.annotate(
        n_waiting=Count("deliveries", filter=waiting),
        n_given_up=Count("deliveries", filter=given_up),
        last_at=Max("deliveries__tried_at"),
    )
    return [
        WebhookRow(webhook, webhook.n_waiting, webhook.n_given_up, webhook.last_at)
        for webhook in queryset.order_by("disabled_at", "name", "pk")
    ]


def log_of(*, webhook: Webhook) -> QuerySet[Delivery]:
    """The latest deliveries, newest first."""
    return webhook.deliveries.order_by("-created_at", "-pk")[:N_LOGGED]
