"""One run as a zip file to download: its row, points, samples, answers, log and the card of its
snapshot. Without weights.
"""

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import IO

from django.core.serializers.json import DjangoJSONEncoder

from accounts import audit_log
from accounts.models import User
from training.benchmarks.scorecards import answers
from training.configs import roles
from training.models import Run, RunPoint
from training.runs import run_queue, selectors

N_BYTES_IN_MEMORY = 16 * 1024**2
N_ROWS_AT_ONCE = 2000
_FIELDS = (
    *(
        "id",
        "name",
        "kind",
        "state",
        "outcome",
        "error",
        "config",
        "made_as",
        "is_dry",
        "priority",
        "n_gpus",
        "memory_gb",
    ),
    *(
        "tags",
        "remarks",
        "attempt",
        "node",
        "step",
        "n_steps",
        "metrics",
        "versions",
        "notes",
        "estimate",
    ),
    *("created_at", "started_at", "finished_at"),
)


def download(*, run: Run, by: User, now: datetime) -> IO[bytes]:
    """The archive for a person, noted in the audit log."""
    audit_log.record(by, "download", run, now=now)
    return archive(run)


def archive(run: Run) -> IO[bytes]:
    """Returns a zip file, positioned at its start. It moves to disk once it outgrows
    N_BYTES_IN_MEMORY.
    """
    file = SpooledTemporaryFile(max_size=N_BYTES_IN_MEMORY)  # noqa: SIM115  # the response closes it
    folder = f"run-{run.pk}"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        packed.writestr(f"{folder}/run.json", _json(_row(run)))
        packed.writestr(f"{folder}/config.json", _json(run.config))
        packed.writestr(
            f"{folder}/snapshot.json",
            _json({"fingerprint": run.snapshot.fingerprint, **run.snapshot.card}),
        )
        if run.ptx_snapshot:
            packed.writestr(
                f"{folder}/ptx_snapshot.json",
                _json({"fingerprint": run.ptx_snapshot.fingerprint, **run.ptx_snapshot.card}),
            )
        packed.writestr(f"{folder}/log.txt", run.log_tail)
        _write(packed, f"{folder}/points.jsonl", _points(run))
        _write(packed, f"{folder}/samples.jsonl", _samples(run))
        if run_queue.reads_suites(run.kind):
            _write(packed, f"{folder}/answers.jsonl", answers.stored_rows(run=run))
    file.seek(0)
    return file


def _row(run: Run) -> dict[str, object]:
    others = {
        "snapshot": run.snapshot.name,
        "ptx_snapshot": run.ptx_snapshot.name if run.ptx_snapshot else None,
        "base_model": run.base_model.name,
        **{role.name: None for role in roles.BESIDE},
        **{name: model.name for name, model in run.models_beside.items()},
        "made_from": run.made_from_id,
        "started_by": run.created_by.name if run.created_by else None,
    }
    return {name: getattr(run, name) for name in _FIELDS} | others


def _points(run: Run) -> Iterator[dict[str, object]]:
    rows = (
        RunPoint.objects.filter(run=run)
        .order_by("attempt", "step")
        .values("attempt", "step", "at", "values")
    )
    for row in rows.iterator(chunk_size=N_ROWS_AT_ONCE):
        yield dict(row)


def _samples(run: Run) -> Iterator[dict[str, object]]:
    names = ("attempt", "step", "prompt", "response", "scores")
    yield from (
        selectors.visible_samples(runs=[run])
        .order_by("attempt", "line")
        .values(*names)
        .iterator(chunk_size=N_ROWS_AT_ONCE)
    )


def _write(packed: zipfile.ZipFile, name: str, rows: Iterable[Mapping[str, object]]) -> None:
    with packed.open(name, "w", force_zip64=True) as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, cls=DjangoJSONEncoder).encode() + b"\n")


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, cls=DjangoJSONEncoder) + "\n"
