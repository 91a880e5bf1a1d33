"""Stores what raters know and on what basis: stated by them, observed by an admin, tested, or shown
by their answers.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from accounts import audit_log
from accounts.models import User
from labeling.models import Pool, Rater, RaterSkill
from labeling.people.skills import selectors
from labeling.queue.claiming import order

TOPIC, LANGUAGE = RaterSkill.Axis.TOPIC, RaterSkill.Axis.LANGUAGE
SHOWN = RaterSkill.Basis.SHOWN


def declare_skills(
    *, rater: Rater, languages: Iterable[str], topics: Iterable[str], now: datetime
) -> None:
    """Set what the rater states. Tested and shown skills are not changed by this."""
    skills = [(LANGUAGE.value, code) for code in languages]
    skills += [(TOPIC.value, code) for code in topics]
    with transaction.atomic():
        declared = rater.skills.filter(basis=RaterSkill.Basis.DECLARED)
        dropped = [skill.pk for skill in declared if (skill.axis, skill.code) not in skills]
        declared.filter(pk__in=dropped).delete()
        RaterSkill.objects.bulk_create(
            [
                RaterSkill(
                    rater=rater, axis=axis, code=code, basis=RaterSkill.Basis.DECLARED, at=now
                )
                for axis, code in skills
            ],
            ignore_conflicts=True,
        )
        order.restart_rater(rater)


def grant_skills(
    *,
    rater: Rater,
    languages: Iterable[str] = (),
    topics: Iterable[str] = (),
    by: User | None,
    now: datetime,
) -> None:
    """Set what an admin has observed. A skill that is no longer listed is taken back, and not shown
    automatically again; a listed one keeps its evidence.
    """
    known = {(LANGUAGE.value, code) for code in languages} | {
        (TOPIC.value, code) for code in topics
    }
    with transaction.atomic():
        current = {
            (skill.axis, skill.code): skill
            for skill in rater.skills.select_for_update().filter(basis=SHOWN)
        }
        removed = [skill.pk for key, skill in current.items() if key not in known]
        RaterSkill.objects.filter(pk__in=removed).update(revoked_at=now)
        RaterSkill.ever.bulk_create(
            [
                RaterSkill(rater=rater, axis=axis, code=code, basis=SHOWN, at=now)
                for axis, code in sorted(known - current.keys())
            ],
            update_conflicts=True,
            unique_fields=["rater", "axis", "code", "basis"],
            update_fields=["at", "evidence", "revoked_at"],
        )
        order.restart_rater(rater)
        before, after = _codes(current), _codes(known)
        if before != after:
            audit_log.record(
                by, "skills", rater, before={SHOWN: before}, after={SHOWN: after}, now=now
            )


def show_topics(*, pool_id: int, now: datetime) -> int:
    """Record the topics that raters of a pool have shown by the pool's own criteria. Returns how
    many; a second run adds none.

    A topic that an admin took back stays so. A topic stays known when later answers are worse,
    because only an admin may take it back.
    """
    pool = Pool.objects.filter(pk=pool_id, shown_items__isnull=False).first()
    if pool is None or pool.shown_items is None:
        return 0
    enough = [
        evidence
        for evidence in selectors.topic_evidence(pool=pool)
        # three of four is 75 %, despite floating-point rounding
        if evidence.n_items >= pool.shown_items
        and 100 * evidence.share + 1e-6 >= pool.shown_percent
    ]
    with transaction.atomic():
        Pool.objects.select_for_update().get(pk=pool.pk)  # one run at a time
        known = set(RaterSkill.ever.filter(axis=TOPIC, basis=SHOWN).values_list("rater_id", "code"))
        new = [evidence for evidence in enough if (evidence.rater_id, evidence.topic) not in known]
        raters = Rater.people.in_bulk({evidence.rater_id for evidence in new})
        for evidence in new:
            rater = raters[evidence.rater_id]
            record = evidence.as_record(pool)
            RaterSkill.objects.create(
                rater=rater, axis=TOPIC, code=evidence.topic, basis=SHOWN, at=now, evidence=record
            )
            audit_log.record(
                None, "skills", rater, after={SHOWN: [evidence.topic], "evidence": record}, now=now
            )
            order.restart_rater(rater)
    return len(new)


def _codes(known: Iterable[tuple[str, str]]) -> list[str]:
    return sorted({code for _axis, code in known})
