"""Asking models in the playground, and saving their answers. Questions are kept in Redis for an
hour only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.utils.translation import gettext as _

from accounts.models import User
from accounts.refusals import Refusal
from arithmetic.chats import Message
from jobs import messages
from labeling.data import intake
from labeling.models import Prompt
from training.models import TrainedModel
from training.playground import chat_protocol
from training.playground.chat_protocol import Channel, ModelQuestion
from training.processes.completions import Sampling

MAX_MODELS = 2
MAX_TURNS = 200
MAX_CHARACTERS = 200_000

QUESTIONS = messages.Message(
    "training.playground.tasks.answer_question",
    limit=None,
    queue=messages.MODELS,
    otherwise="The person asks again.",
)


class UnableToAskModel(Refusal):
    """The question cannot be asked; the text says what to change."""


@dataclass(frozen=True)
class ChatPart:
    """What one model is asked: its conversation so far, ending with the user's turn."""

    model: TrainedModel
    messages: list[Message]


@dataclass(frozen=True)
class KeptAnswer:
    """A saved answer: the model, its sampling settings, and the original text."""

    model: TrainedModel
    text: str
    sampling: Sampling
    is_ended: bool | None = None


def ask_models(*, parts: Sequence[ChatPart], sampling: Sampling, by: User) -> list[str]:
    """Asks, and returns the ids of the answers in the order of the parts. Raises
    UnableToAskModel.
    """
    if not 1 <= len(parts) <= MAX_MODELS:
        raise UnableToAskModel(_("Choose one or two models."))
    for part in parts:
        if part.model.kind != TrainedModel.Kind.POLICY:
            raise UnableToAskModel(
                _("“%(name)s” is a reward model: it scores responses and writes none.")
                % {"name": part.model}
            )
        _refuse_bad_conversation(part.messages)
    asked = [
        ModelQuestion(uuid4().hex, part.model.pk, part.messages, sampling.as_json())
        for part in parts
    ]
    try:
        with Channel() as channel:
            if not channel.workers():
                raise UnableToAskModel(
                    _("No worker is running for the “models” queue. An operator can start one.")
                )
            question = channel.ask(parts=asked, by=by.pk)
    except chat_protocol.RedisUnavailable as problem:
        raise UnableToAskModel(_("The broker is not responding. Try again later.")) from problem
    if not QUESTIONS.send(question=question):
        raise UnableToAskModel(_("The broker is not responding. Try again later."))
    return [asked_part.answer for asked_part in asked]


def save_demonstration(
    *, prompt: Prompt, text: str, answer: KeptAnswer, by: User, now: datetime
) -> None:
    """Saves the original answer as the model's response, and `text`, which a person may have
    edited, as that person's demonstration.
    """
    assert answer.model.source is not None
    intake.save_demonstration(
        prompt=prompt,
        text=text,
        written=answer.text,
        source=answer.model.source,
        sampling=answer.sampling.as_json(),
        is_ended=answer.is_ended,
        by=by,
        now=now,
    )


def _refuse_bad_conversation(messages: Sequence[Message]) -> None:
    turns = list(messages)
    if turns and turns[0].get("role") == "system":
        turns = turns[1:]
    expected = ["user" if index % 2 == 0 else "assistant" for index in range(len(turns))]
    if not turns or len(turns) % 2 == 0 or [turn.get("role") for turn in turns] != expected:
        raise UnableToAskModel(
            _("The conversation does not end with your message. Start a new conversation.")
        )
    if any(
        not isinstance(turn.get("content"), str) or not turn["content"].strip() for turn in messages
    ):
        raise UnableToAskModel(
            _("A message of the conversation is empty. Start a new conversation.")
        )
    if len(turns) > MAX_TURNS or sum(len(turn["content"]) for turn in messages) > MAX_CHARACTERS:
        raise UnableToAskModel(_("The conversation is too long. Start a new conversation."))
