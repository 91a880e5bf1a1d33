"""Limits on log-ins: for each client, behind proxies too, so that nobody locks others out."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client

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
