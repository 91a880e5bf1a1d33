"""Conversations written into one text with a chat template's marks: ChatML, guanaco,
HelpSteer, HH, Alpaca and Vicuna.

A text in another template is refused: as a prompt it would contain its own answer.
"""

import re

from django.utils.translation import gettext as _

from arithmetic.chats import Message
from labeling.importers.drafts import Unusable
from labeling.importers.messages import conversation

_CHATML = re.compile(r"<\|im_start\|>[ \t]*(\w+)[ \t]*\n?(.*?)(?:<\|im_end\|>|\Z)", re.DOTALL)
_GUANACO = re.compile(r"(?:^|\n)### ?(Human|Assistant|System): ?")
_HH = re.compile(r"(?:^|\n\n)(Human|Assistant):[ ]?")
_HELPSTEER = re.compile(r"\n?<extra_id_1>(User|Assistant)\n?")
_ROLES = {
    "human": "user",
    "assistant": "assistant",
    "system": "system",
    "user": "user",
    "developer": "system",
}
_START = re.compile(r"\s*(?:<s>|<\|begin_of_text\|>|<bos>|<\|endoftext\|>)?\s*")
_ALPACA = re.compile(r"(?:^|\n)### ?(Instruction|Input|Response): *\n?")
_VICUNA = re.compile(r"(?:^|\s|</s>)(USER|ASSISTANT): ?")
_SAID = re.compile(
    r"(?:user|question|q|instruct|instruction|input|human):.*\n[ \t]*"
    r"(?:assistant|answer|a|output|response|ai|bot):[ \t]*\S[^\n]*"
    r"(?:\n(?![ \t]*\w{1,20}:)[^\n]*)*\Z",
    re.IGNORECASE | re.DOTALL,
)
"""A text of questions and answers that ends with an answer."""
_OTHER: tuple[str, ...] = (
    "[INST]",
    "<<SYS>>",
    "<|start_header_id|>",
    "<start_of_turn>",
    "<|user|>",
    "<|system|>",
    "<|start|>",
)
_OTHER += ("<|START_OF_TURN_TOKEN|>", "<｜User｜>", "<|role_start|>", "<|start_of_role|>")


def _of_alpaca(text: str) -> list[tuple[str, str]]:
    """What comes before the instruction is for the model, and the input belongs to it."""
    before, *parts = _ALPACA.split(text)
    turns = [("system", before)] if before.strip() else []
    for kind, content in zip(parts[::2], parts[1::2], strict=True):
        if kind == "Input" and turns and turns[-1][0] == "user":
            turns[-1] = ("user", f"{turns[-1][1].strip()}\n\n{content.strip()}".strip())
        elif kind != "Response" or content.strip():
            turns.append(("assistant" if kind == "Response" else "user", content))
    return turns


def messages_in(text: str, name: str) -> tuple[Message, ...] | None:
    """The turns of a templated text; None if it has no template. Raises Unusable."""
    start = text[_START.match(text).end() :]  # type: ignore[union-attr]
    if start.startswith("<|im_start|>"):
        turns = [(role, content) for role, content in _CHATML.findall(start)]
        # An open turn of the assistant at the end only asks for the reply.
        if turns[-1:] and turns[-1][0] == "assistant" and not turns[-1][1].strip():
            turns.pop()
    elif _GUANACO.match(start) and len(_GUANACO.findall(start)) > 1:
        _before, *parts = _GUANACO.split(start)
        turns = list(zip(parts[::2], parts[1::2], strict=True))
    elif start.startswith("Human:") and "\n\nAssistant:" in start:
        _before, *parts = _HH.split(start)
        turns = list(zip(parts[::2], parts[1::2], strict=True))
        if turns[-1][0] == "Assistant" and not turns[-1][1].strip():
            turns.pop()
    elif _HELPSTEER.search(text):
        first, *parts = _HELPSTEER.split(text)
        turns = [("user", first), *zip(parts[::2], parts[1::2], strict=True)]
        if turns[-1][0] == "Assistant" and not turns[-1][1].strip():
            turns.pop()
    elif "\n### Response:" in text and _ALPACA.search(text):
        turns = _of_alpaca(text)
    elif _VICUNA.match(start) or start.startswith("A chat between a curious"):
        if len(_VICUNA.findall(start)) < 2:
            return None
        system, *parts = _VICUNA.split(start.removesuffix("</s>"))
        turns = [("system", system)] if system.strip() else []
        turns += zip(parts[::2], (part.removesuffix("</s>") for part in parts[1::2]), strict=True)
        if turns[-1][0] == "ASSISTANT" and not turns[-1][1].strip():
            turns.pop()
    elif start.startswith(_OTHER) or (name == "text" and _SAID.match(start)):
        sentence = _(
            "`%(name)s` is written in a model's chat template. Export it as `messages` with roles."
        )
        raise Unusable(sentence % {"name": name})
    else:
        return None
    return conversation(
        [
            {"role": _ROLES.get(role.lower(), role), "content": content.strip()}
            for role, content in turns
        ],
        name,
    )
