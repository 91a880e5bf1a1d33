"""What the guides tell an operator to type, as commands."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
WHOLE = ("docs/operators.md", "docs/scale.md", "docs/configuration.md", "deploy/chart/README.md")
PARTLY = {"README.md": ("For a team",)}
"""Guides for others too, by the sections that an operator follows."""
SHELL = {"set", "PATH", "cd"}
PROGRAMS = {
    *("celery", "cp", "curl", "docker", "git", "gunicorn", "helm", "install", "journalctl"),
    *("kubectl", "ln", "pip", "preferably", "python", "python3.11", "runuser", "sed"),
    *("systemctl", "tensorboard", "useradd"),
}
NO_COMMANDS = {
    # A block's first line → the test that reads the block.
    "label.example.org {": "test_units.py",
    "upstream preferably {": "test_units.py",
    "client_max_body_size 32m;": "",  # nginx is not among what can be installed here
    "PREFERABLY_OIDC_COMPANY_URL=https://login.example.org/realms/staff": (
        "test_single_sign_on.py"
    ),
    "PREFERABLY_OIDC_COMPANY_ROLES=label-admins=admin,ml-team=researcher,labelers=rater": (
        "test_single_sign_on.py"
    ),
    "PREFERABLY_SECOND_FACTOR_ROLES=admin,researcher": "test_guides.py",
    "IMAGE_TAG=0.1.0": "test_compose.py",
    "scrape_configs:": "tests/training/operations/test_guide.py",
    "[databases]": "tests/config/database/test_pooler.py",
    "[pgbouncer]": "tests/config/database/test_pooler.py",
    "ingress:": "test_guides.py",
    "FROM preferably-node:latest": "test_images.py",
}


@dataclass(frozen=True)
class Block:
    """Lines that stand apart, or a command within a sentence."""

    guide: str
    section: str
    text: str
    is_apart: bool = True

    @property
    def is_typed(self) -> bool:
        return program(self.commands[0]) in PROGRAMS | SHELL

    @property
    def commands(self) -> list[str]:
        """Each line, without its comment, and with what follows a backslash."""
        joined = re.sub(r"\\\n\s*", "", self.text)
        return [re.sub(r"(?:^|\s+)# .*", "", line) for line in joined.splitlines() if line]


@dataclass(frozen=True)
class Command:
    block: Block
    line: str

    @property
    def words(self) -> list[str]:
        """Without settings of this one command before it, and without a pipe after it."""
        words = shlex.split(self.line.partition(" | ")[0])
        while len(words) > 1 and re.match(r"[A-Z_]+=", words[0]):
            words.pop(0)
        return words

    def __str__(self) -> str:
        return f"{self.block.guide} {self.block.section}: {self.line}"


def program(line: str) -> str:
    words = [word for word in line.split() if not re.match(r"[A-Z_]+=", word)]
    first = (words or [line.partition("=")[0]])[0]
    return first.rpartition("/")[2] if first.startswith("/") else first


@cache
def blocks() -> tuple[Block, ...]:
    """Of all guides, in their order."""
    return tuple(block for guide in (*WHOLE, *PARTLY) for block in _blocks(guide))


def commands() -> list[Command]:
    return [Command(block, line) for block in blocks() if block.is_typed for line in block.commands]


def section(title: str, guide: str = "docs/operators.md") -> list[Block]:
    """What is typed in it, in its order."""
    there = (guide, title)
    return [one for one in blocks() if (one.guide, one.section) == there and one.is_typed]


def _blocks(guide: str) -> Iterator[Block]:
    for title, text in _sections((ROOT / guide).read_text()):
        if title in PARTLY.get(guide, (title,)):
            for paragraph in re.split(r"\n(?:```)?\n|\n(?=```)", text):
                yield from _in_paragraph(guide, title, paragraph.strip("\n"))


def _sections(text: str) -> Iterator[tuple[str, str]]:
    parts = re.split(r"^##+ (.*)$", f"## \n{text}", flags=re.MULTILINE)
    yield from zip(parts[1::2], parts[2::2], strict=True)


def _in_paragraph(guide: str, title: str, paragraph: str) -> Iterator[Block]:
    if paragraph.startswith(("    ", "```sh\n")):
        lines = paragraph.removeprefix("```sh\n").removesuffix("\n```").splitlines()
        indent = min(len(line) - len(line.lstrip()) for line in lines)
        yield Block(guide, title, "\n".join(line[indent:] for line in lines))
    elif not paragraph.startswith(("|", "<!--", "```")):
        for span in re.findall(r"`([^`]+)`", paragraph):
            # Two words name a command: "with `helm upgrade`".
            if program(span) in PROGRAMS and len(span.split()) > 2:
                yield Block(guide, title, " ".join(span.split()), is_apart=False)
