"""Writes one batch of an import: prompts in their clusters, responses, and judgments."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.db import connection, transaction
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from labeling.data.imports.answers.writer import AnswerWriter, Given, judged_replies
from labeling.importers.drafts import ImportDraft, ImportProblem, Reply
from labeling.kinds.choices import Answer
from labeling.models import (
    Comparison,
    Demonstration,
    Import,
    Item,
    ItemResponse,
    Judgment,
    Prompt,
    PromptKey,
    RankedResponse,
    Rater,
    Response,
    Slot,
    Source,
)
from labeling.splits import near_duplicates, places

COUNTED = (
    "prompts",
    "responses",
    "demonstrations",
    "comparisons",
    "duplicates",
    "repeated_judgments",
    "problems",
)
_INDEXED_AT_ONCE = 200
MAX_WORKER = 40
_CHANGED = ["cluster", "signature"]
_FILLED = (
    Prompt,
    PromptKey,
    Response,
    Rater,
    Judgment,
    Demonstration,
    Comparison,
    RankedResponse,
    Item,
    ItemResponse,
    Slot,
)
"""Tables that an import writes to; the last three if its answers become a campaign."""


@dataclass(frozen=True)
class PreparedDraft:
    """A draft with everything that takes time to compute and needs no database."""

    draft: ImportDraft
    sha256: str
    sketch: near_duplicates.Sketch


def prepare(drafts: Sequence[ImportDraft]) -> list[PreparedDraft]:
    sketches = near_duplicates.sketches([d.messages for d in drafts], [d.group for d in drafts])
    return [
        PreparedDraft(d, near_duplicates.fingerprint(d.messages, d.tools), s)
        for d, s in zip(drafts, sketches, strict=True)
    ]


def write(
    *,
    batch: Import,
    prepared: Sequence[PreparedDraft],
    answers: AnswerWriter | None = None,
    now: datetime,
) -> tuple[dict[str, int], list[ImportProblem]]:
    """Write one batch inside the caller's transaction. Returns how many rows of each kind, and the
    drafts left out with the reason. With `answers`, judgments go into a campaign.
    """
    counts = dict.fromkeys(COUNTED, 0)
    if not prepared:
        return counts, []
    prompts, problems = _prompts(batch, prepared, counts, now)
    placed = [(p.draft, prompts[p.sha256]) for p in prepared if p.sha256 in prompts]
    responses = _responses(batch, placed, counts, now)
    if answers is not None:
        answers.write(_given(batch, placed, responses, now), counts)
    elif batch.with_judgments:
        _judgments(batch, placed, responses, counts, now)
    return counts, problems


def alias_prefix(batch: Import) -> str:
    return f"import-{batch.pk}-"


def update_statistics() -> None:
    """Tell PostgreSQL's planner how many rows the tables of an import have now.

    Autovacuum does so a minute or more later. Until then, tables emptied by a discarded import
    count as empty, and reading the rankings of the next import took minutes.
    """
    if connection.vendor == "postgresql":
        tables = ", ".join(model._meta.db_table for model in _FILLED)
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {tables}")


def index_unkeyed_prompts(*, is_alive: Callable[[], None]) -> None:
    """Add keys, and a cluster if missing, to prompts that did not come from an import."""
    while strays := list(
        Prompt.objects.filter(keys=None, import_batch=None).order_by("pk")[:_INDEXED_AT_ONCE]
    ):
        sketches = near_duplicates.sketches([prompt.messages for prompt in strays])
        with transaction.atomic():
            for prompt, sketch in zip(strays, sketches, strict=True):
                digest = near_duplicates.fingerprint(prompt.messages, prompt.tools)
                prompt.cluster = prompt.cluster or digest[:16]
                prompt.signature = sketch.signature
            Prompt.objects.bulk_update(strays, _CHANGED)
            places.store_keys(
                (p.pk, key)
                for p, sketch in zip(strays, sketches, strict=True)
                for key in sorted(sketch.keys)
            )
            is_alive()


def _prompts(
    batch: Import, prepared: Sequence[PreparedDraft], counts: dict[str, int], now: datetime
) -> tuple[dict[str, Prompt], list[ImportProblem]]:
    """Prompts by fingerprint, including existing ones, and problems for those that fit on neither
    side of the split.
    """
    places.lock()
    known = _known_prompts(batch, {p.sha256 for p in prepared})
    fresh = list({p.sha256: p for p in reversed(prepared) if p.sha256 not in known}.values())[::-1]
    neighbourhood = places.neighbourhood([entry.sketch for entry in fresh], batch=batch)
    homeless: dict[str, str] = {}
    sources = _sources(batch, {entry.draft.source for entry in fresh}, now)
    new: list[tuple[Prompt, near_duplicates.Placement]] = []
    for entry in fresh:
        placement = neighbourhood.place(entry.sketch, entry.sha256[:16])
        _keep_split(placement, entry)
        if placement.cluster is None:
            homeless[entry.sha256] = _(" and ").join(placement.sides)
        else:
            new.append((_prompt(batch, entry, sources[entry.draft.source], now), placement))
    # One problem for each line: lines with the same prompt may hold different answers.
    problems = [
        ImportProblem(entry.draft.line, _homeless(homeless[entry.sha256], entry.draft))
        for entry in prepared
        if entry.sha256 in homeless
    ]
    counts["duplicates"] = len(prepared) - len(new) - len(problems)
    for prompt, placement in new:
        if placement.cluster is not None:
            root = placement.cluster.root()
            prompt.cluster, prompt.split = root.name, root.split
    created = Prompt.objects.bulk_create([prompt for prompt, _placement in new])
    places.store_keys(
        (prompt.pk, key)
        for prompt, (_p, placement) in zip(created, new, strict=True)
        for key in sorted(placement.keys)
    )
    _rename(batch, (cluster for _prompt, placement in new for cluster in placement.merged))
    counts["prompts"] = len(created)
    return known | {prompt.messages_sha256: prompt for prompt in created}, problems


def _keep_split(placement: near_duplicates.Placement, prepared: PreparedDraft) -> None:
    """A prompt that nothing here is like keeps the split it had on another site."""
    cluster = placement.cluster
    if cluster is not None and prepared.draft.split in Prompt.Split:
        root = cluster.root()
        if root.name == prepared.sha256[:16] and not root.is_fixed:
            root.split = prepared.draft.split


def _homeless(sides: str, draft: ImportDraft) -> str:
    sentence = _(
        "This prompt is nearly identical to prompts for %(sides)s, so it fits neither split. It is"
        " skipped."
    )
    with_answers = _(
        "This prompt is nearly identical to prompts for %(sides)s, so it fits neither split. It is"
        " skipped, with the answers in this line."
    )
    return (with_answers if draft.replies else sentence) % {"sides": sides}


def _known_prompts(batch: Import, sha256s: set[str]) -> dict[str, Prompt]:
    seen = (
        Q(import_batch=None) | Q(import_batch__state=Import.State.PUBLISHED) | Q(import_batch=batch)
    )
    rows = Prompt.objects.filter(seen, messages_sha256__in=sha256s, retired_at=None).order_by("-pk")
    return {prompt.messages_sha256: prompt for prompt in rows}


def _prompt(batch: Import, prepared: PreparedDraft, source: Source, now: datetime) -> Prompt:
    return Prompt(
        messages=list(prepared.draft.messages),
        tools=list(prepared.draft.tools),
        messages_sha256=prepared.sha256,
        source=source,
        origin=_origin(batch, prepared.draft),
        licence=prepared.draft.licence or batch.licence,
        category=prepared.draft.category,
        language=prepared.draft.language,
        sensitive=list(prepared.draft.sensitive),
        constraints=list(prepared.draft.constraints),
        import_batch=batch,
        signature=prepared.sketch.signature,
        created_at=now,
    )


def _origin(batch: Import, draft: ImportDraft) -> str:
    """The file and line; in an archive, its file too."""
    file = f"{batch.file_name} {draft.file}" if draft.file else batch.file_name
    return f"{file[:200]} line {draft.line}"


def _rename(batch: Import, merged: Iterable[near_duplicates.Cluster]) -> None:
    """Move this import's earlier rows when a later prompt connects their cluster to another."""
    for cluster in merged:
        root = cluster.root()
        Prompt.objects.filter(import_batch=batch, cluster=cluster.name).update(
            cluster=root.name, split=root.split
        )


