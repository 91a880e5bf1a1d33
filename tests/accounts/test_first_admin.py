"""The first admin of a new site is made by a command, which prints a link that works once."""

from io import StringIO

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import AuditEvent, User
from accounts.people import services
from tests.cast import NOON

PASSWORD = "a-long-and-quiet-river"
SITE = "https://label.example.org"


@pytest.fixture(autouse=True)
def _site(db: None, settings: LazySettings) -> None:
    settings.SITE_URL = SITE


def printed(*arguments: str) -> str:
    """What the command writes to its output: the link alone, so that a script can read it."""
    output = StringIO()
    call_command("make_first_admin", *arguments, stdout=output, stderr=StringIO())
    return output.getvalue().strip()


def set_password(link: str) -> Client:
    client = Client()
    form = client.get(link.removeprefix(SITE), follow=True)
    client.post(form.request["PATH_INFO"], {"password1": PASSWORD, "password2": PASSWORD})
    return client


def test_the_link_sets_the_password_of_an_admin_once() -> None:
    link = printed("Ada@Example.org", "--name", "Ada")

    set_password(link)
    again = Client().get(link.removeprefix(SITE), follow=True)

    ada = User.objects.get(email="ada@example.org")
    assert link.startswith(f"{SITE}/account/password/reset/key/")
    assert (ada.name, ada.is_admin, ada.is_superuser) == ("Ada", True, True)
    assert ada.check_password(PASSWORD)
    assert "password1" not in again.text
    assert Client().login(email="ada@example.org", password=PASSWORD)


def test_until_there_is_a_password_the_command_prints_another_link() -> None:
    printed("ada@example.org")

    set_password(printed("ada@example.org"))

    ada = User.objects.get()
    assert ada.name == "ada"
    assert ada.check_password(PASSWORD)
    assert AuditEvent.objects.filter(action="create").count() == 1


def test_a_site_with_an_admin_gets_no_other_by_command() -> None:
    set_password(printed("ada@example.org"))

    for address in ("ada@example.org", "eve@example.org"):
        with pytest.raises(CommandError, match="This site has an admin: ada@"):
            printed(address)

    assert User.objects.count() == 1


def test_an_admin_without_password_closes_the_command_to_other_addresses() -> None:
    printed("ada@example.org")

    with pytest.raises(CommandError, match="run the command `createsuperuser`"):
        printed("eve@example.org")


def test_somebody_who_has_an_account_is_not_made_an_admin() -> None:
    services.create_user(email="rita@example.org", name="Rita", roles=["rater"], by=None, now=NOON)

    with pytest.raises(CommandError, match="already has an account"):
        printed("rita@example.org")


def test_without_the_address_of_the_site_there_is_no_link(settings: LazySettings) -> None:
    settings.SITE_URL = ""

    with pytest.raises(CommandError, match="Set PREFERABLY_URL"):
        printed("ada@example.org")

    assert not User.objects.exists()


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(CommandError, match="“ada” is not an e-mail address"):
        printed("ada")
