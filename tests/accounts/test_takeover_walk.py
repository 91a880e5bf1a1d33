"""Every sequence of up to four acts on the people pages and API: no actor ends with a log-in of
somebody above them or equal to them. Single steps that each look harmless are tried in every order.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.login import password_links, tokens
from accounts.models import User
from config.api_permissions import Scope
from labeling.people.accounts import services
from tests.cast import NOON

pytestmark = pytest.mark.usefixtures("empty_queue")

SignedIn = Callable[..., Client]
N_ACTS = 4
KNOWN = "what only the actor knows"
OWN_MAILBOX = "of-the-actor@example.net"
ROLES = [["rater"], ["researcher"], ["admin"], ["admin", "rater"], ["rater", "researcher"]]
TARGETS = {
    "rater": (["rater"], False),
    "researcher": (["researcher"], False),
    "admin": (["admin"], False),
    "rating admin": (["admin", "rater"], False),
    "superuser": (["admin"], True),
    "superuser without roles": (["rater"], True),
}
"""Roles, and whether a superuser."""


class _Undone(Exception):
    pass


@contextmanager
def undone() -> Iterator[None]:
    """What is written meanwhile was never there."""
    try:
        with transaction.atomic():
            yield
            raise _Undone
    except _Undone:
        return


@dataclass
class Walk:
    browser: Client
    token: Client
    actor: User
    target: User
    seen: dict[tuple[object, ...], int] = field(default_factory=dict)
    taken: list[tuple[str, ...]] = field(default_factory=list)
    """The sequences that gave the actor a log-in that is above them or equal to them."""
    n_log_ins: int = 0

    def go(self, acts: tuple[str, ...] = ()) -> None:
        person = User.objects.get(pk=self.target.pk)
        is_known = person.check_password(KNOWN) and person.is_active
        self.n_log_ins += is_known
        if is_known and (person.is_superuser or person.is_admin):
            self.taken.append(acts)
            return
        state = (
            *sorted(person.roles),
            person.is_active,
            is_known,
            person.email == OWN_MAILBOX,
            person.has_usable_password(),
        )
        if len(acts) == N_ACTS or self.seen.get(state, N_ACTS) <= len(acts):
            return
        self.seen[state] = len(acts)
        for name, act in self.acts().items():
            with undone():
                cache.clear()  # where calls and failures are counted
                act(person)
                self.go((*acts, name))

    def acts(self) -> dict[str, Callable[[User], object]]:
        pages = {
            f"page: roles {'+'.join(roles)}": lambda person, roles=roles: self.page(
                person, roles=roles
            )
            for roles in ROLES
        }
        calls = {
            f"API: roles {'+'.join(roles)}": lambda person, roles=roles: self.call(
                person, roles=roles
            )
            for roles in ROLES
        }
        return {
            **pages,
            **calls,
            "page: close": lambda person: self.page(person, is_active=""),
            "page: open": lambda person: self.page(person, is_active="on"),
            "page: address": lambda person: self.page(person, email=OWN_MAILBOX),
            "API: close": lambda person: self.call(person, is_active=False),
            "API: open": lambda person: self.call(person, is_active=True),
            "API: address": lambda person: self.call(person, email=OWN_MAILBOX),
            "page: link": self.link,
            "API: link": self.link_by_call,
            "two-factor off": lambda person: self.post(person, "two-factor-off"),
            "unlink": lambda person: self.post(person, "unlink"),
            "log out": lambda person: self.post(person, "log-out"),
            "forgot password": self.forgotten,
        }

    def page(self, person: User, **changes: Any) -> None:
        fields = {
            "name": person.name,
            "email": person.email,
            "roles": sorted(person.roles),
            "time_zone": person.time_zone,
            "is_active": "on" if person.is_active else "",
        }
        self.browser.post(f"/people/{person.pk}/", fields | changes)

    def call(self, person: User, **changes: Any) -> None:
        self.token.patch(f"/api/v1/people/{person.pk}", changes, content_type="application/json")

    def post(self, person: User, act: str) -> str:
        return self.browser.post(f"/people/{person.pk}/{act}", follow=True).text

    def link(self, person: User) -> None:
        """As the page shows it, or from the mailbox if it is the actor's."""
        page = self.post(person, "invite")
        if "/password/reset/key/" in page:
            self.set_password(page.split("/account/password/reset/key/")[1].split("/")[0])
        self.forgotten(person)

    def link_by_call(self, person: User) -> None:
        answer = self.token.post(f"/api/v1/people/{person.pk}/invite")
        assert "/reset/key/" not in answer.text
        self.forgotten(person)

    def forgotten(self, person: User) -> None:
        """Who has the mailbox has the link."""
        stored = User.objects.get(pk=person.pk)
        if stored.email == OWN_MAILBOX and stored.is_active:
            self.set_password(password_key(stored))

    def set_password(self, key: str) -> None:
        visitor = Client()
        form = visitor.get(f"/account/password/reset/key/{key}/", follow=True)
        fields = {"password1": KNOWN, "password2": KNOWN}
        visitor.post(form.redirect_chain[-1][0], fields)


def password_key(person: User) -> str:
    return password_links.password_link(person).rstrip("/").rsplit("/", 1)[1]


@pytest.fixture
def actor_of(db: None) -> Callable[[str], User]:
    def make(role: str) -> User:
        return services.create_person(
            email=f"{role}.actor@example.org", name="Actor", roles=[role], by=None, now=NOON
        )

    return make


@pytest.mark.slow
@pytest.mark.parametrize("actor_role", ["rater", "researcher", "admin"])
@pytest.mark.parametrize("kind", TARGETS)
def test_no_sequence_of_acts_gives_the_log_in_of_somebody_above_or_equal(
    actor_of: Callable[[str], User], signed_in: SignedIn, actor_role: str, kind: str
) -> None:
    roles, is_superuser = TARGETS[kind]
    actor = actor_of(actor_role)
    target = services.create_person(
        email="target@example.org", name="Target", roles=roles, by=None, now=NOON
    )
    User.objects.filter(pk=target.pk).update(is_superuser=is_superuser)
    walk = Walk(signed_in(actor), token_client(actor), actor, target)

    walk.go()

    assert walk.taken == []
    is_below = actor_role == "admin" and kind in {"rater", "researcher"}
    assert (walk.n_log_ins > 0) == is_below, "an admin sets the password of others, and nobody else"


def token_client(person: User) -> Client:
    """With every scope that the person can have."""
    try:
        _token, secret = tokens.create_token(
            user=person, name="all", scopes=[Scope.PEOPLE], n_days=30, now=timezone.now()
        )
    except tokens.UnableToCreateToken:
        return Client()
    return Client(headers={"Authorization": f"Bearer {secret}"})
