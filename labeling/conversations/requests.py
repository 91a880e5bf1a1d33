"""The door for those who answer turns: claim requests, keep the claim, answer or give up. What a
model is, nobody here knows: a request names a source.

A claim that lapses can be claimed again. Every write names its attempt, so a late answer of an
earlier claim is refused, and each place of a turn gets one answer.
"""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils.translation import gettext as _

from arithmetic.chats import Message
from jobs import guard
from labeling.conversations import draws, rounds
from labeling.models import ConversationTurn, ItemResponse, Prompt, Response, TurnRequest

CLAIM_S = 30
"""How long a claim lasts without `keep`."""
MAX_ATTEMPTS = 2
"""How often one source is asked before another one is."""
MAX_CHARACTERS = 20_000
"""A longer answer is refused: nobody can read two of them and compare."""

State = TurnRequest.State


@dataclass(frozen=True)
class Claimed:
    """A request that the caller may answer, as long as this attempt is the latest."""

    pk: int
    attempt: int
    source_id: int
    messages: list[Message]
    sampling: dict[str, object]


def waiting_turns(*, now: datetime) -> list[int]:
    """Turns with requests that can be claimed, longest waiting first."""
    turns = _claimable(now).order_by("created_at", "pk").values_list("turn_id", flat=True)
    return list(dict.fromkeys(turns))


def claim(*, turn_id: int, now: datetime) -> list[Claimed]:
    """The turn's requests that nobody answers at the moment, claimed. Empty if there are none, so
    that ringing twice does no harm.
    """
    claimed = []
    waiting = _claimable(now).filter(turn=turn_id).select_related("turn__prompt")
    for request in waiting.order_by("place"):
        if request.attempt >= MAX_ATTEMPTS:
            give_up(
                pk=request.pk, attempt=request.attempt, error=_("The worker was lost."), now=now
            )
            continue
        mine = TurnRequest.objects.filter(
            pk=request.pk, attempt=request.attempt, state=request.state
        ).update(
            state=State.CLAIMED,
            attempt=request.attempt + 1,
            expires_at=now + timedelta(seconds=CLAIM_S),
        )
        if mine == 1:
            claimed.append(
                Claimed(
                    pk=request.pk,
                    attempt=request.attempt + 1,
                    source_id=request.source_id,
                    messages=list(request.turn.prompt.messages),
                    sampling=dict(request.sampling),
                )
            )
    return claimed


def keep(*, pk: int, attempt: int, now: datetime) -> bool:
    """Keep the claim for another CLAIM_S. False when the answer is not wanted any more."""
    expires_at = now + timedelta(seconds=CLAIM_S)
    return guard.update_one(_mine(pk, attempt), expires_at=expires_at)


def answer(
    *,
    pk: int,
    attempt: int,
    text: str,
    is_ended: bool | None,
    now: datetime,
    reasoning_content: str = "",
) -> bool:
    """Store the answer. When it is the turn's last, all of them become visible at once. False when
    it was not stored: the claim has lapsed, or the text cannot be shown.
    """
    text = _printable(text)
    if problem := _problem(text):
        give_up(pk=pk, attempt=attempt, error=problem, now=now)
        return False
    with transaction.atomic():
        request = _locked(pk=pk, attempt=attempt)
        if request is None:
            return False
        request.response = _stored(
            request,
            text=text,
            reasoning_content=_printable(reasoning_content),
            is_ended=is_ended,
            now=now,
        )
        request.state, request.expires_at, request.ended_at = State.ANSWERED, None, now
        request.save(update_fields=["response", "state", "expires_at", "ended_at"])
        _show_when_whole(request.turn, now=now)
    return True


def give_up(*, pk: int, attempt: int, error: str, now: datetime) -> bool:
    """The source did not answer. It is asked once more, then another source is, then the turn has
    failed. False when the claim has lapsed.
    """
    with transaction.atomic():
        request = _locked(pk=pk, attempt=attempt)
        if request is None:
            return False
        request.error, request.expires_at = error, None
        is_asked_again = request.attempt < MAX_ATTEMPTS
        request.state = State.QUEUED if is_asked_again else State.FAILED
        request.ended_at = None if is_asked_again else now
        request.save(update_fields=["error", "expires_at", "state", "ended_at"])
        if not is_asked_again:
            _ask_another(request, now=now)
        rounds.TURNS.wake_on_commit(request.turn_id)
    return True


