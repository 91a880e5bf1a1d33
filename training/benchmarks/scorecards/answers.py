"""A benchmark run's stored answers as lines of answers.jsonl: it may go on on another node."""

from collections.abc import Iterator

from training.models import BenchmarkAnswer, Run

_OF_ATTEMPT = ("strategy", "sample", "asked")
_FIELDS = ("text", "follow_ups", "values", "sampling", "is_ended", "missing")


def stored_rows(*, run: Run) -> Iterator[dict[str, object]]:
    for answer in BenchmarkAnswer.objects.filter(run=run).order_by("pk").iterator(chunk_size=500):
        names = (*_OF_ATTEMPT, *_FIELDS) if answer.strategy else _FIELDS
        yield {"item": answer.item_id} | {name: getattr(answer, name) for name in names}
