"""Webhooks: addresses that are told of events. Messages are signed, tried again with growing
pauses, never sent inside the house.

An event's deliveries are rows, written in the transaction of the event; a beat task sends them. A
receiver may get one twice (it was sent, and the answer lost), never none: it tells copies by their
id.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import json
import secrets
import socket
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import SplitResult, urlsplit
from uuid import uuid4

import httpx2
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import Delivery, User, Webhook
from accounts.refusals import Refusal

MARK = "pfw_"
PAUSES = tuple(timedelta(seconds=s) for s in (30, 120, 600, 3600, 3 * 3600, 12 * 3600))
"""Between the first try and the second, and so on; afterwards it is given up."""
CLAIMED_FOR = timedelta(minutes=2)
TIMEOUT_S = 10.0
N_AT_ONCE = 20
"""To one webhook in one go."""
N_LOGGED = 100
MAX_WORDS = 300
OVERLAP = timedelta(days=3)
"""So long the secret before signs beside the new one."""
KEPT_FOR = timedelta(days=30)
GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv6 addresses that stand for an IPv4 one."""


class Event(StrEnum):
    RUN_QUEUED = "run.queued"
    RUN_STARTED = "run.started"
    RUN_FINISHED = "run.finished"
    CAMPAIGN_CHANGED = "campaign.changed"
    JUDGMENT_GIVEN = "judgment.given"


class UnableToTell(Refusal):
    """A webhook that could never be told anything; the text says what to change."""


class UnableToRotate(Refusal):
    """Two secrets sign already; the text says what to do."""


class Refused(Exception):
    """An address that nothing is sent to."""


@dataclass(frozen=True)
class Listed:
    """A webhook with what became of its deliveries."""

    webhook: Webhook
    n_waiting: int
    n_given_up: int
    last_at: datetime | None


# --- making them ----------------------------------------------------------------------------------


def create_webhook(
    *, name: str, url: str, events: Collection[str], by: User, now: datetime
) -> tuple[Webhook, str]:
    """The webhook and its secret, which is shown once. It is told of what happens from now on.
    Raises UnableToTell.
    """
    problem = _problem_of(url)
    if problem:
        raise UnableToTell(problem)
    if not events:
        raise UnableToTell(_("Choose at least one event."))
    with transaction.atomic():
        webhook = Webhook.objects.create(
            name=name,
            url=url,
            events=[event for event in Event if event in events],
            salt=secrets.token_urlsafe(24),
            created_by=by,
            created_at=now,
            enabled_at=now,
        )
        audit.record(
            by=by,
            action="create",
            target=webhook,
            after={"name": name, "url": url, "events": webhook.events},
            now=now,
        )
    return webhook, secret_of(webhook)


