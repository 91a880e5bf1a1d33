"""The only way from (user, id in a URL) to an object. An object that a person may not see answers
404, never 403."""

from collections.abc import Collection, Iterator
from typing import TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from accounts.models import User
from arithmetic.chats import Message
from labeling.models import (
    Campaign,
    Case,
    CrowdLink,
    CrowdVisit,
    Demonstration,
    Export,
    Gold,
    Guideline,
    HubDownload,
    Import,
    Invitation,
    Item,
    ItemQuestion,
    Judgment,
    JudgmentReview,
    OnboardingStep,
    PayDispute,
    Pool,
    ProlificBonusBatch,
    ProlificStudy,
    ProlificSubmission,
    Prompt,
    Rater,
    Source,
    StepAttempt,
)


def campaign(*, user: User | AnonymousUser, pk: int) -> Campaign:
    _require_admin(user)
    return get_object_or_404(
        Campaign.objects.select_related("pool", "guideline", "guideline_version", "created_by"),
        pk=pk,
    )


def comparison_campaign(*, user: User | AnonymousUser, pk: int) -> Campaign:
    """A comparison campaign, whose raters can be measured for agreement."""
    selected = campaign(user=user, pk=pk)
    if not selected.compares:
        raise Http404
    return selected


def any_rater(*, user: User | AnonymousUser, pk: int) -> Rater:
    _require_admin(user)
    return get_object_or_404(Rater.people.select_related("user"), pk=pk)


def rater_with_login(*, user: User | AnonymousUser, pk: int) -> Rater:
    """Somebody who can be given work, other than the raters of an import."""
    _require_admin(user)
    return get_object_or_404(Rater.people.select_related("user"), pk=pk, user__isnull=False)


def rater_as_alias(*, user: User | AnonymousUser, pk: int) -> Rater:
    """A person or a judge, for pages shared by admins and researchers, which show a rater only by
    alias.
    """
    if not (isinstance(user, User) and (user.is_admin or user.is_researcher)):
        raise Http404
    return get_object_or_404(Rater.everyone, pk=pk)


def item_to_review(*, user: User | AnonymousUser, campaign_pk: int, pk: int) -> Item:
    """An item of the campaign that is not a gold: a gold's order is already known."""
    selected = item(user=user, campaign_pk=campaign_pk, pk=pk)
    if hasattr(selected, "gold_use"):
        raise Http404
    return selected


def judgment(*, user: User | AnonymousUser, campaign_pk: int, item_pk: int, pk: int) -> Judgment:
    _require_admin(user)
    judgments = Judgment.of_people.select_related("item__prompt", "item__campaign", "comparison")
    return get_object_or_404(judgments, campaign=campaign_pk, item=item_pk, is_gold=False, pk=pk)


def reviewable_judgment(*, user: User | AnonymousUser, pk: int) -> Judgment:
    """An answer to an item of a campaign that is not a gold."""
    _require_admin(user)
    judgments = Judgment.of_people.select_related(
        "item", "campaign", "comparison", "set_aside", "rater"
    )
    return get_object_or_404(
        judgments, item__isnull=False, campaign__isnull=False, is_gold=False, pk=pk
    )


def gold(*, user: User | AnonymousUser, campaign_pk: int, pk: int) -> Gold:
    """A gold that the campaign uses."""
    _require_admin(user)
    return get_object_or_404(Gold, uses__campaign=campaign_pk, pk=pk)


def any_gold(*, user: User | AnonymousUser, pk: int) -> Gold:
    """A gold, whichever campaigns use it."""
    _require_admin(user)
    return get_object_or_404(Gold.objects.select_related("made_from__campaign"), pk=pk)


def appealed_review(*, user: User | AnonymousUser, pk: int) -> JudgmentReview:
    _require_admin(user)
    reviews = JudgmentReview.objects.select_related("judgment__rater__user", "judgment__campaign")
    return get_object_or_404(reviews, appealed_at__isnull=False, pk=pk)


def my_review(*, rater: Rater, pk: int) -> JudgmentReview:
    """A review of one of this rater's answers."""
    reviews = JudgmentReview.objects.select_related("judgment__rater", "by")
    return get_object_or_404(reviews, judgment__rater=rater, pk=pk)


