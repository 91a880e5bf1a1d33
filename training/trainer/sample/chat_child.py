"""One model, kept in memory to be talked to: python -m training.trainer.sample.chat_child MODEL

Reads JSON lines from stdin and writes JSON lines to stdout; whatever else would be printed goes to
stderr.

    in:   {"messages": […], "temperature": …, "top_p": …, "max_new_tokens": …, "seed": …}
          in the middle of an answer: {"stop": true}
    out:  {"ready": true}, then for each question {"thinking": "…"} … {"text": "…"} … and {"end":
    {"is_ended": …, "n_tokens": …, "is_stopped": …}}
          or {"error": "…"}. An error before "ready" is the last line.

It ends when stdin does.
"""

import os
import queue
import sys
import threading
from collections.abc import Callable
from typing import IO, Any

import torch
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    StoppingCriteria,
    StoppingCriteriaList,
)
from transformers.generation.streamers import BaseStreamer

from arithmetic.answer_parts import Stream
from training.processes import json_lines
from training.processes.run_dir import AnticipatedFailure
from training.trainer import data
from training.trainer.__main__ import anticipated
from training.trainer.modeling import chat_template, loading, precision
from training.trainer.sample import generation, response_parts

Say = Callable[[dict[str, object]], None]


class ConversationTooLong(AnticipatedFailure):
    """The conversation is longer than the model's context."""


class _Inbox:
    """Reads stdin in a thread, so that a stop arrives while the model writes."""

    def __init__(self, stream: IO[str]) -> None:
        self.questions: queue.Queue[dict[str, object]] = queue.Queue()
        self.stop = threading.Event()
        # At the end the worker is gone, so this process ends even in the middle of an answer.
        json_lines.listen(stream, on_line=self._take, on_end=lambda: os._exit(0))

    def _take(self, line: dict[str, object]) -> None:
        if line.get("stop"):
            self.stop.set()
        else:
            self.stop.clear()
            self.questions.put(line)


class _TextStreamer(BaseStreamer):
    """Writes the text so far. A character of several tokens waits until it is complete."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, say: Say) -> None:
        self.tokenizer, self.say = tokenizer, say
        self.tokens: list[int] = []
        self.is_prompt = True
        its = chat_template.thinking_of(tokenizer)
        self.parts = Stream(its.tags, is_opened=its.is_opened)

    def put(self, value: torch.Tensor) -> None:
        if self.is_prompt:
            self.is_prompt = False
            return
        self.tokens += value.flatten().tolist()
        text = response_parts.with_tags(self.tokenizer, self.tokens)
        if not text.endswith("\ufffd"):
            self._say_rest(text)

    def end(self) -> None:
        self._say_rest(response_parts.with_tags(self.tokenizer, self.tokens), is_last=True)

    def _say_rest(self, text: str, *, is_last: bool = False) -> None:
        new = self.parts.add(text[len(self.parts.text) :], is_last=is_last)
        if new.thinking:
            self.say({"thinking": new.thinking})
        if new.answer:
            self.say({"text": new.answer})


class _StopRequested(StoppingCriteria):
    """Ends an answer when the event is set."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop

    def __call__(
        self, input_ids: torch.Tensor, scores: torch.Tensor, **_more: object
    ) -> torch.Tensor:
        return torch.full(
            (input_ids.shape[0],), self.stop.is_set(), dtype=torch.bool, device=input_ids.device
        )


def main(folder: str) -> int:
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)

        def say(line: dict[str, object]) -> None:
            json_lines.write(out, line)

        inbox = _Inbox(sys.stdin)
        try:
            tokenizer = loading.load_tokenizer(folder, padding_side="left")
            model = loading.load_policy(folder, tokenizer, precision.dtype("auto")).eval()
        except (AnticipatedFailure, RuntimeError, ValueError, MemoryError, OSError) as error:
            say({"error": _sentence(error)})
            return 1
        say({"ready": True})
        while True:
            try:
                question = inbox.questions.get()
                say({"end": answer(model, tokenizer, question, stop=inbox.stop, say=say)})
            except (AnticipatedFailure, RuntimeError, MemoryError) as error:
                say({"error": _sentence(error)})


@torch.no_grad()
def answer(
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    question: dict[str, Any],
    *,
    stop: threading.Event,
    say: Say,
) -> dict[str, object]:
    """Writes a response as it is sampled, and returns how it ended. Raises ConversationTooLong."""
    asked = {"prompt": question["messages"], "tools": question.get("tools", [])}
    (prompt,) = data.prompts(tokenizer, [asked | {"prompt_id": None}])
    room = _room(model, len(prompt.input_ids))
    settings = generation.config_for(
        model,
        tokenizer,
        max_new_tokens=min(question["max_new_tokens"], room),
        temperature=question["temperature"],
        top_p=question["top_p"],
    )
    torch.manual_seed(question["seed"]) if question.get("seed") is not None else torch.seed()
    ids = torch.tensor([prompt.input_ids], device=model.device)  # (1, T)
    streamer = _TextStreamer(tokenizer, say)
    with generation.unadvised(model):
        model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            generation_config=settings,
            streamer=streamer,
            stopping_criteria=StoppingCriteriaList([_StopRequested(stop)]),
        )
    kept, is_ended = generation.until_end(streamer.tokens, set(settings.eos_token_id))
    return {
        "is_ended": is_ended,
        "n_tokens": len(kept),
        "is_stopped": stop.is_set() and not is_ended,
    }


def _room(model: PreTrainedModel, n_tokens: int) -> int:
    """How many tokens the model can generate after a prompt of this length."""
    longest = getattr(model.config, "max_position_embeddings", None) or 1_000_000
    if n_tokens >= longest:
        raise ConversationTooLong(
            f"The conversation has {n_tokens} tokens, but the model's context length is"
            f" {longest}. Start a new one."
        )
    return int(longest) - n_tokens


def _sentence(error: BaseException) -> str:
    sentence = anticipated(error)
    return sentence or f"The model could not be used ({type(error).__name__}: {str(error)[:200]})."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
