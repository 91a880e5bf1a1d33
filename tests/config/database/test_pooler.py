"""The site behind a real PgBouncer in transaction mode, configured as docs/scale.md says."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import services
from django.conf import settings

ROOT = Path(__file__).resolve().parents[3]
PGBOUNCER = os.environ.get("PGBOUNCER") or shutil.which("pgbouncer")
# Between two steps, somebody else takes the server's connection that the first one used.
SCRIPT = """
import sys
import django
django.setup()
import psycopg
from django.contrib.auth.models import Permission
from django.db import connection
from config.performance.compiled import fetch

prepared = "SELECT count(*) FROM auth_permission WHERE id > %s"
rows = Permission.objects.order_by("pk").iterator(chunk_size=20)
seen, counted = [next(rows).pk], fetch(prepared, [0])
with psycopg.connect(sys.argv[1]) as other:
    other.execute("SELECT 1")
    seen += [row.pk for row in rows]
    counted += fetch(prepared, [0])
assert len(set(seen)) == len(seen) == Permission.objects.count(), len(seen)
assert counted[0] == counted[1], counted
print(connection.settings_dict["PORT"])
"""


@pytest.fixture
def pooler(db: None, tmp_path: Path) -> Iterator[str]:
    """The URL of a PgBouncer in front of this test's database."""
    there, port = settings.DATABASES["default"], services.free_port()
    page = (ROOT / "docs" / "scale.md").read_text()
    (options,) = re.findall(r"^    \[pgbouncer\]\n((?:^    .*\n)+)", page, re.MULTILINE)
    user = "nobody" if os.getuid() == 0 else ""
    (tmp_path / "pgbouncer.ini").write_text(
        f"[databases]\n* = host=127.0.0.1 port={there['PORT']} user={there['USER']}\n[pgbouncer]\n"
        + textwrap.dedent(options)
        + f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        + f"auth_type = any\nuser = {user}\n"
    )
    tmp_path.chmod(0o755)
    with subprocess.Popen(
        [str(PGBOUNCER), "--quiet", str(tmp_path / "pgbouncer.ini")],
        preexec_fn=services.die_with_parent,
    ) as process:
        services.wait(lambda: services.listens(port), process)
        yield f"postgres://preferably@127.0.0.1:{port}/{there['NAME']}"
        process.kill()


@pytest.mark.slow
@pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer is missing")
def test_a_result_and_a_statement_may_go_on_in_another_connection(pooler: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, pooler],
        cwd=ROOT,
        env=os.environ
        | {
            "DATABASE_URL": pooler,
            "PREFERABLY_POOLER": "1",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        },
        capture_output=True,
        text=True,
    )

    assert done.stdout.strip() == str(urlsplit(pooler).port), done.stderr
