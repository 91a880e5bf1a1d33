"""What text for pretraining must not hold, because people or models are tested with it."""

from collections.abc import Iterator

from labeling.models import Gold
from training.models import SuiteItem
from training.snapshots.curation.rules.contamination import Item

BATCH = 1_000


def test_items() -> Iterator[Item]:
    """The prompts of gold items and of every suite, retired ones too: their scores stay."""
    golds = Gold.objects.order_by("pk").values_list("pk", "prompt__messages")
    for pk, messages in golds.iterator(chunk_size=BATCH):
        yield Item(f"gold {pk}", _said(messages))
    items = SuiteItem.objects.order_by("suite_id", "position")
    named = items.values_list("suite__slug", "suite__version", "key", "prompt")
    for slug, version, key, prompt in named.iterator(chunk_size=BATCH):
        yield Item(f"{slug} {version}: {key}", _said(prompt))


def _said(messages: list[dict[str, object]]) -> str:
    return "\n".join(str(message["content"]) for message in messages)
