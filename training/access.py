"""Loads an object of training by the id in a URL, for the person who asks. Researchers may see
every object; everybody else gets 404, never 403. Views use no other way.
"""

from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.shortcuts import get_object_or_404

from accounts.models import User
from labeling import access as labeling_access
from labeling.access import visible
from labeling.models import Campaign, Prompt
from training.configs import roles
from training.models import (
    Chain,
    Curation,
    Judge,
    Node,
    Publication,
    Run,
    Schedule,
    Snapshot,
    Suite,
    TrainedModel,
)


def run(*, user: User | AnonymousUser, pk: int) -> Run:
    researcher(user)
    runs = Run.objects.select_related(
        *("snapshot", *roles.NAMES, "created_by"),
        *("trained_model", "made_from", "link__chain__schedule"),
    )
    return get_object_or_404(runs, pk=pk)


def snapshot(*, user: User | AnonymousUser, pk: int) -> Snapshot:
    researcher(user)
    return get_object_or_404(Snapshot.objects.select_related("created_by"), pk=pk)


def curation(*, user: User | AnonymousUser, pk: int) -> Curation:
    researcher(user)
    return get_object_or_404(Curation.objects.select_related("created_by", "snapshot"), pk=pk)


def model(*, user: User | AnonymousUser, pk: int) -> TrainedModel:
    researcher(user)
    models = TrainedModel.objects.select_related(
        *("parent", "run__snapshot", "run__reward_model", "source", "created_by", "endpoint")
    )
    return get_object_or_404(models, pk=pk)


def suite(*, user: User | AnonymousUser, pk: int) -> Suite:
    researcher(user)
    return get_object_or_404(Suite.objects.select_related("created_by"), pk=pk)


def publication(*, user: User | AnonymousUser, pk: int) -> Publication:
    """Of a model for researchers, of an export for those who may have it."""
    selected = get_object_or_404(Publication, pk=pk)
    if selected.export_id is None:
        researcher(user)
    else:
        labeling_access.export(user=user, pk=selected.export_id)
    return selected


def schedule(*, user: User | AnonymousUser, pk: int) -> Schedule:
    researcher(user)
    return get_object_or_404(Schedule.objects.select_related("created_by"), pk=pk)


def chain(*, user: User | AnonymousUser, pk: int) -> Chain:
    researcher(user)
    chains = Chain.objects.select_related("schedule__created_by", "base_model", "firing")
    return get_object_or_404(chains, pk=pk)


def judge(*, campaign: Campaign, pk: int) -> Judge:
    """Of a campaign that the person who asks may see: labeling.access.comparison_campaign."""
    return get_object_or_404(
        Judge.objects.select_related("rater", "model"), campaign=campaign, pk=pk
    )


def campaign(*, user: User | AnonymousUser, pk: int) -> Campaign:
    researcher(user)
    campaigns = Campaign.objects.select_related("guideline", "guideline_version")
    return get_object_or_404(campaigns, pk=pk)


def prompt(*, user: User | AnonymousUser, pk: int) -> Prompt:
    """Excludes prompts of an unpublished import."""
    researcher(user)
    return get_object_or_404(visible(Prompt.objects.select_related("source")), pk=pk)


def node(*, user: User | AnonymousUser, pk: int) -> Node:
    researcher(user)
    return get_object_or_404(Node, pk=pk)


def researcher(user: User | AnonymousUser) -> User:
    """The signed-in person; 404 unless they are a researcher."""
    if not (isinstance(user, User) and user.is_researcher):
        raise Http404
    return user
