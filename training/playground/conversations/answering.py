"""The worker's side of conversations: claims a turn's requests through labeling's door, and answers
them in parallel with the models behind their sources.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from arithmetic import answer_parts
from labeling.conversations import requests
from labeling.conversations.requests import Claimed
from training.models import TrainedModel
from training.playground import answers
from training.playground.chat_protocol import ModelQuestion
from training.processes import completions

KEEP_S = requests.CLAIM_S / 6
"""How often a claim is kept while an answer is written."""


@dataclass
class _Claim:
    """The audience of an answer: keeps its claim as long as the answer is wanted."""

    claimed: Claimed
    kept_at: float = field(default_factory=time.monotonic)
    is_wanted: bool = True

    def keep_alive(self, *, answer: str) -> bool:
        if self.is_wanted and time.monotonic() - self.kept_at >= KEEP_S:
            self.kept_at = time.monotonic()
            self.is_wanted = requests.keep(
                pk=self.claimed.pk, attempt=self.claimed.attempt, now=timezone.now()
            )
        return self.is_wanted


@dataclass(frozen=True)
class _Written:
    text: str
    is_ended: bool | None
    thinking: str = ""


def answer_turn(*, turn_id: int) -> None:
    """Answers what the turn still waits for. Safe to run twice: a request is claimed once."""
    claimed = requests.claim(turn_id=turn_id, now=timezone.now())
    if not claimed:
        return
    connection.close()
    with ThreadPoolExecutor(len(claimed)) as pool:
        list(pool.map(_answer, claimed))


def _answer(claimed: Claimed) -> None:
    about = {"pk": claimed.pk, "attempt": claimed.attempt}
    try:
        written = _written(claimed)
        if written is not None:
            requests.answer(
                **about,
                text=written.text,
                reasoning_content=written.thinking,
                is_ended=written.is_ended,
                now=timezone.now(),
            )
    except (answers.UnableToAnswer, completions.CompletionFailed) as problem:
        requests.give_up(**about, error=str(problem), now=timezone.now())
    finally:
        connection.close()


def _written(claimed: Claimed) -> _Written | None:
    """The whole answer; None when it is not wanted any more. Raises UnableToAnswer and
    CompletionFailed.
    """
    model = TrainedModel.objects.filter(source=claimed.source_id).first()
    target = answers.find_target(model)
    question = ModelQuestion(
        answer=str(claimed.pk),
        model=model.pk if model else 0,
        messages=claimed.messages,
        sampling=claimed.sampling,
    )
    # Writing takes long, and needs no connection between two writes.
    connection.close()
    claim, text, thinking = _Claim(claimed), "", ""
    for kind, data in answers.events(question, target, claim):
        if kind == "text":
            text += data["text"]
            if len(text) > requests.MAX_CHARACTERS:
                break  # the door refuses it with a sentence
        elif kind == "thinking":
            thinking += data["thinking"]
        elif kind == "end":
            written = _parts(text, thinking, is_ended=data["is_ended"])
            return _ended(claim, written, is_stopped=data["is_stopped"])
    return _parts(text, thinking, is_ended=False)


def _parts(text: str, thinking: str, *, is_ended: bool | None) -> _Written:
    """A server's template may have opened a thinking part that only the whole text shows."""
    parts = answer_parts.split_unknown(text)
    both = "\n\n".join(filter(None, (thinking.strip(), parts.thinking)))
    return _Written(parts.answer, is_ended, both)


def _ended(claim: _Claim, written: _Written, *, is_stopped: bool) -> _Written | None:
    if not is_stopped:
        return written
    if not claim.is_wanted:
        return None
    raise answers.UnableToAnswer(
        _("The answer took longer than %(n)s seconds and was stopped.")
        % {"n": settings.TRY_LIMIT_S}
    )