def _claimable(now: datetime) -> QuerySet[TurnRequest]:
    """A claim that ends later than one made now was made before the clock was set back."""
    latest = now + timedelta(seconds=CLAIM_S)
    is_claimed = Q(state=State.CLAIMED, expires_at__gt=now, expires_at__lte=latest)
    return TurnRequest.objects.filter(Q(state__in=(State.QUEUED, State.CLAIMED)) & ~is_claimed)


def _mine(pk: int, attempt: int) -> QuerySet[TurnRequest]:
    return TurnRequest.objects.filter(pk=pk, attempt=attempt, state=State.CLAIMED)


def _locked(*, pk: int, attempt: int) -> TurnRequest | None:
    """The claimed request, after locking its turn: of two last answers, the second one sees the
    first. None when the claim is not the latest.
    """
    turns = ConversationTurn.objects.filter(requests=pk)
    turn = turns.select_for_update(of=("self",)).first()
    request = _mine(pk, attempt).select_related("turn__prompt").first()
    if turn is None or request is None:
        return None
    request.turn = turn
    return request


def _printable(text: str) -> str:
    """Without control characters, of which PostgreSQL refuses one and pages show none."""
    return "".join(
        character
        for character in text
        if character in "\t\n\r" or unicodedata.category(character) != "Cc"
    )


def _problem(text: str) -> str:
    if not any(
        unicodedata.category(character)[0] in "LMNPS" for character in text
    ):  # only spaces, or unseen
        return _("The answer was empty.")
    if len(text) > MAX_CHARACTERS:
        return _("The answer was longer than %(n)s characters.") % {"n": MAX_CHARACTERS}
    return ""


def _stored(
    request: TurnRequest,
    *,
    text: str,
    reasoning_content: str,
    is_ended: bool | None,
    now: datetime,
) -> Response:
    prompt_id = request.turn.prompt_id
    # One number at a time: an opening may be answered for several raters at once.
    Prompt.objects.select_for_update(no_key=True).get(pk=prompt_id)
    own = Response.objects.filter(prompt=prompt_id, source=request.source_id)
    last = own.aggregate(last=Max("number"))["last"]
    return Response.objects.create(
        prompt_id=prompt_id,
        source_id=request.source_id,
        text=text,
        reasoning_content=reasoning_content,
        number=0 if last is None else last + 1,
        sampling=request.sampling,
        is_ended=is_ended,
        created_at=now,
    )


def _show_when_whole(turn: ConversationTurn, *, now: datetime) -> None:
    answered = TurnRequest.objects.filter(
        turn=turn, round=turn.round, state=State.ANSWERED, response__isnull=False
    )
    responses = list(answered.order_by("response").values_list("response_id", flat=True))
    if turn.state != ConversationTurn.State.WAITING or len(responses) < turn.n_answers:
        return
    ItemResponse.objects.bulk_create(
        ItemResponse(item_id=turn.item_id, response_id=pk) for pk in responses if pk is not None
    )
    ConversationTurn.objects.filter(pk=turn.pk).update(
        state=ConversationTurn.State.READY, answered_at=now
    )


def _ask_another(failed: TurnRequest, *, now: datetime) -> None:
    """Ask a source that has not failed at this place. With none left, the turn has failed."""
    turn = failed.turn
    tried = TurnRequest.objects.filter(turn=turn, round=failed.round, place=failed.place)
    share = draws.another(
        rounds.shares_of(turn=turn),
        tried=list(tried.values_list("source_id", flat=True)),
        seed=f"{turn.seed}:{failed.round}:{failed.place}:{failed.draw}",
    )
    if share is not None:
        rounds.ask(turn=turn, shares={failed.place: share}, draw=failed.draw + 1, now=now)
        return
    rounds.drop_requests(turn=turn, now=now)
    ConversationTurn.objects.filter(pk=turn.pk, state=ConversationTurn.State.WAITING).update(
        state=ConversationTurn.State.FAILED
    )
