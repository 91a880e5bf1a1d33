"""The pages of storage through HTTP: the dry run, who may free, and pins."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEvent, User
from labeling.models import Rater
from tests.training.storage.storage_rows import key
from training.models import Run, TrainedModel

pytestmark = pytest.mark.django_db
Made = Callable[..., tuple[Run, TrainedModel]]


def test_the_page_says_what_takes_space_and_the_dry_run_frees_nothing(
    signed_in: Callable[..., Client], noor: User, made: Made
) -> None:
    made(1.0)
    _run, model = made(1.5)
    made(1.2)
    client = signed_in(noor)

    page = client.get("/storage/").content.decode()
    dry = client.get("/storage/free/").content.decode()

    assert "the best of its kind" in page
    assert "Can be deleted" in page
    assert f'value="{key(model)}"' in dry
    assert Path(model.location).exists()
    answer = client.post("/storage/free/", {"key": [key(model)]}, follow=True).content.decode()
    assert "1 run or model" in answer
    assert not Path(model.location).exists()


def test_what_another_tab_has_freed_is_not_freed_again(
    signed_in: Callable[..., Client], noor: User, made: Made
) -> None:
    made(1.0)
    _run, model = made(1.5)
    made(1.2)
    client = signed_in(noor)
    client.post("/storage/free/", {"key": [key(model)]})
    n_logged = AuditEvent.objects.count()

    answer = client.post("/storage/free/", {"key": [key(model)]}, follow=True).content.decode()

    assert AuditEvent.objects.count() == n_logged
    assert "from 0 runs and models" in answer


def test_an_empty_site_has_an_empty_page(signed_in: Callable[..., Client], noor: User) -> None:
    client = signed_in(noor)

    assert "Nothing stored yet" in client.get("/storage/").content.decode()
    assert "Nothing to delete" in client.get("/storage/free/").content.decode()


def test_raters_and_admins_are_refused(
    signed_in: Callable[..., Client], alice: User, rosa: Rater
) -> None:
    for person in (alice, rosa):
        assert signed_in(person).post("/storage/free/").status_code == 403


def test_pins_are_set_and_taken_off_on_the_pages(
    signed_in: Callable[..., Client], noor: User, made: Made
) -> None:
    run, model = made(1.0)
    client = signed_in(noor)

    for row, path in ((run, f"/runs/{run.pk}/"), (model, f"/models/{model.pk}/")):
        client.post(f"{path}pin")
        assert type(row)._default_manager.filter(pk=row.pk, pinned_at__isnull=False).exists()
        assert "Unpin" in client.get(path).content.decode()
        client.post(f"{path}pin", {"unpin": "1"})
        assert type(row)._default_manager.filter(pk=row.pk, pinned_at=None).exists()


def test_the_page_costs_the_same_for_one_run_and_for_ten(
    signed_in: Callable[..., Client],
    noor: User,
    made: Made,
    django_assert_num_queries: DjangoAssertNumQueries,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client = signed_in(noor)
    made(1.0)
    client.get("/storage/")
    with django_assert_max_num_queries(30) as few:
        client.get("/storage/")
    for number in range(9):
        made(2.0 + number)

    with django_assert_num_queries(len(few)):
        client.get("/storage/")
