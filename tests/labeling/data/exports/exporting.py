"""Exports a campaign through its page, as an admin does, and opens the archive."""

import io
import json
import zipfile
from typing import Any

import pyarrow.parquet as pq
from django.test import Client

from labeling.data.exports import jobs
from labeling.models import Campaign, Export
from tests.cast import NOON


def requested(client: Client, campaign: Campaign, **form: Any) -> Export:
    """Written by a worker."""
    answer = client.post(f"/campaigns/{campaign.pk}/export/", form)
    assert answer.status_code == 302
    export = Export.objects.latest("pk")
    jobs.EXPORTS.run(export.pk, clock=lambda: NOON)
    export.refresh_from_db()
    return export


def downloaded(client: Client, export: Export) -> bytes:
    answer: Any = client.get(f"/exports/{export.pk}/file")
    return b"".join(answer.streaming_content)


def rows_in(archive: bytes) -> list[dict[str, Any]]:
    """Of all its files but the card."""
    rows: list[dict[str, Any]] = []
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        for name in opened.namelist():
            content = opened.read(name)
            if name.endswith(".jsonl"):
                rows += [json.loads(line) for line in content.splitlines()]
            elif name.endswith(".parquet"):
                rows += pq.read_table(io.BytesIO(content)).to_pylist()
    return rows


def exported_rows(client: Client, campaign: Campaign, **form: Any) -> list[dict[str, Any]]:
    """None if there was nothing to export."""
    export = requested(client, campaign, **form)
    return rows_in(downloaded(client, export)) if export.file_name else []
