"""Where a prompt belongs: its cluster of near-duplicates, and with it train, validation or test,
for ever. The one place that decides it, for files, the form, the API and saved conversations.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db import connection
from django.utils.translation import gettext as _

from accounts.refusals import Refusal
from arithmetic.chats import Message, Tool
from labeling.models import Import, Prompt, PromptKey
from labeling.splits import near_duplicates

_KEYS = PromptKey._meta.db_table
_CANDIDATES = 20_000
_ASKED_AT_ONCE = 5_000
# Names the lock that lets one prompt after another find its place.
_LOCK = 0x5371


class UnableToPlace(Refusal):
    """The prompt would belong to two splits at once; the text says what to do."""


@dataclass(frozen=True)
class Place:
    """A new prompt's cluster and split, and what its near-duplicates find it by."""

    cluster: str
    split: str
    sha256: str
    signature: bytes
    keys: frozenset[int]

    def store(self, prompt: Prompt) -> Prompt:
        """Save the prompt that this place was looked for."""
        prompt.cluster, prompt.split = self.cluster, self.split
        prompt.messages_sha256, prompt.signature = self.sha256, self.signature
        prompt.save(force_insert=True)
        store_keys((prompt.pk, key) for key in sorted(self.keys))
        return prompt


def place_of(*, messages: Sequence[Message], tools: Sequence[Tool] = (), wanted: str = "") -> Place:
    """The place of one prompt: that of its near-duplicates, else `wanted`, else by its text. Call
    it in the transaction that creates the prompt. Raises UnableToPlace.
    """
    lock()
    sketch, sha256, placement = _compared(messages, tools)
    sides = _sides(placement, sha256)
    if len(sides) > 1:
        raise UnableToPlace(
            _(
                "This prompt is nearly identical to prompts for %(sides)s, so it fits neither"
                " split. Change its text."
            )
            % {"sides": _(" and ").join(sorted(sides))}
        )
    split = next(iter(sides), wanted or near_duplicates.split_of(_own_cluster(sha256)))
    if wanted and wanted != split:
        raise UnableToPlace(
            _(
                "A nearly identical prompt is in the split %(split)s, and both must stay in the"
                " same one. Choose that split, or let the text decide."
            )
            % {"split": split}
        )
    assert placement.cluster is not None
    return Place(placement.cluster.name, split, sha256, sketch.signature, placement.keys)


def place_of_version(
    *, messages: Sequence[Message], tools: Sequence[Tool] = (), before: Prompt
) -> Place:
    """The place of the next version of a prompt: the same, whatever its text. Raises UnableToPlace
    if only prompts of another split are nearly identical to it.
    """
    lock()
    sketch, sha256, placement = _compared(messages, tools)
    sides = _sides(placement, sha256)
    if sides and before.split not in sides:
        raise UnableToPlace(
            _(
                "With this text the prompt would be nearly identical to prompts for %(sides)s, but"
                " it is for %(split)s. Change the text, or retire this prompt and create another."
            )
            % {"sides": _(" and ").join(sorted(sides)), "split": before.split}
        )
    cluster = before.cluster or _own_cluster(sha256)
    return Place(cluster, before.split, sha256, sketch.signature, placement.keys)


