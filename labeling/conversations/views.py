"""The pages of a conversation. A turn whose answers are there is a comparison at an address of its
own, and everything else is at the conversation's. Both look alike: the chat, and below it what to
do. An open page shows the next of them in place, so the chat does not move.
"""

import uuid
from collections.abc import Callable
from dataclasses import asdict, replace

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from arithmetic import plain_text
from labeling.conversations import holding, selectors, turns, words
from labeling.conversations.forms import FinishForm, MessageForm, round_of, typed_of_round
from labeling.conversations.red_teaming import attacks
from labeling.conversations.selectors import Phase
from labeling.desk import access as desk_access
from labeling.desk import pages as desk_pages
from labeling.desk import posted_page
from labeling.desk import progress as desk_progress
from labeling.desk.forms.answer_fields import SkipForm
from labeling.desk.judgments.checked_answers import ComparisonAnswer
from labeling.desk.judgments.rows import UnableToSubmit
from labeling.desk.next_item import next_address
from labeling.desk.views import answering, drafts, finishing
from labeling.desk.views.desk import gone
from labeling.desk.work import Work
from labeling.guidelines.rating_form import RatingForm
from labeling.models import Conversation, ConversationTurn
from pages import edit_conflicts

MID_TURN = (Phase.WAIT, Phase.RATE, Phase.RETRY)
"""A message was sent, and its answers are not rated yet."""


