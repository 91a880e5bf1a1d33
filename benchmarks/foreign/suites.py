"""Hostile files of suites, golds and invitations, for their own doors."""

from collections.abc import Callable

from tests.labeling.data.formats.containers import jsonl
from tests.labeling.importers.hostile.files import deep_json
from tests.labeling.importers.hostile.packed import lying_sizes, noise, zipped

YAML = b'id: a\nversion: "1"\nname: A\nkind: choice\narea: capability\nlicence: CC0-1.0\n'
_ALIASES = b"\n".join(
    b"a%d: &a%d [%s]" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9) if n else b"lol")
    for n in range(10)
)


def suite(yaml: bytes, items: bytes = b"{}\n") -> bytes:
    return zipped(("suite.yaml", yaml), ("items.jsonl", items))


SUITES: dict[str, Callable[[], bytes]] = {
    "aliases of aliases in suite.yaml": lambda: suite(YAML + _ALIASES),
    "suite.yaml that is deep": lambda: suite(YAML + b"about: " + b"[" * 50_000),
    "suite.yaml that makes objects": lambda: suite(
        YAML + b"about: !!python/object/apply:os.system ['touch /tmp/preferably-was-here']\n"
    ),
    "suite.yaml that holds itself": lambda: suite(YAML + b"about: &a [*a]\n"),
    "suite.yaml with a number of a million digits": lambda: suite(
        YAML + b"about: " + b"1" * 1_000_000
    ),
    "suite.yaml of noise": lambda: suite(noise(100_000)),
    "items that are deep": lambda: suite(YAML, deep_json(100_000)),
    "an item of a million choices": lambda: suite(
        YAML, jsonl([{"id": "a", "prompt": "a", "choices": ["b"] * 1_000_000, "answer": 1}])
    ),
    "a suite of 300 MB": lambda: suite(YAML, b"a" * 300_000_000),
    "a suite that climbs out of its folder": lambda: zipped(("../../suite.yaml", YAML)),
    "a suite that lies about its sizes": lying_sizes,
    "a suite of noise": lambda: noise(100_000),
}
GOLDS: dict[str, Callable[[], bytes]] = {
    "a gold that is deep": lambda: deep_json(100_000),
    "a gold of a million responses": lambda: jsonl(
        [{"prompt": "a", "responses": ["b"] * 1_000_000}]
    ),
    "golds of a million braces": lambda: b"{\n" * 1_000_000,
    "golds of noise": lambda: noise(1_000_000),
}
INVITATIONS: dict[str, Callable[[], bytes]] = {
    "half a million lines of no address": lambda: b"a\n" * 400_000,
    "addresses of 900,000 quotation marks": lambda: b'"' * 900_000,
    "addresses of noise": lambda: noise(900_000),
}