def lock() -> None:
    """Until the end of the transaction, no other prompt is placed: two near-duplicates that came at
    once would not see each other. SQLite writes one transaction at a time anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _compared(
    messages: Sequence[Message], tools: Sequence[Tool]
) -> tuple[near_duplicates.Sketch, str, near_duplicates.Placement]:
    """(sketch, fingerprint, the cluster of its near-duplicates)."""
    [sketch] = near_duplicates.sketches([messages])
    sha256 = near_duplicates.fingerprint(messages, tools)
    return sketch, sha256, neighbourhood([sketch]).place(sketch, _own_cluster(sha256))


def _own_cluster(sha256: str) -> str:
    """The cluster of a prompt that nothing is like."""
    return sha256[:16]


def _sides(placement: near_duplicates.Placement, sha256: str) -> set[str]:
    """The splits of the near-duplicates, and of equal prompts that have no keys yet."""
    near = set(placement.sides)
    if placement.cluster is not None and placement.cluster.is_fixed:
        near.add(placement.cluster.split)
    unkeyed = Prompt.objects.filter(messages_sha256=sha256, keys=None, import_batch=None)
    return near | set(unkeyed.values_list("split", flat=True))


def neighbourhood(
    sketches: Sequence[near_duplicates.Sketch], *, batch: Import | None = None
) -> near_duplicates.Neighbourhood:
    """The stored prompts that share a key with one of `sketches` and are likely to be near
    duplicates. Rows of discarded imports do not count.
    """
    exact = frozenset[int]().union(*(sketch.exact for sketch in sketches))
    asking: dict[int, list[near_duplicates.Sketch]] = {}
    for sketch in sketches:
        for key in sketch.keys:
            asking.setdefault(key, []).append(sketch)
    held: dict[int, list[int]] = {}
    for prompt_id, key in (
        PromptKey.objects.filter(key__in=list(asking))
        .order_by("pk")
        .values_list("prompt_id", "key")
    ):
        held.setdefault(prompt_id, []).append(key)
    neighbours = near_duplicates.Neighbourhood()
    shared: dict[int, list[int]] = {}
    for prompt_id, signature in _signatures(list(held)):
        # Long texts share bands by chance; a hundred thousand of them must not be read and compared
        # word by word.
        keys = held[prompt_id]
        asked = {id(sketch): sketch for key in keys for sketch in asking[key]}.values()
        if not exact.isdisjoint(keys) or any(sketch.may_be_near(signature) for sketch in asked):
            shared[prompt_id] = keys
        else:
            neighbours.unlike.update(keys)
    # The likeliest, in case a template makes everything look alike; in pieces, because SQLite
    # limits parameters.
    likeliest = sorted(shared, key=lambda pk: (exact.isdisjoint(shared[pk]), -len(shared[pk])))[
        :_CANDIDATES
    ]
    rows = [
        row
        for pks in _pieces(likeliest)
        for row in Prompt.objects.filter(pk__in=pks).only("messages", "cluster", "split")
    ]
    clusters = _clusters(batch, rows)
    for row in rows:
        keys = shared[row.pk]
        stored = near_duplicates.remembered(row.messages, exact.intersection(keys))
        neighbours.add(near_duplicates.Member(stored, clusters[row.cluster]), keys)
    return neighbours


def _signatures(pks: list[int]) -> Iterator[tuple[int, bytes]]:
    """Signatures of prompts that no discarded import brought.

    A query of its own: joined to their keys, PostgreSQL scanned every prompt of a large import for
    each batch.
    """
    discarded = set(
        Import.objects.filter(state=Import.State.DISCARDED).values_list("pk", flat=True)
    )
    for some in _pieces(pks):
        rows = (
            Prompt.objects.filter(pk__in=some)
            .order_by("pk")
            .values_list("pk", "import_batch_id", "signature")
        )
        yield from (
            (pk, bytes(signature)) for pk, batch_id, signature in rows if batch_id not in discarded
        )


def store_keys(pairs: Iterable[tuple[int, int]]) -> None:
    """Rows of PromptKey from (prompt, key), about twenty per prompt. As model instances they took
    half of an import's time.
    """
    rows = list(pairs)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            columns = [[prompt for prompt, _key in rows], [key for _prompt, key in rows]]
            cursor.execute(
                f"INSERT INTO {_KEYS} (prompt_id, key) SELECT * FROM unnest(%s::bigint[],"  # noqa: S608
                " %s::bigint[])",
                columns,
            )
        else:
            cursor.executemany(f"INSERT INTO {_KEYS} (prompt_id, key) VALUES (%s, %s)", rows)  # noqa: S608


def _pieces(pks: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(pks), _ASKED_AT_ONCE):
        yield pks[start : start + _ASKED_AT_ONCE]


def _clusters(batch: Import | None, rows: Iterable[Prompt]) -> dict[str, near_duplicates.Cluster]:
    """Clusters by name. A cluster with rows of other origin is fixed: they may be in a snapshot, on
    their side of the split.
    """
    splits = {row.cluster: row.split for row in rows}
    others = Prompt.objects.filter(cluster__in=splits)
    if batch is not None:
        others = others.exclude(import_batch=batch)
    fixed = set(others.values_list("cluster", flat=True).distinct())
    return {
        name: near_duplicates.Cluster(name, name in fixed, split) for name, split in splits.items()
    }
