"""Is anything lost when a site is upgraded, backed up and restored?

usage: python scripts/run_with_services.py --durable python benchmarks/operate.py
       [--quick] [--only PART]

A database of the first release is upgraded to this code. The site that it has become is backed up
while files come in and again at rest, and restored on empty machines. The last line is JSON:

- `upgrade_errors`, `upgrade_lost`: pages that do not open for a role; rows that are gone or
  changed.
- `rows_differ`, `files_differ`: between the site and what was restored from it.
- `torn`: rows without their file, or half of a transaction, in the backup of a busy site; it has
  `came_in` files that came in meanwhile.
- `backup_s`, `restore_s`: how long both take, with the start of their processes.

- `failed`, `lost`: requests after which a person saw an error, and stored answers that are missing,
  while 30 raters work, the database is migrated and both web processes restart
  (benchmarks/operating/restarts.py has the other figures of this part).
- `first_page_ms`, `page_ms`: the slowest page of a site with a million judgments, with an empty
  cache and then (benchmarks/operating/pages.py).

--quick: small models, and few of them. --only: one part of it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from benchmarks.operating import backups, machines, restarts, upgrade  # noqa: E402

Figures = dict[str, float]
Part = Callable[[bool], Figures]


def backed_up(is_quick: bool) -> Figures:
    """The backup is of the upgraded site."""
    with (
        tempfile.TemporaryDirectory(prefix="preferably-operate-") as name,
        machines.machine(Path(name), "site") as site,
    ):
        upgraded = upgrade.measure(site)
        return upgraded | backups.measure(site, folder=Path(name), is_quick=is_quick)


def restarted(is_quick: bool) -> Figures:
    return restarts.measure(is_quick=is_quick)


def opened(is_quick: bool) -> Figures:
    """In a process of its own, with a database of its own."""
    command = [sys.executable, str(ROOT / "benchmarks/operating/pages.py")]
    command += ["--quick"] if is_quick else []
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    *lines, last = answer.stdout.splitlines()
    print("\n".join(lines), flush=True)
    measured: Figures = json.loads(last)
    return measured


PARTS: dict[str, Part] = {"backups": backed_up, "restarts": restarted, "pages": opened}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=PARTS)
    options = parser.parse_args()
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        sys.exit("Run it with scripts/run_with_services.py.")
    found: Figures = {}
    for name in [options.only] if options.only else PARTS:
        found |= PARTS[name](options.quick)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