def rotate_secret(*, webhook: Webhook, by: User, now: datetime) -> tuple[Webhook, str]:
    """A new secret, shown once; for three days each message is signed with the one before as well.
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
        if rows.update(**changes) != 1:
            raise UnableToRotate(
                _(
                    "The secret before still signs. End it first: three secrets at once nobody can"
                    " tell apart."
                )
            )
        audit.record(by=by, action="rotate", target=webhook, now=now)
    webhook.refresh_from_db()
    return webhook, secret_of(webhook)


def end_old_secret(*, webhook: Webhook, by: User, now: datetime) -> bool:
    """From now on the new secret alone signs. False when it does already."""
    with transaction.atomic():
        signing = Webhook.objects.filter(pk=webhook.pk, old_salt_until__gt=now)
        is_changed = signing.update(old_salt="", old_salt_until=None) == 1
        if is_changed:
            audit.record(by=by, action="end_secret", target=webhook, now=now)
    return is_changed


def disable_webhook(*, webhook: Webhook, by: User, now: datetime) -> bool:
    """Nothing is written down for it and nothing sent until it is enabled. False when it was
    disabled already.
    """
    return _switch(webhook, "disable", disabled_at=now, by=by, now=now)


def enable_webhook(*, webhook: Webhook, by: User, now: datetime) -> bool:
    """It hears of what happens from now on; what waited when it was disabled is sent. False when it
    was enabled already.
    """
    return _switch(webhook, "enable", disabled_at=None, by=by, now=now)


def delete_webhook(*, webhook: Webhook, by: User, now: datetime) -> None:
    """With its log, for good."""
    with transaction.atomic():
        audit.record(
            by=by,
            action="delete",
            target=webhook,
            before={"name": webhook.name, "url": webhook.url},
            now=now,
        )
        Webhook.objects.filter(pk=webhook.pk).delete()


def _switch(
    webhook: Webhook, action: str, *, disabled_at: datetime | None, by: User, now: datetime
) -> bool:
    with transaction.atomic():
        changes: dict[str, Any] = {"disabled_at": disabled_at}
        if disabled_at is None:
            changes |= {"enabled_at": now, "judgments_told_to": None}
        if (
            Webhook.objects.filter(
                pk=webhook.pk, disabled_at__isnull=disabled_at is not None
            ).update(**changes)
            != 1
        ):
            return False
        audit.record(by=by, action=action, target=webhook, now=now)
    return True


# --- telling --------------------------------------------------------------------------------------


def tell(*, event: Event, key: str, data: Mapping[str, Any], now: datetime) -> None:
    """Call it in the transaction of the event. Told again under the same `key`, it is told once."""
    write_down(webhooks=listening(event=event), event=event, told={key: data}, now=now)


def listening(*, event: Event) -> list[Webhook]:
    """Few enough to look through, and SQLite cannot ask what is in a list."""
    return [
        webhook
        for webhook in Webhook.objects.filter(disabled_at=None).order_by("pk")
        if event in webhook.events
    ]


def write_down(
    *,
    webhooks: Sequence[Webhook],
    event: Event,
    told: Mapping[str, Mapping[str, Any]],
    now: datetime,
) -> None:
    """One delivery for each webhook and key."""
    deliveries = []
    for webhook in webhooks:
        for key, data in told.items():
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
    """Sends it again with the next beat, as if it were new. False when it waits already, or nothing
    is sent there.
    """
    with transaction.atomic():
        done = Delivery.objects.filter(pk=delivery.pk, webhook__disabled_at=None).exclude(
            state=Delivery.State.WAITING
        )
        if done.update(state=Delivery.State.WAITING, n_tries=0, due_at=now) != 1:
            return False
        audit.record(
            by=by,
            action="redeliver",
            target=delivery.webhook,
            after={"delivery": str(delivery.uuid)},
            now=now,
        )
    return True


# --- sending --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """Whether the receiver took a message, and what it said or what stood in the way."""

    is_taken: bool
    words: str


def deliver_waiting(*, now: datetime) -> int:
    """Sends what is due, all at once; how many were claimed. What a dead worker had in hand is due
    again after two minutes.
    """
    Delivery.objects.filter(created_at__lt=now - KEPT_FOR).delete()
    claimed = _claim_due(now)
    if not claimed:
        return 0
    answers = asyncio.run(_send_all(claimed, now))
    for delivery, answer in zip(claimed, answers, strict=True):
        _note(delivery, answer, now)
    _spare_the_away(claimed, answers, now)
    return len(claimed)


def _claim_due(now: datetime) -> list[Delivery]:
    """A few for each webhook, so that none waits behind another's crowd."""
    due = Delivery.objects.filter(state=Delivery.State.WAITING, due_at__lte=now)
    claimed = []
    for webhook in Webhook.objects.filter(
        Exists(due.filter(webhook=OuterRef("pk"))), disabled_at=None
    ):
        for delivery in due.filter(webhook=webhook).order_by("due_at", "pk")[:N_AT_ONCE]:
            delivery.webhook = webhook
            mine = due.filter(pk=delivery.pk, n_tries=delivery.n_tries)
            delivery.n_tries += 1
            if mine.update(n_tries=delivery.n_tries, due_at=now + CLAIMED_FOR, tried_at=now) == 1:
                claimed.append(delivery)
    return claimed


async def _send_all(deliveries: Sequence[Delivery], now: datetime) -> list[Answer]:
    # No connection is used twice: kept by number, it would serve another name than the one its
    # certificate was checked for.
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx2.AsyncClient(
        timeout=TIMEOUT_S, limits=limits, follow_redirects=False, trust_env=False
    ) as client:
        return await asyncio.gather(*(_send(client, delivery, now) for delivery in deliveries))


async def _send(client: httpx2.AsyncClient, delivery: Delivery, now: datetime) -> Answer:
    """Touches no table. One clock for all of it: a receiver that answers a letter at a time holds
    nobody up.
    """
    webhook, body = delivery.webhook, delivery.body.encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Preferably",
        "Preferably-Event": delivery.event,
        "Preferably-Delivery": str(delivery.uuid),
        "Preferably-Signature": signatures(webhook=webhook, body=body, now=now),
    }
    try:
        async with asyncio.timeout(TIMEOUT_S):
            target = await _resolved(webhook.url)
            headers["Host"] = target.host
            extensions = {
                "sni_hostname": target.name
            }  # its certificate has to be for the name, not for the number
            async with client.stream(
                "POST", target.url, content=body, headers=headers, extensions=extensions
            ) as answer:
                return Answer(answer.is_success, f"{answer.status_code} {answer.reason_phrase}")
    except TimeoutError:
        return Answer(False, _("No answer within %(n)s seconds.") % {"n": f"{TIMEOUT_S:g}"})
    except Refused as problem:
        return Answer(False, str(problem))
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as problem:
        return Answer(False, f"{type(problem).__name__}: {problem}")


def _note(delivery: Delivery, answer: Answer, now: datetime) -> None:
    """Unless another worker has tried it since."""
    mine = Delivery.objects.filter(
        pk=delivery.pk, state=Delivery.State.WAITING, n_tries=delivery.n_tries
    )
    words = answer.words[:MAX_WORDS]  # the receiver's own, as long as it likes
    if answer.is_taken:
        mine.update(state=Delivery.State.DELIVERED, answer=words)
    elif delivery.n_tries <= len(PAUSES):
        mine.update(due_at=now + PAUSES[delivery.n_tries - 1], answer=words)
    else:
        mine.update(state=Delivery.State.GIVEN_UP, answer=words)


