"""Access to training objects by id: an object that a person may not see does not exist for them."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import Http404

from accounts.models import User
from labeling.models import Rater
from tests.cast import login_of
from tests.training import cast
from training import access as training_access

pytestmark = pytest.mark.django_db


def test_a_researcher_reaches_a_run_and_what_it_learned_from(noor: User) -> None:
    run = cast.a_run(noor)

    assert training_access.run(user=noor, pk=run.pk) == run
    assert training_access.snapshot(user=noor, pk=run.snapshot_id) == run.snapshot
    assert training_access.model(user=noor, pk=run.base_model_id) == run.base_model


def test_to_everybody_else_nothing_is_there(noor: User, alice: User, rosa: Rater) -> None:
    run = cast.a_run(noor)

    for user in (alice, login_of(rosa), AnonymousUser()):
        for fetch, pk in (
            (training_access.run, run.pk),
            (training_access.snapshot, run.snapshot_id),
            (training_access.model, run.base_model_id),
        ):
            with pytest.raises(Http404):
                fetch(user=user, pk=pk)
