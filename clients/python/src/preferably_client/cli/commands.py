"""What each command does. True if it ended well."""

from argparse import Namespace
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from preferably_client.cli.credentials import NotConfigured
from preferably_client.cli.output import Output, json_of
from preferably_client.core import UNSET
from preferably_client.site import Preferably

N_PROBLEMS = 20
"""Problems of an import that are printed; --json prints all."""


def import_file(site: Preferably, given: Namespace, out: Output) -> bool:
    columns, roles, legend = map(_pairs, (given.column, given.role, given.legend))
    started = site.create_import_from_file(
        given.file,
        source=given.source,
        licence=given.licence,
        format=given.format or UNSET,
        columns=columns or UNSET,
        with_judgments=given.with_judgments,
        stores_responses=given.stores_responses or UNSET,
        campaign=given.campaign or UNSET,
        roles=roles or UNSET,
        legend=legend or UNSET,
        texts=given.texts or UNSET,
        is_strict=given.strict,
    )
    *_, ended = site.follow_import(started.id, every_s=given.every)
    found = site.list_import_problems(ended.id)
    for problem in found if out.is_json else islice(found, N_PROBLEMS):
        out.show(f"line {problem.line}: {problem.sentence}", problem=problem)
    if ended.n_problems > N_PROBLEMS and not out.is_json:
        out.show(f"… and {ended.n_problems - N_PROBLEMS} more problems")
    counts = ", ".join(f"{n} {name}" for name, n in ended.counts.items() if name != "problems")
    out.show(f"import {ended.id}: {ended.state}. {ended.error or counts}", **{"import": ended})
    return ended.state == "published"


def _pairs(given: Sequence[str]) -> dict[str, str]:
    """NAME=VALUE as a dictionary. Raises NotConfigured."""
    pairs = [text.partition("=") for text in given]
    if wrong := [name for name, sign, _value in pairs if not sign]:
        raise NotConfigured(f"“{wrong[0]}” has no value. Write it as NAME=VALUE.")
    return {name: value for name, _sign, value in pairs}


def export(site: Preferably, given: Namespace, out: Output) -> bool:
    if given.shape:
        return _export_shape(site, given, out)
    rows = site.list_judgments(
        cursor=given.cursor,
        campaign=given.campaign,
        includes_imports=given.includes_imports or None,
    )
    if given.to == "-":
        for row in rows:
            out.show(json_of(row), judgment=row)
        return True
    path = Path(given.to)
    if path.suffix == ".parquet":
        n_rows = len(found := rows.to_dataset())
        found.to_parquet(path)
    else:
        n_rows = _write_lines(path, rows)
    out.show(f"{n_rows} judgments in {path}", n_judgments=n_rows, file=str(path))
    return True


def _export_shape(site: Preferably, given: Namespace, out: Output) -> bool:
    if given.to == "-":
        raise NotConfigured("An export in a shape is a ZIP archive. Name its file: --to FILE.zip")
    started = site.create_export(
        given.shape,
        campaign=given.campaign or UNSET,
        format=given.format,
        includes_imports=given.includes_imports,
        licences=given.licence or UNSET,
    )
    *_, ended = site.follow_export(started.id, every_s=given.every)
    if ended.state == "done":
        site.download_export(ended.id, given.to)
    left = "; left out: " + ", ".join(f"{n} {what}" for what, n in ended.left_out.items())
    words = f"{ended.n_rows} rows in {given.to}" + (left if ended.left_out else "")
    out.show(ended.error or words, export=ended)
    return ended.state == "done"


def _write_lines(path: Path, rows: Iterable[object]) -> int:
    n_rows = 0
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json_of(row) + "\n")
            n_rows += 1
    return n_rows


def list_runs(site: Preferably, given: Namespace, out: Output) -> bool:
    for run in islice(site.list_runs(kind=given.kind, state=given.state), given.limit):
        state = run.outcome or run.state
        out.show(f"{run.id:>6}  {run.kind:<9}  {state:<10}  {run.name}", run=run)
    return True


def watch_run(site: Preferably, given: Namespace, out: Output) -> bool:
    for point in site.follow_run(given.run, every_s=given.every):
        values = "  ".join(f"{name} {value:.4g}" for name, value in point.values.items())
        out.show(f"{point.step:>7}  {values}", point=point)
    run = site.read_run(given.run)
    out.show(f"run {run.id}: {run.outcome}. {run.error}".rstrip(" ."), run=run)
    return run.outcome == "succeeded"
