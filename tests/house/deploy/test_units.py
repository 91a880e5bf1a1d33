"""The files in deploy/ match the code and the operators' guide."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CADDY = os.environ.get("CADDY") or shutil.which("caddy")
GUIDE = ROOT / "docs" / "operators.md"
OPTIONS = [
    "-Q gpu",
    "-c ${RUNS_AT_ONCE}",
    "--pool-start-method spawn",
    "--max-tasks-per-child 1",
    "--disable-prefetch",
]


def words_of(name: str) -> str:
    """The file's commands on one line, as a shell or a list of words."""
    return re.sub(r'[\s"\',\\\[\]]+', " ", (ROOT / name).read_text())


def test_the_unit_and_the_container_start_the_worker_as_the_tests_do() -> None:
    for name in ("deploy/preferably-node.service", "deploy/Containerfile"):
        assert [option for option in OPTIONS if option not in words_of(name)] == [], name


@pytest.mark.parametrize("name", ["node.env.example", "site.env.example"])
def test_every_variable_of_an_environment_file_is_one_we_read(name: str) -> None:
    table = (ROOT / "docs/configuration.md").read_text()
    named = re.findall(r"^([A-Z_]+)=", (ROOT / "deploy" / name).read_text(), re.MULTILINE)

    assert [name for name in named if f"`{name}`" not in table] == []


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
@pytest.mark.parametrize("unit", sorted(path.name for path in (ROOT / "deploy").glob("*.service")))
def test_systemd_understands_every_unit(unit: str, tmp_path: Path) -> None:
    """With this checkout's programs and environment file instead of those under /srv and /etc."""
    instance = unit.replace("@.", "@8001.")
    words = (ROOT / "deploy" / unit).read_text()
    words = words.replace("/srv/preferably/.venv/bin", str(Path(sys.executable).parent)).replace(
        "/srv/preferably", str(ROOT)
    )
    (tmp_path / instance).write_text(
        words.replace("User=preferably", "User=daemon").replace("/etc/preferably", str(tmp_path))
    )
    (tmp_path / "site.env").touch()
    (tmp_path / "node.env").touch()

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / instance)],
        capture_output=True,
        text=True,
    )

    assert [line for line in done.stderr.splitlines() if instance in line] == []
    assert done.returncode == 0, done.stderr


def test_the_guide_names_every_unit() -> None:
    guide = GUIDE.read_text()

    assert [
        path.name
        for path in (ROOT / "deploy").glob("*.service")
        if f"deploy/{path.name}" not in guide
    ] == []


def test_an_upgrade_restarts_workers_before_web_processes_and_nodes_last() -> None:
    """A worker understands the messages of the last release; tests/upgrades/test_messages.py."""
    upgrade = GUIDE.read_text().split("\n## Upgrade\n")[1].split("\n## ")[0]
    restarted = re.findall(r"systemctl restart ([\w@-]+)", upgrade)

    assert restarted == [
        "preferably-short",
        "preferably-web@8001",
        "preferably-web@8002",
        "preferably-beat",
        "preferably-node",
        "preferably-models",
    ]


def test_the_proxies_of_the_guide_know_both_web_processes() -> None:
    proxy = GUIDE.read_text().split("\n## The proxy\n")[1].split("\n## ")[0]
    started = re.findall(r"preferably-web@(\d+)", GUIDE.read_text())

    assert set(started) == {"8001", "8002"}
    for port in set(started):
        assert proxy.count(f"127.0.0.1:{port}") == 2, "in Caddy's file and in nginx's"


@pytest.mark.skipif(CADDY is None, reason="caddy is missing")
def test_caddy_understands_the_file_of_the_guide(tmp_path: Path) -> None:
    (block,) = re.findall(r"^    label\.example\.org \{\n(?:^    .*\n)+", GUIDE.read_text(), re.M)
    (tmp_path / "Caddyfile").write_text(block)

    done = subprocess.run(
        [str(CADDY), "adapt", "--config", "Caddyfile", "--adapter", "caddyfile", "--validate"],
        cwd=tmp_path,
        env={"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
