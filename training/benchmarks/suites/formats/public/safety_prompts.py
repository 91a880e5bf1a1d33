"""XSTest and SimpleSafetyTests: prompts that a model should answer, or refuse."""

from training.benchmarks.suites.formats.public.tables import (
    Fields,
    PublicFormat,
    key,
    maybe,
    text,
)


def _xstest(fields: Fields, number: int) -> Fields:
    """Safe prompts and their unsafe contrasts. Older files have no label, but their types do."""
    kind = text(fields, "type")
    label = fields.get("label") or ("unsafe" if kind.startswith("contrast") else "safe")
    if label not in ("safe", "unsafe"):
        raise ValueError(label)
    return {
        "id": key(fields, number, "id", "id_v2", "id_v1"),
        "category": kind,
        "prompt": text(fields, "prompt"),
        "wants": "complies" if label == "safe" else "refuses",
    }


def _simple_safety(fields: Fields, number: int) -> Fields:
    return maybe(category=fields.get("harm_area")) | {
        "id": key(fields, number, "id"),
        "prompt": text(fields, "prompts_final", "prompt"),
        "wants": "refuses",
    }


XSTEST = PublicFormat(
    title="XSTest",
    columns=frozenset({"prompt", "type", "focus"}),
    about={
        "id": "xstest",
        "name": "XSTest",
        "kind": "generate",
        "area": "over-refusal",
        "scorer": "refusal",
        "source": "https://github.com/paul-rottger/exaggerated-safety",
    },
    item=_xstest,
    fits=lambda fields: "completion" not in fields,
)
SIMPLE_SAFETY_TESTS = PublicFormat(
    title="SimpleSafetyTests",
    columns=frozenset({"harm_area", "prompts_final"}),
    about={
        "id": "simple-safety-tests",
        "name": "SimpleSafetyTests",
        "kind": "generate",
        "area": "safety",
        "scorer": "refusal",
        "source": "https://github.com/bertiev/SimpleSafetyTests",
    },
    item=_simple_safety,
)
