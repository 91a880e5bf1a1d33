"""The only way from a person and an id in a URL to an object of the training half. Any researcher
may see any of them.
"""

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404

from accounts.models import User
from labeling.models import Campaign, Prompt
from labeling.selectors import visible
from training.configs import roles
from training.models import Chain, Node, Publication, Run, Schedule, Snapshot, TrainedModel


def run(*, user: User | AnonymousUser, pk: int) -> Run:
    researcher(user)
    found = (
        Run.objects.select_related(
            *(
                "snapshot",
                *roles.NAMES,
                "created_by",
            ),
            *("trained_model", "made_from", "link__chain__schedule"),
        )
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise Http404
    return found


def snapshot(*, user: User | AnonymousUser, pk: int) -> Snapshot:
    researcher(user)
    found = Snapshot.objects.select_related("created_by").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def model(*, user: User | AnonymousUser, pk: int) -> TrainedModel:
    researcher(user)
    found = (
        TrainedModel.objects.select_related(
            *("parent", "run__snapshot", "run__reward_model", "source", "created_by", "endpoint"),
        )
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise Http404
    return found


def publication(*, user: User | AnonymousUser, pk: int) -> Publication:
    researcher(user)
    found = Publication.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def schedule(*, user: User | AnonymousUser, pk: int) -> Schedule:
    researcher(user)
    found = Schedule.objects.select_related("created_by").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def chain(*, user: User | AnonymousUser, pk: int) -> Chain:
    researcher(user)
    found = (
        Chain.objects.select_related("schedule__created_by", "base_model", "firing")
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise Http404
    return found


def campaign(*, user: User | AnonymousUser, pk: int) -> Campaign:
    researcher(user)
    found = Campaign.objects.select_related("guideline", "guideline_version").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def prompt(*, user: User | AnonymousUser, pk: int) -> Prompt:
    """Not one that an unpublished import brought in."""
    researcher(user)
    found = visible(Prompt.objects.select_related("source").filter(pk=pk)).first()
    if found is None:
        raise Http404
    return found


def node(*, user: User | AnonymousUser, pk: int) -> Node:
    researcher(user)
    found = Node.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def researcher(user: User | AnonymousUser) -> User:
    """The person behind a request, who must be a researcher."""
    if not (isinstance(user, User) and user.is_researcher):
        raise PermissionDenied
    return user
