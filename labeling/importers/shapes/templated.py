"""Conversations written into one text with a chat template's marks: ChatML, guanaco,
HelpSteer and HH.

A text in another template is refused: as a prompt it would contain its own answer.
"""

import re

from django.utils.translation import gettext as _

from labeling.importers.drafts import Message, Unusable, conversation

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
_OTHER = ("[INST]", "<<SYS>>", "<|start_header_id|>", "<start_of_turn>", "<|user|>", "<|system|>")


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
    elif start.startswith(_OTHER):
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
