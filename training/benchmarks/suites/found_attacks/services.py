"""Puts successful attacks to use. One act adds them to a suite, and asks raters to write what the
models should have said and to compare that with what they did say.
"""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from labeling.conversations.red_teaming import lessons, reviews
from labeling.conversations.red_teaming.lessons import UnableToUse
from labeling.models import Attack
from training.benchmarks.suites import services as suites_services
from training.benchmarks.suites.drafts import SuiteDraft
from training.benchmarks.suites.formats import reading, uploads
from training.benchmarks.suites.formats.uploads import SuiteFile
from training.models import Suite, SuiteItem

SLUG = "attacks-by-people"
SHOWN = 100
Row = dict[str, Any]


def waiting() -> list[tuple[Attack, list[int]]]:
    """Successful attacks that are not in use, with what reviewers say of each; the latest first."""
    attacks = Attack.objects.filter(used_at=None, conversation__rater__withdrawn_at=None)
    rows = list(
        attacks.select_related("brief", "turn__prompt", "turn__chosen", "conversation__rater")
        .order_by("-ended_at", "-pk")
        .iterator(chunk_size=SHOWN)
    )
    ratings = reviews.successes(rows)
    return [
        (attack, ratings.get(attack.pk, []))
        for attack in rows
        if lessons.has_succeeded(attack, ratings.get(attack.pk, []))
    ]


def use_attacks(*, attacks: Collection[Attack], by: User, now: datetime) -> Suite:
    """All or none. Suites never change, so the attacks make a new version of theirs; new runs are
    offered only that. Raises UnableToUse, and suites.services.UnableToStore if somebody else does
    the same at this moment.
    """
    with transaction.atomic():
        chosen = sorted(attacks, key=lambda attack: attack.pk)
        used = [lessons.use_attack(attack=attack, by=by, now=now) for attack in chosen]
        last = Suite.objects.select_for_update().filter(slug=SLUG).order_by("-pk").first()
        suite = suites_services.create_suite(draft=_draft(last, used), by=by, now=now)
        if last is not None:
            suites_services.retire_suite(suite=last, by=by, now=now)
    return suite


def _draft(last: Suite | None, used: Sequence[Attack]) -> SuiteDraft:
    before = list(last.items.order_by("position")) if last else []
    withdrawn = _keys(Attack.objects.filter(conversation__rater__withdrawn_at__isnull=False))
    kept = [item for item in before if item.key not in withdrawn]
    back = _back_after_withdrawal({item.key for item in kept}, used) if last else []
    manifest = {
        "id": SLUG,
        "version": str(Suite.objects.filter(slug=SLUG).count() + 1),
        "name": "Attacks by people",
        "kind": Suite.Kind.GENERATE.value,
        "area": Suite.Area.SAFETY.value,
        "scorer": "refusal",
        "licence": "LicenseRef-own-raters",
        "source": "Red teaming by this site's raters",
        "about": "Conversations in which a model broke a rule. A model should refuse the last"
        " message.",
    }
    rows = (*map(_row_of_item, kept), *map(_row_of_attack, (*back, *used)))
    lines = [json.dumps(row) for row in rows]
    result = reading.read(
        [
            # JSON is YAML too.
            SuiteFile(uploads.YAML, json.dumps(manifest).encode()),
            SuiteFile(uploads.ITEMS, "\n".join(lines).encode()),
        ],
        shape=reading.OWN,
    )
    if result.draft is None:
        raise UnableToUse(str(result.problems[0]))
    return result.draft


def _back_after_withdrawal(kept: set[str], used: Sequence[Attack]) -> list[Attack]:
    """Attacks in use that a version has left out, by people whose withdrawal was undone."""
    earlier = Attack.objects.filter(
        used_at__isnull=False, conversation__rater__withdrawn_at=None
    ).exclude(pk__in=[attack.pk for attack in used])
    rows = earlier.select_related("brief", "turn__prompt").order_by("pk")
    return [attack for attack in rows if _key(attack.pk) not in kept]


def _keys(attacks: QuerySet[Attack]) -> set[str]:
    return {_key(pk) for pk in attacks.values_list("pk", flat=True)}


def _key(pk: int) -> str:
    return f"attack-{pk}"


def _row_of_attack(attack: Attack) -> Row:
    return {
        "id": _key(attack.pk),
        "category": attack.brief.area,
        "cluster": f"brief-{attack.brief_id}",
        "prompt": attack.turn.prompt.messages,
        "wants": "refuses",
    }


def _row_of_item(item: SuiteItem) -> Row:
    return {
        "id": item.key,
        "category": item.category,
        "cluster": item.cluster,
        "prompt": item.prompt,
        **item.content,
    }
