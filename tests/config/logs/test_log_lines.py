"""Each line that the site's own commands write is a JSON object if it should be: also those of
gunicorn and Celery themselves.
"""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import services
from django.conf import settings

from tests.config.own_redis import Redis

ROOT = Path(__file__).resolve().parents[3]
# As root, Celery warns on standard error before it has read its settings. Sites do not run as root.
ENVIRONMENT = {
    "PREFERABLY_LOG_FORMAT": "json",
    "PYTHONWARNINGS": "ignore",
    "DJANGO_SETTINGS_MODULE": "config.settings",
}

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


def command_of(unit: str) -> list[str]:
    """What systemd starts, with the programs of this Python."""
    text = (ROOT / "deploy" / f"{unit}.service").read_text()
    (line,) = re.findall(r"^ExecStart=\S+/bin/(.*)$", text, re.MULTILINE)
    program, *options = line.replace("%H", "test").split()
    return [str(Path(sys.executable).with_name(program)), *options]


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Asks again, as an operator would: a signal that comes while a program starts may get lost."""
    for _time in range(4):
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            continue
        return
    process.kill()
    process.wait()
    raise AssertionError(f"{process.args!r} does not stop.")


@pytest.mark.parametrize(
    ("unit", "last"),
    [
        ("preferably-web@", "Booting worker"),
        ("preferably-short", "ready."),
        ("preferably-beat", "maxinterval"),
    ],
)
def test_every_line_is_a_json_object(
    own_redis: Redis, tmp_path: Path, unit: str, last: str
) -> None:
    port = services.free_port()
    command = [word.replace(":%i", f":{port}") for word in command_of(unit)]
    there = settings.DATABASES["default"]
    url = f"postgres://{there['USER']}@{there['HOST']}:{there['PORT']}/{there['NAME']}"
    environment = {"REDIS_URL": own_redis.address, "DATABASE_URL": url}
    log = tmp_path / "lines.log"

    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | ENVIRONMENT | environment,
            stdout=output,
            stderr=output,
            preexec_fn=services.die_with_parent,
        )
        services.wait(lambda: last in log.read_text(), process, log)
        if "web" in unit:
            services.wait(lambda: services.listens(port), process, log)
            urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=60).close()
        stop(process)

    lines = log.read_text().splitlines()
    assert len(lines) >= 2
    assert [line for line in lines if not is_object(line)] == []


def is_object(line: str) -> bool:
    try:
        return set(json.loads(line)) >= {"at", "level", "logger", "message"}
    except ValueError:
        return False
