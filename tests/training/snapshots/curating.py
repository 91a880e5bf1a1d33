"""Documents for recipes, with planted faults."""

import json
import random

from django.core.files.uploadedfile import SimpleUploadedFile

from training.snapshots.pretraining.documents import Document

_WORDS = (
    "river stone lamp garden letter winter bridge cloud engine paper island forest mirror ladder"
    " pepper copper ribbon castle basket hammer"
)
WORDS = _WORDS.split()
EMAIL = "anna.k@posteo.net"


def text_of(seed: int) -> str:
    rng = random.Random(seed)
    return " ".join(rng.choice(WORDS) for _ in range(60)) + "."


def documents() -> list[Document]:
    """40 good ones; one with an address; and a copy."""
    made = [Document(text_of(n), "s") for n in range(40)]
    return [*made, Document(f"{text_of(90)} {EMAIL}", "s"), Document(text_of(3).upper(), "s")]


def upload_of(*given: Document) -> SimpleUploadedFile:
    lines = [json.dumps({"text": one.text, "source": one.source}) + "\n" for one in given]
    return SimpleUploadedFile("x.jsonl", "".join(lines).encode())
