"""All samples of what other tools and published sets write, and what they must become.

The files beside are named as the modules. A sample's name is followed by what Import file makes of
it (“>”) and by every problem that it reports (“!”, a part of the sentence); then the same of Import
answers (“A” and “?”). “A same” stands for the same as Import file. Without either, Import answers
must ask who answered.
"""

from dataclasses import dataclass, field
from pathlib import Path

from tests.labeling.importers.peers import (
    arenas,
    containers,
    evaluations,
    instruction_sets,
    labeling_tools,
    preference_sets,
    training_files,
)

_FOLDER = Path(__file__).parent / "expected"
_MODULES = {
    "labeling_tools": labeling_tools.PEERS,
    "preference_sets": preference_sets.PEERS,
    "arenas": arenas.PEERS,
    "training_files": training_files.PEERS,
    "instruction_sets": instruction_sets.PEERS,
    "evaluations": evaluations.PEERS,
    "containers": containers.PEERS,
}
WHO_ANSWERED = "No column says who answered."


@dataclass
class Expected:
    drafts: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass
class Peer:
    content: bytes
    file: Expected = field(default_factory=Expected)
    answers: Expected = field(default_factory=Expected)


def _peers() -> dict[str, Peer]:
    peers: dict[str, Peer] = {}
    for name, contents in _MODULES.items():
        expected = _expected((_FOLDER / f"{name}.txt").read_text(encoding="utf-8"))
        assert list(expected) == list(contents)
        for sample, (file, answers) in expected.items():
            peers[sample] = Peer(contents[sample], file, answers)
    return peers


def _expected(text: str) -> dict[str, tuple[Expected, Expected]]:
    samples: dict[str, tuple[Expected, Expected]] = {}
    for line in text.splitlines():
        mark, _space, words = line.partition(" ")
        if mark == "==":
            file, answers = samples[words] = Expected(), Expected()
        elif line == "A same":
            answers.drafts, answers.problems = file.drafts, file.problems
        elif line:
            part = file if mark in ">!" else answers
            (part.drafts if mark in ">A" else part.problems).append(words)
    for _file, answers in samples.values():
        if not answers.drafts and not answers.problems:
            answers.problems.append(WHO_ANSWERED)
    return samples


PEERS = _peers()
