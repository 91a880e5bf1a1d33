"""MT-bench: questions of two turns. There is no right answer, so a reward model or people score
what models write.
"""

from training.benchmarks.suites.formats.public.tables import Fields, PublicFormat, key, maybe


def _question(fields: Fields, number: int) -> Fields:
    first, *later = fields["turns"]
    return maybe(category=fields.get("category"), follow_ups=later) | {
        "id": key(fields, number, "question_id"),
        "prompt": first,
    }


MT_BENCH = PublicFormat(
    title="MT-bench",
    columns=frozenset({"question_id", "turns"}),
    about={
        "id": "mt-bench",
        "name": "MT-bench",
        "kind": "generate",
        "area": "capability",
        "scorer": "reward",
        "source": "https://github.com/lm-sys/FastChat",
    },
    item=_question,
)