Placed = Sequence[tuple[ImportDraft, Prompt]]
# Response by prompt, source, key, and how many of the same draft before it are the same.
WrittenResponses = dict[tuple[int, int, str, int], Response]


def _responses(
    batch: Import, placed: Placed, counts: dict[str, int], now: datetime
) -> WrittenResponses:
    sources = _sources(
        batch, {reply.author for draft, _prompt in placed for reply in draft.replies}, now
    )
    answered = {prompt.pk for draft, prompt in placed if draft.replies}
    ours = Response.objects.filter(prompt__in=answered, source__in=sources.values())
    seen = (
        Q(import_batch=None) | Q(import_batch__state=Import.State.PUBLISHED) | Q(import_batch=batch)
    )
    written: WrittenResponses = {}
    n_same: Counter[tuple[int, int, str]] = Counter()
    for r in ours.filter(seen).order_by("pk"):
        same = (r.prompt_id, r.source_id, r.key)
        written[(*same, n_same[same])] = r
        n_same[same] += 1
    highest = ours.order_by().values("prompt", "source").annotate(n=Max("number"))
    numbers = {(row["prompt"], row["source"]): row["n"] + 1 for row in highest}
    authors = _authors({prompt.messages_sha256 for draft, prompt in placed if draft.replies})
    new: list[Response] = []
    for draft, prompt in placed:
        for reply, nth in numbered(draft.replies):
            source = sources[reply.author]
            place = (prompt.pk, source.pk)
            if (*place, reply.key, nth) not in written:
                number = numbers.get(place, 0)
                numbers[place] = number + 1
                response = Response(
                    prompt=prompt,
                    source=source,
                    **reply.columns,
                    number=number,
                    sampling=dict(reply.sampling),
                    licence=_own_licence(draft.licence_of_reply(reply), source),
                    marks=dict(reply.marks),
                    is_ended=reply.is_ended,
                    import_batch=batch,
                    author_id=authors.get(
                        (prompt.messages_sha256, near_duplicates.letters_of(reply.text))
                    ),
                    created_at=now,
                )
                written[(*place, reply.key, nth)] = response
                new.append(response)
    Response.objects.bulk_create(new)
    counts["responses"] = len(new)
    return written


