"""Who acts in the scenes, and where."""

from django.test import Client

from accounts.models import User
from config.roles import Role
from labeling.models import Campaign
from tests.cast import cookies_of
from tests.upgrades import pages
from training.management.commands import seed_demo


def admin() -> User:
    return pages.person_of(Role.ADMIN)


def researcher() -> User:
    return pages.person_of(Role.RESEARCHER)


def worker() -> User:
    """A rater of the demo."""
    return pages.person_of(Role.RATER)


def browser(person: User | None = None) -> Client:
    """Of this person, or of the worker."""
    client = Client()
    client.cookies = cookies_of(person or worker())
    return client


def comparing() -> Campaign:
    return Campaign.objects.select_related("pool", "guideline").get(name=seed_demo.COMPARING)