def item(*, user: User | AnonymousUser, campaign_pk: int, pk: int) -> Item:
    _require_admin(user)
    items = Item.objects.select_related(
        "campaign__pool", "campaign__guideline", "prompt__source", "gold_use"
    )
    return get_object_or_404(
        items.annotate(is_on_withdrawn=on_withdrawn("prompt")),
        campaign=campaign_pk,
        pk=pk,
    )


def pool(*, user: User | AnonymousUser, pk: int) -> Pool:
    _require_admin(user)
    return get_object_or_404(Pool, pk=pk)


def invitation(*, user: User | AnonymousUser, pk: int) -> Invitation:
    _require_admin(user)
    return get_object_or_404(Invitation.objects.select_related("pool"), pk=pk)


def crowd_link(*, user: User | AnonymousUser, pk: int) -> CrowdLink:
    _require_admin(user)
    return get_object_or_404(CrowdLink.objects.select_related("campaign"), pk=pk)


def prolific_study(*, user: User | AnonymousUser, pk: int) -> ProlificStudy:
    _require_admin(user)
    return get_object_or_404(ProlificStudy.objects.select_related("link__campaign__pool"), pk=pk)


def study_of_link(*, user: User | AnonymousUser, link_pk: int) -> ProlificStudy:
    """The study on Prolific that a crowd link is connected to."""
    _require_admin(user)
    studies = ProlificStudy.objects.select_related("link__campaign__pool")
    return get_object_or_404(studies, link=link_pk)


def prolific_submission(*, user: User | AnonymousUser, pk: int) -> ProlificSubmission:
    _require_admin(user)
    submissions = ProlificSubmission.objects.select_related(
        "study__link__campaign__pool", "visit__rater", "visit__link"
    )
    return get_object_or_404(submissions, pk=pk)


def prolific_bonus(*, user: User | AnonymousUser, pk: int) -> ProlificBonusBatch:
    _require_admin(user)
    return get_object_or_404(ProlificBonusBatch.objects.select_related("study__link"), pk=pk)


def my_visit(*, rater: Rater) -> CrowdVisit:
    """The latest visit of a rater who came through a crowd link."""
    visit = rater.crowd_visits.select_related("link__campaign", "rater").order_by("-pk").first()
    if visit is None:
        raise Http404
    return visit


def step(*, user: User | AnonymousUser, pk: int) -> OnboardingStep:
    _require_admin(user)
    return get_object_or_404(
        OnboardingStep.objects.select_related("pool", "guideline"), pk=pk, retired_at=None
    )


def any_step(*, user: User | AnonymousUser, pk: int) -> OnboardingStep:
    """Any step, retired ones included: their text still explains the answers raters gave."""
    _require_admin(user)
    return get_object_or_404(OnboardingStep.objects.select_related("pool", "guideline"), pk=pk)


def attempt(*, user: User | AnonymousUser, pk: int) -> StepAttempt:
    _require_admin(user)
    return get_object_or_404(
        StepAttempt.objects.select_related(
            "step__pool", "version", "guideline_version__guideline", "rater__user", "decided_by"
        ),
        pk=pk,
    )


def my_pool(*, rater: Rater, pk: int) -> Pool:
    """A pool that this rater is in."""
    return get_object_or_404(Pool, pk=pk, memberships__rater=rater, memberships__is_active=True)


def dispute(*, user: User | AnonymousUser, pk: int) -> PayDispute:
    _require_admin(user)
    return get_object_or_404(PayDispute.objects.select_related("rater__user"), pk=pk)


def guideline(*, user: User | AnonymousUser, pk: int) -> Guideline:
    _require_admin(user)
    return get_object_or_404(Guideline, pk=pk)


def question(*, user: User | AnonymousUser, pk: int) -> ItemQuestion:
    _require_admin(user)
    return get_object_or_404(ItemQuestion, pk=pk)


def rater_or_none(*, user: User | AnonymousUser) -> Rater | None:
    return Rater.people.filter(user=user.pk).first()


def prompt(*, user: User | AnonymousUser, pk: int) -> Prompt:
    _require_admin(user)
    return get_object_or_404(visible(Prompt.objects.select_related("source")), pk=pk)