def numbered(replies: Iterable[Reply]) -> list[tuple[Reply, int]]:
    """Each reply, and how many replies with the same author and key come before it: two models may
    say the same, and one model may say it twice.
    """
    n_same: Counter[tuple[str, str]] = Counter()
    counted = []
    for reply in replies:
        counted.append((reply, n_same[reply.author, reply.key]))
        n_same[reply.author, reply.key] += 1
    return counted


def _own_licence(licence: str, source: Source) -> str:
    """A licence is stored with a text only where it differs from its source's."""
    return "" if licence == source.licence else licence


def _authors(sha256s: set[str]) -> dict[tuple[str, str], int]:
    """The rater who first wrote a text as a demonstration on this site, by the prompt's fingerprint
    and the text. All versions count, because the file may be from before a correction.
    """
    written = Demonstration.objects.filter(
        Judgment.versions_of_people.condition("judgment__"),
        judgment__prompt__messages_sha256__in=sha256s,
        judgment__import_batch=None,
    )
    rows = written.order_by("-judgment_id").values_list(
        "judgment__prompt__messages_sha256", "text", "judgment__rater_id"
    )
    return {(sha256, near_duplicates.letters_of(text)): rater for sha256, text, rater in rows}


def _sources(batch: Import, authors: set[str], now: datetime) -> dict[str, Source]:
    """A source for each author named in the file, and the import's own for ""."""
    named = {author: f"{batch.source.name} / {author}"[:200] for author in authors if author}
    Source.objects.bulk_create(
        [
            Source(name=name, kind=Source.Kind.IMPORT, licence=batch.licence, created_at=now)
            for name in sorted(named.values())
        ],
        ignore_conflicts=True,
    )
    by_name = {source.name: source for source in Source.objects.filter(name__in=named.values())}
    return {"": batch.source} | {author: by_name[name] for author, name in named.items()}


def _given(batch: Import, placed: Placed, written: WrittenResponses, now: datetime) -> list[Given]:
    """The drafts with somebody's answer, with the rows that they are about."""
    placed = [(draft, prompt) for draft, prompt in placed if draft.is_answered]
    raters = _raters(batch, {draft.worker for draft, _prompt in placed}, now)
    sources = _sources(
        batch, {reply.author for draft, _prompt in placed for reply in draft.replies}, now
    )
    rows: list[Given] = []
    for draft, prompt in placed:
        judged = set(map(id, judged_replies(draft)))
        shown = [
            (written[prompt.pk, sources[reply.author].pk, reply.key, nth], reply)
            for reply, nth in numbered(draft.replies)
            if id(reply) in judged
        ]
        rows.append((draft, prompt, raters[draft.worker], shown))
    return rows


