"""A form can be sent as it opens: the browser refuses none of the values that we put in."""

from collections import Counter
from collections.abc import Callable, Iterator
from io import StringIO

import pytest
from django.core.management import call_command
from playwright.sync_api import Page

from accounts.models import User
from config.roles import Role
from tests.training import cast
from tests.upgrades import pages
from training.configs import kinds
from training.playground.chat_protocol import Channel
from training.schedules.plans import chain_plans

Opener = Callable[..., Page]

# Fields that are empty are for the person; all others hold a value of ours.
REFUSED = """() => [...document.querySelectorAll("form")].flatMap((form) =>
  [...form.elements]
    .filter((one) => one.willValidate && !one.checkValidity() && !one.validity.valueMissing)
    .map((one) => `${one.name}=${one.value}: ${one.validationMessage}`))"""
NO_PAGES = ("api", "archive", "export", "download", "events", "stream", "styleguide")


@pytest.fixture
def site(transactional_db: None) -> Iterator[None]:
    """The demo's people and campaigns, models of each kind, a run, and a worker to try models."""
    call_command("seed_demo", stdout=StringIO())
    sam = User.objects.get(email="researcher@demo.example")
    for kind in ("comparisons", "prompts"):
        cast.a_snapshot(sam, kind=kind, name=f"{kind} of November")
    cast.finished(cast.a_run(sam, state="running", n_points=20), "succeeded")
    cast.a_model(sam, name="reward-1", kind="reward")
    with Channel() as channel:
        channel.record_worker(worker="here")
        yield
        channel.remove_worker(worker="here")


def paths(role: Role) -> Iterator[str]:
    for name in pages.names(role):
        if not any(word in name for word in NO_PAGES):
            yield from pages.addresses(name)
    if role == Role.RESEARCHER:
        yield from (f"/runs/new/{kind}/" for kind in kinds.KINDS)
        yield from (f"/snapshots/new/?kind={kind}" for kind in ("demonstrations", "comparisons"))
        yield from (f"/schedules/new/{name}/" for name in chain_plans.TEMPLATES)


@pytest.mark.slow
def test_no_form_opens_with_a_value_that_the_browser_refuses(open_page: Opener, site: None) -> None:
    seen, found = Counter[Role](), []

    for role in (Role.RATER, Role.ADMIN, Role.RESEARCHER):
        page = open_page("/", User.objects.get(email=f"{role}@demo.example"))
        for path in paths(role):
            answer = page.request.get(path)
            text = answer.text() if "text/html" in answer.headers["content-type"] else ""
            # What is around <main> is the same on every page.
            if not answer.ok or "<form" not in text.partition("<main")[2].partition("</main>")[0]:
                continue
            page.goto(path)
            seen[role] += 1
            found += [f"{role} {path} {one}" for one in page.evaluate(REFUSED)]

    assert found == []
    assert all(seen[role] > 3 for role in (Role.RATER, Role.ADMIN, Role.RESEARCHER)), seen