def rater(*, user: User | AnonymousUser) -> Rater:
    return get_object_or_404(Rater.people, user=user.pk)


def case(*, user: User | AnonymousUser, pk: int) -> Case:
    _require_admin(user)
    return get_object_or_404(Case, pk=pk)


def import_batch(*, user: User | AnonymousUser, pk: int) -> Import:
    _require_admin(user)
    return get_object_or_404(Import.objects.select_related("source", "created_by"), pk=pk)


def hub_download(*, user: User | AnonymousUser, pk: int) -> HubDownload:
    _require_admin(user)
    return get_object_or_404(HubDownload, pk=pk)


def export(*, user: User | AnonymousUser, pk: int) -> Export:
    """For admins and researchers: its raters are aliases."""
    if not (isinstance(user, User) and (user.is_admin or user.is_researcher)):
        raise Http404
    return get_object_or_404(Export.objects.select_related("campaign", "created_by"), pk=pk)


def _require_admin(user: User | AnonymousUser) -> None:
    if not user.is_authenticated or not user.is_admin:
        raise Http404


Row = TypeVar("Row", bound=Model)


def visible(rows: QuerySet[Row]) -> QuerySet[Row]:
    """Prompts, responses or judgments, without those of an import that is not published. Also
    without prompts that somebody wrote who has withdrawn, and responses to them; which judgments
    count is said by labeling.votes.counting.
    """
    published = rows.filter(Q(import_batch=None) | Q(import_batch__state=Import.State.PUBLISHED))
    if issubclass(rows.model, Judgment):
        return published
    path = "pk" if issubclass(rows.model, Prompt) else "prompt"
    return published.exclude(**{f"{path}__in": withdrawn_prompt_ids()})


def withdrawn_prompts() -> QuerySet[Prompt]:
    """Prompts with words of somebody who has withdrawn: what they said in conversations with what
    went before it, attacks, and what they typed in, in every version; and others' conversations
    that began with one of these.
    """
    return Prompt.objects.filter(pk__in=withdrawn_prompt_ids())


def withdrawn_prompt_ids() -> list[int]:
    """For `__in`: a list, read by itself. In a query, PostgreSQL expects as many as an author has
    on average, which can be most of the table, and then searches all of them for each row.
    """
    withdrawn = Source.objects.filter(person__rater__withdrawn_at__isnull=False)
    sources = list(withdrawn.values_list("pk", flat=True))
    return list(_written_by(sources)) if sources else []


def chats_of_withdrawn() -> Iterator[list[Message]]:
    """The chats that nobody is asked about any more: these prompts, and dialogues by people who
    have withdrawn, up to each answer.
    """
    raters = list(Rater.people.filter(withdrawn_at__isnull=False).values_list("pk", flat=True))
    if not raters:
        return
    yield from withdrawn_prompts().values_list("messages", flat=True)
    theirs = Judgment.versions_of_people.condition("judgment__")
    dialogues = Demonstration.objects.filter(theirs, judgment__rater__in=raters).exclude(further=[])
    for dialogue in dialogues.select_related("judgment__prompt"):
        yield from (chat for chat, _answer in dialogue.later_answers())


def on_withdrawn(path: str) -> Exists:
    """Whether the prompt that `path` leads to is one of these. For the few rows of a page."""
    people = Source.objects.filter(person__rater__withdrawn_at__isnull=False)
    is_written = Q(source__in=people)
    is_begun = Q(conversation_turns__conversation__item__prompt__source__in=people)
    return Exists(Prompt.objects.filter(is_written | is_begun, pk=OuterRef(path)))


def prompts_written_by(rater: Rater) -> QuerySet[Prompt]:
    """The same of one rater, withdrawn or not; the ids are read first for the same reason."""
    sources = list(Source.objects.filter(person__rater=rater).values_list("pk", flat=True))
    return Prompt.objects.filter(pk__in=list(_written_by(sources)) if sources else [])


def _written_by(people: Collection[int]) -> QuerySet[Prompt, int]:
    """Ids of what these people wrote as prompts, and of conversations that began with it."""
    written = Prompt.objects.filter(source__in=people)
    began = Prompt.objects.filter(conversation_turns__conversation__item__prompt__source__in=people)
    return written.values_list("pk", flat=True).union(began.values_list("pk", flat=True))