def _judgments(
    batch: Import, placed: Placed, written: WrittenResponses, counts: dict[str, int], now: datetime
) -> None:
    """The demonstrations and comparisons of a batch, without those that an import of the same
    source has brought before.
    """
    placed = [(draft, prompt) for draft, prompt in placed if draft.replies]
    raters = _raters(batch, {draft.worker for draft, _prompt in placed}, now)
    sources = _sources(
        batch, {reply.author for draft, _prompt in placed for reply in draft.replies}, now
    )
    stored = _stored_before(
        batch, {prompt.pk for _draft, prompt in placed}, {rater.origin for rater in raters.values()}
    )
    judgments: list[Judgment] = []
    demonstrations: list[Demonstration] = []
    comparisons: list[Comparison] = []
    ranked: list[RankedResponse] = []

    def judged(
        kind: Answer, draft: ImportDraft, prompt: Prompt, answer: object, reply: Reply | None = None
    ) -> Judgment | None:
        mark = (raters[draft.worker].origin, prompt.pk, answer)
        if mark in stored:
            counts["repeated_judgments"] += 1
            return None
        stored.add(mark)
        judgment = Judgment(
            kind=kind,
            rater=raters[draft.worker],
            prompt=prompt,
            import_batch=batch,
            presentation=draft.kept_of(reply) if reply else {},
            submitted_at=now,
        )
        judgments.append(judgment)
        return judgment

    for draft, prompt in placed:
        for reply in draft.replies:
            if reply.is_human and (
                judgment := judged(Judgment.Kind.DEMONSTRATION, draft, prompt, reply.key, reply)
            ):
                demonstrations.append(Demonstration(judgment=judgment, **reply.columns))
        is_all_bad = draft.answer is not None and draft.answer.is_all_bad
        if not draft.is_compared and not is_all_bad:
            continue
        order = [
            (written[prompt.pk, sources[reply.author].pk, reply.key, nth], reply.rank)
            for reply, nth in numbered(draft.replies)
        ]
        if judgment := judged(
            Judgment.Kind.COMPARISON, draft, prompt, frozenset((r.pk, rank) for r, rank in order)
        ):
            comparison = Comparison(
                judgment=judgment,
                strength=draft.answer.strength if draft.answer else None,
                is_all_bad=is_all_bad,
            )
            comparisons.append(comparison)
            ranked += [
                RankedResponse(comparison=comparison, response=r, position=i, rank=rank)
                for i, (r, rank) in enumerate(order)
            ]
    Judgment.of_people.bulk_create(judgments)
    Demonstration.objects.bulk_create(_keyed(demonstrations))
    Comparison.objects.bulk_create(_keyed(comparisons))
    for row in ranked:
        row.comparison_id = row.comparison.judgment_id
    RankedResponse.objects.bulk_create(ranked)
    counts["demonstrations"], counts["comparisons"] = len(demonstrations), len(comparisons)


def _keyed(rows: list) -> list:  # type: ignore[type-arg]
    """Rows keyed by their judgment, whose id exists only after it is written."""
    for row in rows:
        row.judgment_id = row.judgment.pk
    return rows


def _raters(batch: Import, workers: set[str], now: datetime) -> dict[str, Rater]:
    """Raters without a login. `origin` is the same in every import of a source, so that a second
    import recognises them.
    """
    names = {worker: _short(worker) for worker in workers}
    aliases = {worker: alias_prefix(batch) + (name or "worker") for worker, name in names.items()}
    Rater.people.bulk_create(
        [
            Rater(
                alias=alias,
                origin=f"{batch.source.name[:150]}: {names[worker]}",
                created_at=now,
            )
            for worker, alias in sorted(aliases.items())
        ],
        ignore_conflicts=True,
    )
    by_alias = {rater.alias: rater for rater in Rater.people.filter(alias__in=aliases.values())}
    return {worker: by_alias[alias] for worker, alias in aliases.items()}


def _short(worker: str) -> str:
    """A rater's name as an alias can hold it. Two long names that begin alike stay different."""
    if len(worker) <= MAX_WORKER:
        return worker
    return f"{worker[: MAX_WORKER - 13]}-{sha256(worker.encode()).hexdigest()[:12]}"


def _stored_before(
    batch: Import, prompt_ids: set[int], origins: set[str]
) -> set[tuple[str, int, object]]:
    """What imports of this source have already stored about these prompts: (rater's origin, prompt,
    text or ranking).
    """
    seen = Q(import_batch=batch) | Q(
        import_batch__state=Import.State.PUBLISHED, import_batch__source=batch.source
    )
    judgments = Judgment.of_people.filter(seen, prompt__in=prompt_ids, rater__origin__in=origins)
    written = judgments.filter(kind=Judgment.Kind.DEMONSTRATION)
    stored: set[tuple[str, int, object]] = {
        (judgment.rater.origin, judgment.prompt_id, judgment.demonstration.key)
        for judgment in written.select_related("rater", "demonstration")
    }
    orders: dict[tuple[int, str, int], set[tuple[int, int | None]]] = {}
    rows = judgments.filter(kind=Judgment.Kind.COMPARISON).values_list(
        "pk",
        "rater__origin",
        "prompt_id",
        "comparison__ranked__response_id",
        "comparison__ranked__rank",
    )
    for pk, origin, prompt_id, response_id, rank in rows:
        orders.setdefault((pk, origin, prompt_id), set()).add((response_id, rank))
    stored.update(
        (origin, prompt_id, frozenset(order)) for (_pk, origin, prompt_id), order in orders.items()
    )
    return stored
