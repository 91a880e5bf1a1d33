"""The migrations that have landed, with their fingerprints: `make landed` records new ones.

A site that has applied a migration never applies it again, so an edit would reach new sites only,
and the databases of the two would differ. That is why the record only grows.

A release makes one of an app's new migrations, which replaces them, and they go: a site of the
release before has applied none of them, and one that has applied them all needs no more.
"""

import ast
import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RECORD = Path(__file__).with_name("landed.json")

Fingerprints = Mapping[str, str]
"""A migration's path → the SHA-256 of its file."""


def migrations(root: Path = ROOT) -> dict[str, str]:
    """Every migration in the repository."""
    files = sorted(root.glob("*/migrations/[0-9]*.py"))
    return {
        file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }


def replaced(root: Path = ROOT) -> set[str]:
    """The paths of those that others replace."""
    return {
        f"{app}/migrations/{name}.py"
        for file in root.glob("*/migrations/[0-9]*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "replaces"
        for app, name in ast.literal_eval(node.value)
    }


def recorded() -> dict[str, str]:
    return dict(json.loads(RECORD.read_text()))


def problems(
    found: Fingerprints, landed: Fingerprints, replaced: Collection[str] = ()
) -> list[str]:
    """A sentence for each migration that differs from the record."""
    return [
        *(
            f"{path} was removed, but sites have applied it. Restore it; to undo what it does,"
            " write a new migration."
            for path in landed
            if path not in found and path not in replaced
        ),
        *(
            f"{path} is replaced, but never landed: no site has applied it, so all would be"
            " between two releases."
            for path in replaced
            if path not in landed
        ),
        *(
            f"{path} was edited, but sites have applied it as it was. Restore it, and write a new"
            " migration for what you want to change."
            for path in landed
            if path in found and found[path] != landed[path]
        ),
        *(
            f"{path} is not recorded. Run `make landed` when it is final: it cannot be edited"
            " after it has landed."
            for path in found
            if path not in landed
        ),
    ]


def with_new(found: Fingerprints, landed: Fingerprints) -> dict[str, str]:
    """The record with the new migrations. What it says of others stays, right or wrong."""
    return dict(sorted({**found, **landed}.items()))


def main() -> None:
    found, landed = migrations(), recorded()
    RECORD.write_text(json.dumps(with_new(found, landed), indent=2) + "\n")
    new = [path for path in found if path not in landed]
    print("\n".join(f"Recorded {path}" for path in new) or "No new migrations.")  # noqa: T201
    if wrong := problems(found, with_new(found, landed), replaced()):
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
