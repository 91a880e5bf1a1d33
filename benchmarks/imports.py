"""Imports one large file of JSON lines: speed, memory, and length of transactions.

    python scripts/run_with_services.py python benchmarks/imports.py [--mb 1024] [--quick] [--folder
    DIR]

It runs `manage.py import_prompts`. The file is generated: prompts of 4 to 10 KB of invented words.
One in fifty nearly repeats an earlier prompt and one in two hundred repeats it exactly. The
importer is a separate process. Ten times a second, this one reads its resident memory from /proc
and the age of its transaction from PostgreSQL. The last line is JSON. Compare
`peak_rss_mb_at_10_percent` with `peak_rss_mb` to see whether memory grows with the file.
`longest_transaction_s` is how long others may have to wait.
"""

import argparse
import json
import os
import platform
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db import connection  # noqa: E402
from django.test.utils import setup_databases, teardown_databases  # noqa: E402

from labeling.models import Import, Prompt  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
MB = 1024 * 1024
LOOK_S = 0.1
SHORTEST, LONGEST = 4_000, 10_000
NEAR, SAME = 0.02, 0.005
N_WORDS = 20_000
REMEMBERED = 500


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--mb", type=int, default=1024)
    options.add_argument("--quick", action="store_true", help="30 MB")
    options.add_argument(
        "--folder", type=Path, help="where the file is made; a temporary folder without it"
    )
    chosen = options.parse_args()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        with tempfile.TemporaryDirectory(prefix="preferably-import-", dir=chosen.folder) as folder:
            file = Path(folder) / "prompts.jsonl"
            write(file, n_bytes=(30 if chosen.quick else chosen.mb) * MB)
            print(json.dumps(measure(file)))
    finally:
        teardown_databases(databases, verbosity=0)


@dataclass
class Watch:
    """Observations of the importer: (share of the file read, resident memory), and the oldest
    transaction.
    """

    memory: list[tuple[float, float]] = field(default_factory=list)
    longest_transaction_s: float = 0.0

    def peak_mb(self, until: float) -> float:
        return round(max(mb for share, mb in self.memory if share <= until), 1)


def measure(file: Path) -> dict[str, object]:
    started = time.perf_counter()
    command = [
        sys.executable,
        "manage.py",
        "import_prompts",
        str(file),
        "--format",
        "jsonl",
        "--source",
        "benchmark",
    ]
    importer = subprocess.Popen(
        [*command, "--licence", "CC0-1.0"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": own_database()},
    )
    watch = watched(importer)
    seconds = time.perf_counter() - started
    if importer.returncode:
        raise SystemExit("The import failed: see above.")
    counts = Import.objects.get().counts
    n_lines = counts["prompts"] + counts["duplicates"] + counts["problems"]
    return {
        "prompts": Prompt.objects.count(),
        "duplicates": counts["duplicates"],
        "near_duplicates": (
            Prompt.objects.count() - Prompt.objects.values("cluster").distinct().count()
        ),
        "mb": round(file.stat().st_size / MB, 1),
        "seconds": round(seconds, 1),
        "prompts_per_s": round(n_lines / seconds, 1),
        "importer_cpu_s": round(sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]), 1),
        "peak_rss_mb_at_10_percent": watch.peak_mb(until=0.1),
        "peak_rss_mb": watch.peak_mb(until=1.0),
        "longest_transaction_s": round(watch.longest_transaction_s, 2),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "database": f"{connection.vendor} {getattr(connection, 'pg_version', '')}",
        "commit": (
            subprocess.run(
                ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True
            ).stdout.strip()
        ),
    }


def own_database() -> str:
    """The URL of the database that this process created for the benchmark."""
    return re.sub(r"/[^/]*$", f"/{connection.settings_dict['NAME']}", os.environ["DATABASE_URL"])


def watched(importer: "subprocess.Popen[bytes]") -> Watch:
    watch = Watch()
    told = 0
    while importer.poll() is None:
        share, age = where_it_is()
        watch.memory.append((share, resident_mb(importer.pid)))
        watch.longest_transaction_s = max(watch.longest_transaction_s, age)
        if share * 10 >= told + 1:
            told = int(share * 10)
            print(
                f"{share:4.0%}: {watch.memory[-1][1]:.0f} MB, longest transaction"
                f" {watch.longest_transaction_s:.2f} s",
                flush=True,
            )
        time.sleep(LOOK_S)
    return watch


def where_it_is() -> tuple[float, float]:
    """The share of the file read so far, and the age of the importer's transaction in seconds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT max(bytes_read::float / bytes_total) FROM labeling_import), (SELECT"
            " max(extract(epoch FROM clock_timestamp() - xact_start)) FROM pg_stat_activity  WHERE"
            " datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client"
            " backend')"
        )
        share, age = cursor.fetchone()
    return float(share or 0), float(age or 0)


def resident_mb(pid: int) -> float:
    try:
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except ProcessLookupError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def write(file: Path, *, n_bytes: int) -> None:
    n_written = 0
    with file.open("w") as out:
        for text in texts(random.Random(1)):
            n_written += out.write(json.dumps({"prompt": text}) + "\n")
            if n_written >= n_bytes:
                return


def texts(chance: random.Random) -> Iterator[str]:
    """Endless prompts. Word frequencies are as in a language: the n-th word is about 1/n as
    frequent as the first.
    """
    syllables = [a + b + c for a in "bdfgklmnprstvz" for b in "aeiou" for c in ("", "n", "r", "s")]
    words = [
        "".join(chance.choices(syllables, k=chance.choice((1, 2, 2, 3, 4)))) for _ in range(N_WORDS)
    ]
    often = [1 / (n + 5) for n in range(N_WORDS)]
    earlier: list[list[str]] = []
    while True:
        kind = chance.random()
        if earlier and kind < SAME:
            yield " ".join(chance.choice(earlier))
        elif earlier and kind < SAME + NEAR:
            near = list(chance.choice(earlier))
            near[chance.randrange(len(near))] = "otherwise"
            yield " ".join(near)
        else:
            text = chance.choices(words, often, k=chance.randint(SHORTEST, LONGEST) // 6)
            if len(earlier) < REMEMBERED:
                earlier.append(text)
            else:
                earlier[chance.randrange(REMEMBERED)] = text
            yield " ".join(text)


if __name__ == "__main__":
    main()