def _spare_the_away(claimed: Sequence[Delivery], answers: Sequence[Answer], now: datetime) -> None:
    """What waits for a receiver that took nothing waits a little longer: a thousand messages are
    not a thousand knocks.
    """
    took = {
        delivery.webhook_id
        for delivery, answer in zip(claimed, answers, strict=True)
        if answer.is_taken
    }
    away = {delivery.webhook_id for delivery in claimed} - took
    until = now + PAUSES[0]
    Delivery.objects.filter(
        webhook__in=away, state=Delivery.State.WAITING, due_at__lt=until
    ).update(due_at=until)


def signatures(*, webhook: Webhook, body: bytes, now: datetime) -> str:
    """By the webhook's secret and, while a rotation lasts, by the one before it: either will do for
    the receiver.
    """
    at = int(now.timestamp())
    first = signature(secret=secret_of(webhook), body=body, at=at)
    if webhook.old_salt_until is None or webhook.old_salt_until <= now:
        return first
    second = signature(secret=_secret(webhook, webhook.old_salt), body=body, at=at)
    return f"{first},{second.partition(',')[2]}"


def signature(*, secret: str, body: bytes, at: int) -> str:
    """HMAC-SHA256 over the time, a dot and the body: an old message cannot be sent again as a new
    one.
    """
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={signed.hexdigest()}"


def secret_of(webhook: Webhook) -> str:
    """From the site's key and the webhook's salt: who steals the table alone can sign nothing."""
    return _secret(webhook, webhook.salt)


def _secret(webhook: Webhook, salt: str) -> str:
    return (
        MARK
        + salted_hmac(f"accounts.webhooks.{salt}", str(webhook.pk), algorithm="sha256").hexdigest()
    )


# --- where to -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Target:
    """An address with the number of a machine in place of its name: what was looked at is what is
    called.

    So a name that leads elsewhere a moment later leads nowhere.
    """

    url: str
    name: str
    host: str


def _problem_of(url: str) -> str:
    """What is wrong with an address, in a sentence; empty when nothing is."""
    try:
        parts = urlsplit(url)
        port, name = parts.port, _name_in(parts)
    except ValueError:
        return _("“%(url)s” is no address. Write it as https://host/path.") % {"url": url}
    if (
        parts.scheme not in ("https", "http")
        or not name
        or parts.username
        or parts.password
        or port == 0
    ):
        return _(
            "“%(url)s” is no address. Write it as https://host/path, without a name or a password"
            " in it."
        ) % {"url": url}
    if parts.scheme == "http" and not settings.WEBHOOKS_MAY_STAY_INSIDE:
        return _("The address has to begin with https://, or others read along.")
    return ""


def _name_in(parts: SplitResult) -> str:
    return (parts.hostname or "").encode("idna").decode()


async def _resolved(url: str) -> Target:
    """Raises Refused."""
    problem = _problem_of(url)
    if problem:
        raise Refused(problem)
    parts = urlsplit(url)
    name, port = _name_in(parts), parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Refused(_("The host %(host)s is not known.") % {"host": name}) from error
    numbers = [str(entry[4][0]).partition("%")[0] for entry in found]
    if not settings.WEBHOOKS_MAY_STAY_INSIDE and not all(is_outside(number) for number in numbers):
        raise Refused(
            _("The host %(host)s is inside this network, and nothing is sent there.")
            % {"host": name}
        )
    called = parts._replace(netloc=f"{_bracketed(numbers[0])}:{port}").geturl()
    return Target(called, name, _bracketed(name) + (f":{parts.port}" if parts.port else ""))


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def is_outside(number: str) -> bool:
    """Whether the number is one of the public internet's: none of this machine, its network, or its
    cloud's own services.
    """
    address = ipaddress.ip_address(number)
    if isinstance(address, ipaddress.IPv6Address):
        inner = (
            address.ipv4_mapped
            or address.sixtofour
            or (address.teredo[1] if address.teredo else None)
        )
        if address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is None:
            return address in GLOBAL_IPV6 and address.is_global
        address = inner
    return address.is_global and not address.is_multicast


# --- reading --------------------------------------------------------------------------------------


def webhooks() -> list[Listed]:
    waiting, given_up = (
        Q(deliveries__state=Delivery.State.WAITING),
        Q(deliveries__state=Delivery.State.GIVEN_UP),
    )
    found = Webhook.objects.annotate(
        n_waiting=Count("deliveries", filter=waiting),
        n_given_up=Count("deliveries", filter=given_up),
        last_at=Max("deliveries__tried_at"),
    )
    return [
        Listed(one, one.n_waiting, one.n_given_up, one.last_at)
        for one in found.order_by("disabled_at", "name", "pk")
    ]


def log_of(*, webhook: Webhook) -> QuerySet[Delivery]:
    """The newest first."""
    return webhook.deliveries.order_by("-created_at", "-pk")[:N_LOGGED]
