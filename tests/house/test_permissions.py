"""Every URL × every kind of person, against the one table."""

import contextlib
from collections.abc import Iterator
from uuid import UUID

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.template import Template, engines
from django.test import Client
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve

from accounts import access as accounts_access
from accounts.models import User
from config.api_permissions import API_TABLE
from config.permissions import TABLE
from config.roles import Role

SAMPLES = {
    "IntConverter": 987654321,
    "UUIDConverter": UUID(int=7),
    "StringConverter": "sample",
    "SlugConverter": "sample",
    "PathConverter": "sample",
}
API_NAMES = {line.partition(" ")[2] for line in API_TABLE}
# What a group of a regular expression is called, since it has no converter.
NAMED_SAMPLES = {
    "key": "sample",
    "uidb36": "1",
    "url": "sample",
}
PEOPLE = {
    "anonymous": {},
    "rater": {"is_rater": True},
    "admin": {"is_admin": True},
    "researcher": {"is_researcher": True},
    "superuser": {"is_superuser": True, "is_staff": True},
}


def every_url(
    patterns: list[URLPattern | URLResolver], prefix: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            namespace = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from every_url(pattern.url_patterns, namespace)
        else:
            yield f"{prefix}{pattern.name or ''}", pattern


URLS = dict(every_url(get_resolver().url_patterns))


def path_of(name: str) -> str:
    # reverse_dict holds each pattern with all its prefixes, which one URLPattern alone does not
    # know.
    namespaces, _colon, bare = name.rpartition(":")
    resolver, prefix = get_resolver(), "/"
    for namespace in filter(None, namespaces.split(":")):
        part, resolver = resolver.namespace_dict[namespace]
        prefix += part
    possibilities, _pattern, _defaults, converters = resolver.reverse_dict.getlist(bare)[0]
    template, parameters = possibilities[0]
    values = {
        p: (
            SAMPLES[type(converters[p]).__name__]
            if p in converters
            else NAMED_SAMPLES.get(p, "sample")
        )
        for p in parameters
    }
    return str(prefix + template % values)


def test_no_address_is_taken_by_one_listed_before_it() -> None:
    taken = {
        name: found.url_name
        for name, pattern in URLS.items()
        if name and (found := resolve(path_of(name))).func is not pattern.callback
    }

    assert taken == {}


@pytest.fixture
def plain_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty pages for 403 and 404: only the status counts here, and rendering takes half the
    time.
    """
    (loader,) = engines["django"].engine.template_loaders  # type: ignore[attr-defined]
    for name in ("403.html", "404.html"):
        monkeypatch.setitem(loader.get_template_cache, name, Template(""))


def client_of(kind: str) -> Client:
    client = Client()
    if kind != "anonymous":
        user = User.objects.create_user(
            email=f"{kind}@example.org", name=kind, password="correct horse battery", **PEOPLE[kind]
        )
        client.force_login(user, backend="accounts.login.sessions.Backend")
    return client


def roles_of(kind: str) -> frozenset[str]:
    return accounts_access.roles_of(
        AnonymousUser() if kind == "anonymous" else User(**PEOPLE[kind])
    )


def test_nothing_of_djangos_admin_answers(db: None) -> None:
    admins = {
        name
        for name, pattern in URLS.items()
        if getattr(pattern.callback, "__module__", "").startswith("django.contrib.admin")
    }

    assert admins == set()
    assert not apps.is_installed("django.contrib.admin")
    assert client_of("superuser").get("/admin/").status_code == 404


def test_every_url_has_a_name() -> None:
    unnamed = [
        str(pattern.pattern) for name, pattern in URLS.items() if name.rpartition(":")[2] == ""
    ]

    assert unnamed == []


def test_every_url_is_in_the_table() -> None:
    missing = {
        name for name in URLS if name not in TABLE and f"{name.split(':')[0]}:*" not in TABLE
    }

    assert missing == set()


def test_every_line_of_the_table_is_a_url() -> None:
    namespaces = {name.split(":")[0] for name in URLS if ":" in name}
    unknown = {
        name
        for name in TABLE
        if name not in URLS and not (name.endswith(":*") and name[:-2] in namespaces)
    }

    assert unknown == set()


def test_no_address_is_read_as_another_before_its_turn() -> None:
    ours = [name for name in URLS if ":" not in name and not name.startswith("account_")]

    found = {name: resolve(path_of(name)).url_name for name in ours}

    assert {name: other for name, other in found.items() if name != other} == {}


def test_the_table_speaks_of_roles_that_exist() -> None:
    assert {role for roles in TABLE.values() for role in roles} <= set(Role)


MORE_OPEN = {
    "mfa_authenticate": "the second step of a log-in",
    "mfa_login_webauthn": "a log-in",
    "my_guideline": "raters read what admins write",
    "withdrawal": "researchers decide about the models that a rater's answers went into",
}
"""Pages that are open to more people than the page above them, and why."""


def page_above(path: str) -> str | None:
    """The name of the nearest page above an address."""
    parts = path.strip("/").split("/")
    for n_parts in range(len(parts) - 1, 0, -1):
        with contextlib.suppress(Resolver404):
            return resolve(f"/{'/'.join(parts[:n_parts])}/").view_name
    return None


def test_no_page_is_open_to_more_people_than_the_page_above_it() -> None:
    roles = [roles_of(kind) for kind in PEOPLE]

    def opens_to(name: str) -> list[bool]:
        return [accounts_access.may_open(name, one) for one in roles]

    more_open = {
        name
        for name in URLS.keys() - API_NAMES
        if (above := page_above(path_of(name))) is not None
        and any(own > other for own, other in zip(opens_to(name), opens_to(above), strict=True))
    }

    assert more_open == MORE_OPEN.keys()


@pytest.mark.parametrize("kind", PEOPLE)
def test_each_url_opens_to_whom_the_table_says_and_to_nobody_else(
    kind: str, db: None, plain_refusals: None
) -> None:
    client, roles = client_of(kind), roles_of(kind)
    wrong = []
    for name in URLS:
        if name in API_NAMES:
            continue  # the API's door is walked by tests/api/test_permissions.py
        # An unknown object is 404 and a wrong method 405: both say that the door itself was open.
        response = client.get(path_of(name))
        may_open = accounts_access.may_open(name, roles)
        if kind == "anonymous":
            is_turned_away = response.status_code == 302 and response.headers[
                "Location"
            ].startswith("/account/login/?next=")
        else:
            is_turned_away = response.status_code == 403
        if may_open == is_turned_away:
            wrong.append(
                f"{name}: {response.status_code}, the table says {'open' if may_open else 'closed'}"
            )

    assert wrong == []


@pytest.mark.parametrize("kind", PEOPLE)
def test_a_post_meets_the_same_doors(kind: str, db: None, plain_refusals: None) -> None:
    client, roles = client_of(kind), roles_of(kind)
    open_by_mistake = []
    for name in URLS:
        if accounts_access.may_open(name, roles):
            continue
        response = client.post(path_of(name))
        is_turned_away = response.status_code == (302 if kind == "anonymous" else 403)
        if not is_turned_away:
            open_by_mistake.append(f"{name}: {response.status_code}")

    assert open_by_mistake == []
