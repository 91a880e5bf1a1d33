"""Limits on log-ins: for each client, behind proxies too, so that nobody locks others out."""

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.core.internal import ratelimit
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client

from accounts.login import known_browsers, password_links
from accounts.models import User
from tests.cast import PASSWORD

FEW = {"login": "3/m/ip", "login_failed": "10/5m/ip,5/5m/key", "reset_password": "3/m/ip"}


@pytest.fixture(autouse=True)
def one_proxy(settings: LazySettings) -> Iterator[None]:
    settings.PROXIES = 1
    cache.clear()
    yield
    cache.clear()


def post(path: str, fields: dict[str, str], *, forwarded: str) -> Any:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    return Client(headers=headers).post(path, fields)


def log_in(*, password: str = PASSWORD, email: str = "alice@example.org", forwarded: str) -> Any:
    return post("/account/login/", {"login": email, "password": password}, forwarded=forwarded)


@pytest.mark.parametrize("path", ["/account/login/", "/account/password/reset/"])
def test_one_client_that_asks_too_often_locks_out_nobody_else(
    alice: User, settings: LazySettings, path: str
) -> None:
    settings.ACCOUNT_RATE_LIMITS = FEW
    fields = {"email": "nobody@example.org"}

    answers = [post(path, fields, forwarded="203.0.113.7").status_code for _try in range(5)]
    reset = post("/account/password/reset/", {"email": alice.email}, forwarded="198.51.100.2")

    assert answers[3:] == [429, 429]
    assert reset.status_code == 302
    assert log_in(forwarded="198.51.100.2").status_code == 302


def test_a_client_cannot_choose_its_address(alice: User, settings: LazySettings) -> None:
    """A proxy adds the address that it sees at the end of what the client sent."""
    settings.ACCOUNT_RATE_LIMITS = FEW

    answers = [
        post("/account/login/", {}, forwarded=f"192.0.2.{number}, 203.0.113.7").status_code
        for number in range(5)
    ]

    assert answers == [200, 200, 200, 429, 429]


def test_two_proxies_are_counted_from_the_end(alice: User, settings: LazySettings) -> None:
    settings.ACCOUNT_RATE_LIMITS = FEW
    settings.PROXIES = 2

    answers = [
        post("/account/login/", {}, forwarded=f"192.0.2.{number}, 203.0.113.7, 10.0.0.1")
        for number in range(5)
    ]

    assert [answer.status_code for answer in answers][3:] == [429, 429]


def test_without_the_proxys_header_nobody_is_locked_out_with_everybody(
    alice: User, noor: User, settings: LazySettings
) -> None:
    settings.ACCOUNT_RATE_LIMITS = FEW

    answers = [post("/account/login/", {}, forwarded="").status_code for _try in range(5)]

    assert answers == [200] * 5


def test_failures_elsewhere_do_not_keep_the_right_password_out(alice: User) -> None:
    for _attempt in range(6):
        log_in(password="wrong", forwarded="203.0.113.7")

    there = log_in(forwarded="203.0.113.7")
    here = log_in(forwarded="198.51.100.2")

    assert "Too many failed attempts." in there.text
    assert here.status_code == 302


# --- guesses at one account from everywhere -------------------------------------------------------


def guess_everywhere(n: int, email: str = "alice@example.org") -> list[bool]:
    """Wrong passwords, each from another network; whether each was compared."""
    return [
        "Wrong e-mail or password."
        in log_in(email=email, password="guess", forwarded=f"10.{number}.0.1").text
        for number in range(n)
    ]


@pytest.fixture
def few_guesses(monkeypatch: pytest.MonkeyPatch) -> int:
    """As many as an hour allows, in a number that a test can afford."""
    monkeypatch.setattr(known_browsers, "_LIMIT", {"guesses": "7/h/key"})
    return 7


def test_an_hour_allows_no_more_than_a_hundred_guesses_at_an_account() -> None:
    (rate,) = ratelimit.parse_rates(known_browsers._LIMIT["guesses"])

    assert (rate.amount, rate.duration) == (100, 3600)


@pytest.mark.parametrize("email", ["alice@example.org", "nobody@example.org"])
def test_guesses_from_many_networks_end_whether_there_is_an_account_or_not(
    alice: User, few_guesses: int, email: str
) -> None:
    assert guess_everywhere(10, email) == [True] * few_guesses + [False] * 3


