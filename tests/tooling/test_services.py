"""The start of servers for the demo and the tests."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import services

RUN = Path(services.__file__).with_name("run_with_services.py")


@pytest.fixture
def server() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_a_slow_server_is_waited_for_and_its_log_named(
    server: "subprocess.Popen[bytes]",
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    minutes = count(step=60)
    monkeypatch.setattr(time, "monotonic", lambda: float(next(minutes)))
    answers = iter([False, False, False, True])

    services.wait(lambda: next(answers), server, Path("log/web.log"))

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[-1] == "  web is still starting after 180 s. Its log: log/web.log."
    assert server.poll() is None


def test_a_server_that_ended_is_not_waited_for(server: "subprocess.Popen[bytes]") -> None:
    server.kill()
    server.wait()

    with pytest.raises(SystemExit, match=r"web exited with code -9 .* Its log: log/web.log"):
        services.wait(lambda: False, server, Path("log/web.log"))


def test_a_server_that_does_nothing_for_minutes_is_given_up(
    server: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    minutes = count(step=60)
    monkeypatch.setattr(time, "monotonic", lambda: float(next(minutes)))

    with pytest.raises(SystemExit, match=r"^web has done nothing for 3\d\d s\. Its log: log/web"):
        services.wait(lambda: False, server, Path("log/web.log"))


def test_a_command_that_takes_long_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(services, "PROGRESS_S", 0.1)
    command = [sys.executable, "-c", "import time; time.sleep(0.5); print('logins')"]

    code, output = services.output_of(command, "seed_demo")

    assert (code, output) == (0, "logins\n")
    assert "  seed_demo is still at work after 0 s." in capsys.readouterr().out


def test_what_is_run_with_services_keeps_its_compiled_modules() -> None:
    """Even where the environment says otherwise."""
    there = dict.fromkeys(("TEST_DATABASE_URL", "TEST_REDIS_URL"), "there.already")
    asks = "import sys; print(sys.dont_write_bytecode)"

    done = subprocess.run(
        [sys.executable, str(RUN), sys.executable, "-c", asks],
        env=os.environ | there | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines()[-1] == "False"
