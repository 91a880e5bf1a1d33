"""What other tools and published sets write is read right, asked about or refused: never in silence
as something else.
"""

import pytest

from labeling.importers.drafts import ImportDraft
from tests.labeling.importers.peers.line import line_of
from tests.labeling.importers.peers.reading import Read, read_answers, read_file
from tests.labeling.importers.peers.samples import PEERS, Expected, Peer
from tests.labeling.importers.peers.texts import BAD

every_peer = pytest.mark.parametrize("peer", PEERS.values(), ids=PEERS)


def test_there_are_at_least_110_samples() -> None:
    assert len({peer.content for peer in PEERS.values()}) >= 110


@every_peer
def test_import_file_reads_what_the_file_says(peer: Peer) -> None:
    assert differences(read_file(peer.content), peer.file) == []


@every_peer
def test_import_answers_reads_what_the_file_says_or_asks(peer: Peer) -> None:
    assert differences(read_answers(peer.content), peer.answers) == []


def differences(read: Read, expected: Expected) -> list[str]:
    """Drafts that are not the expected ones, problems that are not said, and others that are."""
    drafts, problems = list(map(line_of, read[0])), read[1]
    unsaid = [
        words for words in expected.problems if not any(words in problem for problem in problems)
    ]
    more = [
        problem for problem in problems if not any(words in problem for words in expected.problems)
    ]
    return [*(set(drafts) ^ set(expected.drafts)), *unsaid, *more] or (
        drafts if drafts != expected.drafts else []
    )


@every_peer
def test_what_a_file_calls_bad_never_becomes_good(peer: Peer) -> None:
    for drafts, _problems in (read_file(peer.content), read_answers(peer.content)):
        assert [line_of(draft) for draft in drafts if is_praise(draft)] == []


def is_praise(draft: ImportDraft) -> bool:
    """Whether the bad answer is a demonstration, or better than another one."""
    ranks = [reply.rank for reply in draft.replies if reply.rank is not None]
    bad = [reply for reply in draft.replies if reply.text.strip() == BAD]
    return any(
        reply.is_human or (reply.rank or max(ranks, default=0)) < max(ranks, default=0)
        for reply in bad
    )


@every_peer
def test_a_file_of_which_nothing_is_read_says_why(peer: Peer) -> None:
    for drafts, problems in (read_file(peer.content), read_answers(peer.content)):
        assert drafts or problems