@require_GET
def conversation(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    work = _opening(request, lease)
    standing = selectors.standing(work=work, now=timezone.now())
    if not work.is_open and standing.phase != Phase.FINISHED:
        return gone(request, work)
    return _where_it_stands(request, work)


@require_GET
def answers(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    """Polled while the rater waits. It says nothing of a single answer: no content until all have
    come, then where to go. `?silent=1`: the page shows already that no model is answering.
    """
    wait = selectors.wait(work=_opening(request, lease), now=timezone.now())
    if wait is None:
        return HttpResponse(headers={"HX-Redirect": reverse("conversation", args=[lease])})
    if wait.is_silent == ("silent" in request.GET):
        return HttpResponse(status=204)
    context = {"wait": wait, "lease": lease}
    return render(request, "labeling/conversations/desk/_waiting.html", context)


@require_POST
def start(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    work = _opening(request, lease)
    try:
        turns.start(lease=lease, rater=work.rater, now=timezone.now())
    except turns.UnableToConverse as problem:
        messages.warning(request, problem.sentence)
    return _go_on(request, lease)


@require_POST
def write(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    work = _opening(request, lease)
    posted = request.POST.copy()
    form = MessageForm(posted)
    standing = selectors.standing(work=work, now=timezone.now())
    if standing.conversation is None or not form.is_valid():
        return _page(request, work, message_form=form, status=422)
    try:
        begun = turns.write(
            conversation=standing.conversation,
            number=form.cleaned_data["number"],
            text=form.cleaned_data["text"],
            now=timezone.now(),
        )
        turns.refuse_another_message(form.cleaned_data["text"], begun=begun)
    except turns.UnableToConverse as problem:
        form.add_error(None, problem.sentence)
        posted["number"] = str(_next_number(work, unsent=form.cleaned_data["text"]))
        return _page(request, work, message_form=form, status=422)
    return _go_on(request, lease)


@require_POST
def finish(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    work = _opening(request, lease)
    if turns.is_attack(work.campaign):
        return redirect("attack_end", lease)
    form = FinishForm(request.POST, rated_by=_asked_at_the_end(work))
    standing = selectors.standing(work=work, now=timezone.now())
    if standing.conversation is None or not form.is_valid():
        return _page(request, work, finish_form=form, status=422)
    try:
        is_new = turns.finish(
            conversation=standing.conversation,
            goal_rating=form.cleaned_data["goal_rating"],
            ratings=form.ratings(),
            remark=form.cleaned_data["remark"],
            last_turn=plain_text.whole_number(request.POST.get("last_turn", "")),
            now=timezone.now(),
        )
    except turns.UnableToConverse as problem:
        form.add_error(None, problem.sentence)
        return _page(request, work, finish_form=form, status=422)
    if is_new:
        messages.info(request, _("Conversation saved."))
    else:
        _refuse_remark(request, standing.conversation, form.cleaned_data["remark"])
    return redirect(
        next_address(
            request, campaign=work.campaign, rater=work.rater, last_version_id=work.version.pk
        )
    )


# --- a turn ---------------------------------------------------------------------------------------


@require_GET
def turn(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    """The answers side by side; the conversation's page while there is nothing to rate."""
    work = _turn(request, lease)
    stored = _stored_turn(lease)
    if stored.state != ConversationTurn.State.READY:
        return redirect(_address_of(stored))
    return answering.page(request, work, _draft_of_turn(work, stored))


@require_http_methods(["GET", "POST"])
def submit(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    work, stored = _turn(request, lease), _stored_turn(lease)
    if request.method == "GET":
        return answering.go_to(request, reverse("turn", args=[lease]))
    step = request.POST.get("step", "review")
    if step == "draft":
        drafts.keep_typed(request, work)
        return redirect("turn", lease)
    shown = round_of(posted_page.PageInput.of_post(request.POST))
    if shown != stored.round and stored.state in turns.CURRENT:
        return _other_answers(request, work)
    if stored.state in (ConversationTurn.State.WAITING, ConversationTurn.State.FAILED):
        return answering.go_to(request, reverse("turn", args=[lease]))
    answer = answering.check_posted_answer(request, work)
    if isinstance(answer, HttpResponse):
        return answer
    try:
        judgment = turns.rate(
            lease=lease,
            rater=work.rater,
            round_number=shown,
            answer=answer.answer,
            recorded=answer.recorded,
            now=timezone.now(),
        )
    except turns.OtherAnswersShown:
        return _other_answers(request, work)
    except UnableToSubmit as error:
        return answering.review(request, work, _refused(work, answer, str(error)))
    if not work.is_open:  # sent twice, or changed after going back in the browser
        messages.info(request, _("This turn was already saved. The first rating counts."))
    elif judgment.is_extra:
        messages.warning(request, holding.extra_sentence())
    opening = _opening_lease(stored)
    if step == "stop" and opening is not None:
        return finishing.release(request, opening)
    return _go_on(request, opening)


@require_POST
def regenerate(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    work, stored = _turn(request, lease), _stored_turn(lease)
    drafts.keep_typed(request, work)
    try:
        is_new = turns.regenerate(
            lease=lease,
            rater=work.rater,
            round_number=round_of(posted_page.PageInput.of_post(request.POST)),
            now=timezone.now(),
        )
    except turns.UnableToConverse as problem:
        messages.warning(request, problem.sentence)
        return answering.go_to(request, reverse("turn", args=[lease]))
    if not is_new and stored.state == ConversationTurn.State.READY:
        messages.info(request, _("Other answers have come already. Here they are."))
    return _go_on(request, _opening_lease(stored))


@require_POST
def draft(request: HttpRequest, lease: uuid.UUID) -> JsonResponse:
    return drafts.posted_draft(request, _turn(request, lease))


@require_GET
def guideline(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    return answering.guideline(request, _turn(request, lease).version)


@require_GET
def progress(request: HttpRequest, lease: uuid.UUID) -> JsonResponse:
    """Without what is left: that counts conversations, and this page counts turns."""
    work = _turn(request, lease)
    current = desk_progress.progress(rater=work.rater, campaign=work.campaign, now=timezone.now())
    return JsonResponse(asdict(current) | {"n_left": None})


@require_GET
def diff(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    return answering.diff(request, _turn(request, lease))


# What concerns the whole conversation: its item is the one that the rater holds.


@require_POST
def heartbeat(request: HttpRequest, lease: uuid.UUID) -> JsonResponse:
    _turn(request, lease)
    opening = _opening_lease(_stored_turn(lease))
    if opening is None:
        return JsonResponse({"is_gone": True, "is_stored": False})
    return drafts.heartbeat(request, opening)


@require_http_methods(["GET", "POST"])
def skip(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    work = _turn(request, lease)
    form = SkipForm(request.POST)
    if request.method == "POST" and not form.is_valid() and not answering.is_fragment(request):
        typed = _draft_of_turn(work, _stored_turn(lease))
        return answering.page(request, work, typed, status=422, skip_form=form)
    return _of_opening(request, lease, finishing.skip)


@require_http_methods(["GET", "POST"])
def release(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    drafts.keep_typed(request, _turn(request, lease))
    return _of_opening(request, lease, finishing.release)


@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    _turn(request, lease)
    return _of_opening(request, lease, finishing.ask)


# --- what they share ------------------------------------------------------------------------------


def _go_on(request: HttpRequest, lease: uuid.UUID | None) -> HttpResponse:
    """To the conversation, on an open page in place; to the desk when it was given away."""
    if lease is None:
        return answering.go_to(request, reverse("desk"))
    if not answering.is_fragment(request):
        return redirect("conversation", lease)
    return _where_it_stands(request, _opening(request, lease))


def _where_it_stands(request: HttpRequest, work: Work) -> HttpResponse:
    """The conversation's page, or in place that of the turn whose answers are there."""
    standing = selectors.standing(work=work, now=timezone.now())
    if standing.phase != Phase.RATE or standing.turn is None or not answering.is_fragment(request):
        return _page(request, work)
    shown, stored = _turn(request, standing.turn.lease), _stored_turn(standing.turn.lease)
    context = answering.page_context(shown, _draft_of_turn(shown, stored))
    return answering.in_place(request, reverse("turn", args=[stored.lease]), context)


def _refused(
    work: Work, answer: posted_page.PostedAnswer, refusal: str
) -> posted_page.PostedAnswer:
    """With the editor open if both answers are bad and nothing is written in their place."""
    typed = answer.typed
    if isinstance(answer.given, ComparisonAnswer) and answer.given.is_all_bad:
        typed = posted_page.begin_edit(work=work, typed=typed)
    return replace(answer, typed=typed, refusal=refusal)


def _other_answers(request: HttpRequest, work: Work) -> HttpResponse:
    """Refuses what was posted of answers that are no longer shown: the page with the new ones, and
    the words that were typed.
    """
    stored = _stored_turn(work.lease)
    posted = posted_page.PageInput.of_post(request.POST)
    typed = typed_of_round(posted, round_number=stored.round)
    drafts.save(work, typed.as_draft, version=0, now=timezone.now())
    sentence = turns.other_answers_sentence()
    if answering.is_fragment(request) or stored.state != ConversationTurn.State.READY:
        messages.warning(request, sentence)
        return answering.go_to(request, reverse("turn", args=[work.lease]))
    return answering.page(request, work, replace(typed, notice=sentence), status=422)


def _of_opening(
    request: HttpRequest, lease: uuid.UUID, act: Callable[[HttpRequest, uuid.UUID], HttpResponse]
) -> HttpResponse:
    """Does this with the conversation's opening item; the desk and a sentence if that was given
    away.
    """
    opening = _opening_lease(_stored_turn(lease))
    if opening is None:
        typed = request.POST.get("note") or request.POST.get("question", "")
        edit_conflicts.refuse(
            request, holding.given_away_sentence(), typed=plain_text.storable(typed).strip()
        )
        return answering.go_to(request, reverse("desk"))
    return act(request, opening)


def _refuse_remark(request: HttpRequest, finished: Conversation, remark: str) -> None:
    """Gives back what was said of a conversation that another tab has finished."""
    finished.refresh_from_db()
    typed = "" if remark.strip() == finished.remark else remark.strip()
    edit_conflicts.refuse(request, _("This conversation is finished."), typed=typed)


def _next_number(work: Work, *, unsent: str) -> int:
    """The number of the rater's next message. In the middle of a turn they find there, after what
    they have typed already, the message that could not be sent.
    """
    standing = selectors.standing(work=work, now=timezone.now())
    if standing.phase not in MID_TURN:
        return standing.number
    draft = posted_page.PageInput.of_draft(work.draft)
    typed = _typed(draft, number=standing.number + 1)
    if unsent not in typed:
        text = f"{typed}\n\n{unsent}".strip()
        fields = {**draft.fields, f"text-{standing.number + 1}": [text]}
        kept = replace(draft, fields=fields, revision=draft.revision + 1)
        drafts.save(work, kept.as_draft, version=0, now=timezone.now())
    return standing.number + 1


def _draft_of_turn(work: Work, stored: ConversationTurn) -> posted_page.PageInput:
    draft = posted_page.PageInput.of_draft(work.draft)
    return typed_of_round(draft, round_number=stored.round)


def _page(
    request: HttpRequest,
    work: Work,
    *,
    message_form: MessageForm | None = None,
    finish_form: FinishForm | None = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    standing = selectors.standing(work=work, now=now)
    is_refusal = message_form is not None or finish_form is not None
    if standing.phase == Phase.FINISHED and not is_refusal:
        return answering.go_to(request, reverse("desk"))
    if standing.phase == Phase.RATE and standing.turn is not None and not is_refusal:
        return redirect("turn", standing.turn.lease)
    draft = posted_page.PageInput.of_draft(work.draft)
    today = answering.today_of(work, now=now)
    context = {
        "page": desk_pages.talk_page(work=work, typed=draft, today=today, now=now),
        "title": words.title(standing.phase, number=standing.number),
        "work": "labeling/conversations/desk/_talk.html",
        "standing": standing,
        "place": selectors.place(
            campaign=work.campaign, prompt=work.item.prompt, number=standing.number
        ),
        "lease": work.lease,
        "message_form": message_form
        or MessageForm(
            initial={"number": standing.number, "text": _typed(draft, number=standing.number)}
        ),
        "finish_form": finish_form
        or FinishForm(rated_by=_asked_at_the_end(work), is_main=standing.phase == Phase.END),
        "unsent": message_form if standing.phase != Phase.WRITE else None,
        "is_kept": standing.phase in MID_TURN,
        "topic": work.messages[-1]["content"],
        "attack": (brief := selectors.attack_brief(work=work)),
        "diversity": attacks.own_diversity(rater=work.rater) if brief else None,
        "keys": words.keys(standing.phase),
    }
    if answering.is_fragment(request):
        return answering.in_place(request, reverse("conversation", args=[work.lease]), context)
    return render(request, "labeling/desk/item_page.html", context, status=status)


def _asked_at_the_end(work: Work) -> RatingForm | None:
    return work.form if work.campaign.conversation_plan.rates_end else None


def _typed(draft: posted_page.PageInput, *, number: int) -> str:
    """What the rater has typed of message `number`."""
    return (draft.fields.get(f"text-{number}") or [""])[0]


def _opening(request: HttpRequest, lease: uuid.UUID) -> Work:
    """The opening item that this rater holds or held. Raises Http404."""
    work = desk_access.work(user=request.user, lease=lease)
    if not work.campaign.about.talks:
        raise Http404
    return work


def _turn(request: HttpRequest, lease: uuid.UUID) -> Work:
    """The turn as work for the desk's pages. Raises Http404 unless it is this rater's."""
    work = selectors.turn_work(user_id=request.user.pk or 0, lease=lease)
    if work is None:
        raise Http404
    return work


def _stored_turn(lease: uuid.UUID) -> ConversationTurn:
    return ConversationTurn.objects.select_related("conversation").get(lease=lease)


def _opening_lease(turn: ConversationTurn) -> uuid.UUID | None:
    """None when the conversation was given away."""
    slot = selectors.opening_slot(turn)
    return slot.lease if slot else None


def _address_of(turn: ConversationTurn) -> str:
    """The conversation's page; the desk when it was given away."""
    lease = _opening_lease(turn)
    return reverse("conversation", args=[lease]) if lease else reverse("desk")