@pytest.mark.parametrize(
    "written", ["ALICE@example.org", " alice@example.org", "alice@EXAMPLE.org"]
)
def test_another_way_to_write_the_address_has_no_guesses_of_its_own(
    alice: User, few_guesses: int, written: str
) -> None:
    guess_everywhere(few_guesses)

    assert guess_everywhere(1, written) == [False]


def test_nobody_is_locked_out_of_a_browser_that_they_have_used(
    alice: User, few_guesses: int
) -> None:
    own = Client(headers={"X-Forwarded-For": "198.51.100.2"})
    own.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    own.post("/account/logout/")
    guess_everywhere(few_guesses + 5)

    back = own.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    elsewhere = log_in(forwarded="198.51.100.9")

    assert (back.status_code, elsewhere.status_code) == (302, 200)
    assert "reset your password by e-mail" in elsewhere.text


def test_nobody_is_locked_out_who_reads_their_mail(alice: User, few_guesses: int) -> None:
    guess_everywhere(few_guesses + 5)
    visitor = Client(headers={"X-Forwarded-For": "198.51.100.9"})

    form = visitor.get(password_links.password_link(alice), follow=True)
    new = {"password1": "seven green kettles", "password2": "seven green kettles"}
    visitor.post(form.redirect_chain[-1][0], new)

    assert visitor.get("/profile/").status_code == 200


def test_the_right_password_is_no_guess(alice: User, few_guesses: int) -> None:
    for number in range(few_guesses + 5):
        assert log_in(forwarded=f"10.{number}.0.1").status_code == 302


def test_one_client_alone_takes_nobody_the_guesses_of_an_hour(
    alice: User, few_guesses: int
) -> None:
    """What a client sends after its own limit is not compared, and so counts for nothing."""
    for _attempt in range(few_guesses + 20):
        log_in(password="guess", forwarded="203.0.113.7")

    assert log_in(forwarded="198.51.100.2").status_code == 302


@pytest.mark.parametrize("cookie", ["", "made-up", "alice"])
def test_a_cookie_of_ones_own_making_is_no_known_browser(
    alice: User, few_guesses: int, cookie: str
) -> None:
    guess_everywhere(few_guesses)
    visitor = Client(headers={"X-Forwarded-For": "198.51.100.9"})
    visitor.cookies[known_browsers.COOKIE] = cookie

    answer = visitor.post("/account/login/", {"login": alice.email, "password": PASSWORD})

    assert answer.status_code == 200


def test_a_browser_known_for_one_person_has_no_guesses_at_another(
    alice: User, noor: User, few_guesses: int
) -> None:
    guess_everywhere(few_guesses)
    visitor = Client(headers={"X-Forwarded-For": "198.51.100.9"})
    visitor.force_login(noor)
    visitor.post("/account/logout/")
    visitor.post("/account/login/", {"login": noor.email, "password": PASSWORD})
    visitor.post("/account/logout/")

    answer = visitor.post("/account/login/", {"login": alice.email, "password": PASSWORD})

    assert answer.status_code == 200


def test_one_client_cannot_guess_at_many_accounts(
    alice: User, noor: User, settings: LazySettings
) -> None:
    settings.ACCOUNT_RATE_LIMITS = FEW | {"login": "600/m/ip"}
    for number in range(10):
        log_in(email=f"{number}@example.org", password="guess", forwarded="203.0.113.7")

    page = log_in(forwarded="203.0.113.7")

    assert "Too many failed attempts." in page.text


def test_a_network_of_one_household_is_one_client(alice: User) -> None:
    for number in range(6):
        log_in(password="wrong", forwarded=f"2001:db8:1:2::{number}")

    assert "Too many failed attempts." in log_in(forwarded="2001:db8:1:2::ffff").text
    assert log_in(forwarded="2001:db8:1:3::1").status_code == 302


def test_a_client_without_a_proxy_is_its_own_address(alice: User, settings: LazySettings) -> None:
    settings.PROXIES = 0
    for number in range(6):
        log_in(password="wrong", forwarded=f"192.0.2.{number}")

    assert "Too many failed attempts." in log_in(forwarded="192.0.2.99").text
