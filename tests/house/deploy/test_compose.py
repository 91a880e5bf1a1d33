"""compose.yaml and deploy/Containerfile match the code, the guides and each other."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.house.deploy import guides

ROOT = Path(__file__).resolve().parents[3]
COMPOSE = ROOT / "compose.yaml"
THREE_LINES = {
    "HOST_NAME": "label.example.org",
    "PREFERABLY_SECRET_KEY": "0123456789" * 5,
    "DATABASE_PASSWORD": "abcdef0123456789",
}
CADDY = os.environ.get("CADDY") or shutil.which("caddy")
OURS = ("migrate", "web", "web-2", "short", "beat", "models", "models-external", "node")
# What the file sets itself, whatever .env says.
DECIDED = {
    "PREFERABLY_MODE",
    "PREFERABLY_SECRET_KEY",
    "PREFERABLY_HOSTS",
    "PREFERABLY_TRUSTED_ORIGINS",
    "PREFERABLY_URL",
    "PREFERABLY_ARTIFACTS",
    "DATABASE_URL",
    "REDIS_URL",
}
# What other programs read: PostgreSQL's image, and the shell that starts a node.
READ_ELSEWHERE = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", "RUNS_AT_ONCE"}


@cache
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def test_the_file_is_a_compose_file() -> None:
    """By the schema of the Compose Specification, which the checker brings."""
    check = f"-m check_jsonschema --builtin-schema vendor.compose-spec {COMPOSE}".split()
    checked = subprocess.run([sys.executable, *check], capture_output=True, text=True)

    assert checked.returncode == 0, checked.stdout


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="docker-compose is missing")
def test_compose_itself_understands_the_file_with_three_lines_of_settings(tmp_path: Path) -> None:
    """It fills in every variable, and needs no running docker for that."""
    more = THREE_LINES | {"PREFERABLY_OIDC_COMPANY_LABEL": '"Example Inc."', "RUNS_AT_ONCE": "2"}
    lines = "".join(f"{name}={value}\n" for name, value in more.items())
    (tmp_path / ".env").write_text(lines)
    shutil.copy(COMPOSE, tmp_path)
    command = ["docker-compose", "--profile", "gpu"]

    done = subprocess.run(
        [*command, "--profile", "external", "config", "--format", "json"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr) == (0, "")
    site = json.loads(done.stdout)["services"]
    assert set(site) == {*OURS, "postgres", "valkey", "caddy"}
    assert site["web"]["environment"]["PREFERABLY_URL"] == "https://label.example.org"
    assert {
        name: process.get("environment", {}).get("PREFERABLY_OIDC_COMPANY_LABEL")
        for name, process in site.items()
    } == dict.fromkeys(OURS, "Example Inc.") | dict.fromkeys(("postgres", "valkey", "caddy"))


def test_three_lines_are_all_that_must_be_written() -> None:
    required = set(re.findall(r"\$\{([A-Z_]+):\?", COMPOSE.read_text()))
    example = (ROOT / "deploy" / "compose.env.example").read_text()

    assert required == set(THREE_LINES)
    assert set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE)) == required


@pytest.mark.parametrize("name", OURS)
def test_each_process_gets_every_other_line_too(name: str) -> None:
    """Single sign-on, mail, credentials of the artifact store: what an operator sets for a site.
    Only what the file decides itself has another value.
    """
    process = services()[name]
    own = {"PREFERABLY_LOCK_TIMEOUT_S"} if name == "migrate" else set()

    assert process["env_file"] == [{"path": ".env", "required": False}]
    assert set(process["environment"]) - READ_ELSEWHERE - own == DECIDED


def test_databases_and_the_proxy_get_no_settings_of_the_site() -> None:
    others = set(services()) - set(OURS)

    assert [name for name in others if "env_file" in services()[name]] == []


def test_each_variable_of_the_file_is_one_that_the_site_reads() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    named = {name for service in services().values() for name in service.get("environment", {})}

    assert {name for name in named - READ_ELSEWHERE if f"`{name}`" not in page} == set()


def test_each_optional_line_of_the_example_has_a_meaning_in_the_file() -> None:
    example = (ROOT / "deploy" / "compose.env.example").read_text()
    optional = set(re.findall(r"^# ([A-Z_]+)=", example, re.MULTILINE))

    page = (ROOT / "docs" / "configuration.md").read_text()

    assert "EMAIL_URL" in optional
    assert [
        name
        for name in optional - {"COMPOSE_PROFILES"}
        if f"`{name}`" not in page and f"${{{name}" not in COMPOSE.read_text()
    ] == []


@pytest.mark.parametrize("name", OURS)
def test_each_process_runs_without_privileges_on_a_root_that_is_read_only(name: str) -> None:
    process = services()[name]

    assert process["read_only"] is True
    assert process["cap_drop"] == ["ALL"]
    assert process["security_opt"] == ["no-new-privileges:true"]
    assert "data:/var/lib/preferably" in process["volumes"]


@pytest.mark.parametrize("name", [*OURS, "postgres", "valkey"])
def test_each_service_says_whether_it_is_well_or_why_it_does_not(name: str) -> None:
    """What has `disable` ends when it is unwell, or shows it on a page of the site."""
    assert services()[name]["healthcheck"]


def test_each_service_has_a_limit_of_memory_and_a_log_that_does_not_grow() -> None:
    """A process that takes all memory takes the database with it, and a full disk the site."""
    logging = {"driver": "json-file", "options": {"max-size": "10m", "max-file": "5"}}

    assert {name for name, service in services().items() if "mem_limit" not in service} == set()
    assert {
        name for name, service in services().items() if service.get("logging") != logging
    } == set()


def test_no_word_of_a_health_check_has_a_space() -> None:
    """podman's API splits it there."""
    tests = [
        service["healthcheck"].get("test", [])
        for service in services().values()
        if "healthcheck" in service
    ]
    (of_the_image,) = [line for line in stages()["web"] if line.startswith("HEALTHCHECK")]
    tests.append(["CMD", *json.loads(of_the_image.partition(" CMD ")[2])])

    asked = [test for test in tests if test]
    assert len(asked) >= 7
    assert [test for test in asked if test[0] != "CMD" or any(" " in word for word in test)] == []


def test_images_are_named_by_the_release_so_that_the_one_before_stays() -> None:
    release = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    images = {services()[name]["image"] for name in OURS}

    assert images == {f"preferably-{name}:${{IMAGE_TAG:-{release}}}" for name in ("web", "node")}


def test_each_image_of_others_can_be_named_by_its_digest() -> None:
    """The guide names the variable of each, and the one that ours are built on is the default."""
    others = {name: service["image"] for name, service in services().items() if name not in OURS}
    built = {str(services()[name]["build"]["args"]["PYTHON"]) for name in OURS}
    guide = (ROOT / "docs" / "operators.md").read_text()

    named = {re.match(r"\$\{([A-Z]+_IMAGE):-\S+}$", image) for image in [*others.values(), *built]}
    assert len(named) == len(others) + 1
    assert [each for each in named if each is None or f"`{each[1]}`" not in guide] == []
    (base,) = re.findall(r"^ARG PYTHON=(\S+)$", "\n".join(instructions()), re.MULTILINE)
    assert built == {f"${{PYTHON_IMAGE:-{base}}}"}


def test_the_way_back_sets_what_the_file_reads() -> None:
    (lines,) = [one.text for one in guides.blocks() if one.text.startswith("IMAGE_TAG=")]
    page = (ROOT / "docs" / "configuration.md").read_text()

    tag, newer = (line.partition("=")[0] for line in lines.splitlines())
    assert f"${{{tag}:-" in COMPOSE.read_text()
    assert f"`{newer}`" in page


def test_the_site_starts_after_the_migration_and_only_then() -> None:
    condition = {"condition": "service_completed_successfully"}
    waiting = [name for name in OURS if services()[name]["depends_on"].get("migrate") == condition]

    assert waiting == [name for name in OURS if name != "migrate"]


def test_the_database_and_the_broker_are_not_reached_from_outside() -> None:
    assert [services()[name]["networks"] for name in ("postgres", "valkey")] == [["inside"]] * 2
    assert yaml.safe_load(COMPOSE.read_text())["networks"]["inside"] == {"internal": True}
    assert [name for name, service in services().items() if "ports" in service] == ["caddy"]


def test_each_volume_has_a_name_except_for_uploads_while_they_arrive() -> None:
    mounted = [each for service in services().values() for each in service["volumes"]]
    volumes = yaml.safe_load(COMPOSE.read_text())["volumes"]

    unnamed = {each.partition(":")[0] for each in mounted} - set(volumes)
    assert unnamed == {"/var/tmp"}  # noqa: S108  # a path in a container


@pytest.mark.parametrize(
    ("service", "unit"),
    [
        ("short", "preferably-short"),
        ("beat", "preferably-beat"),
        ("models", "preferably-models"),
        ("models-external", "preferably-models"),
    ],
)
def test_a_service_runs_the_command_of_its_unit(service: str, unit: str) -> None:
    text = (ROOT / "deploy" / f"{unit}.service").read_text()
    started = re.findall(r"^ExecStart=\S+/bin/(.*)$", text, re.MULTILINE)

    # systemd writes %H for the name of the machine, Celery %h.
    assert [" ".join(services()[service]["command"])] == [started[0].replace("%H", "%h")]


def test_the_second_web_process_is_like_the_first() -> None:
    assert services()["web-2"] == services()["web"]


@pytest.mark.skipif(CADDY is None, reason="caddy is missing")
def test_caddy_understands_its_file_and_sends_requests_to_both_web_processes(
    tmp_path: Path,
) -> None:
    content = yaml.safe_load(COMPOSE.read_text())["configs"]["caddyfile"]["content"]
    file = tmp_path / "Caddyfile"
    file.write_text(content.replace("${HOST_NAME}", THREE_LINES["HOST_NAME"]))

    done = subprocess.run(
        [str(CADDY), "adapt", "--config", str(file), "--adapter", "caddyfile", "--validate"],
        env={"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert set(re.findall(r'"dial":"([^"]+)"', done.stdout)) == {"web:8000", "web-2:8000"}


# The images


def instructions() -> list[str]:
    joined = re.sub(r"\\\n", " ", (ROOT / "deploy" / "Containerfile").read_text())
    return [line for line in joined.splitlines() if line and not line.startswith("#")]


def stages() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in instructions():
        if start := re.match(r"FROM \S+ AS (\w+)$", line):
            lines = found.setdefault(start[1], [])
        elif found:
            lines.append(line)
    return found


def test_both_images_run_as_nobody_special_with_pinned_packages() -> None:
    for name in ("web", "node"):
        users = [line for line in stages()[name] if line.startswith("USER")]
        installed = [line for line in stages()[name] if "pip install" in line]

        assert users == ["USER 10001:10001"], name
        assert len(installed) == 2, name
        assert f"pip install --require-hashes -r /locks/{name}.txt" in installed[0], name
        assert installed[1].endswith("pip install --no-deps /wheels/*.whl"), name


def test_only_the_image_of_a_node_has_torch() -> None:
    locks = {name: (ROOT / "deploy/locks" / f"{name}.txt").read_text() for name in ("web", "node")}

    assert re.search(r"^torch==", locks["node"], re.MULTILINE)
    assert not re.search(r"^torch==", locks["web"], re.MULTILINE)
    assert all(re.search(r"^s3fs==", text, re.MULTILINE) for text in locks.values())


def test_the_web_image_has_the_programs_of_the_database_that_compose_starts() -> None:
    (version,) = re.findall(r"postgres:(\d+)}$", services()["postgres"]["image"])
    installed = [line for line in stages()["web"] if f" postgresql-client-{version} " in line]

    assert len(installed) == 1


def test_backups_go_to_a_folder_that_the_site_may_write_to() -> None:
    """A named volume gets the owner of the folder in the image."""
    assert all("backups:/backups" in services()[name]["volumes"] for name in OURS)
    assert any("install -d -o preferably" in line for line in stages()["base"])


def test_the_web_image_starts_as_the_unit_does_and_is_asked_how_it_is() -> None:
    unit = (ROOT / "deploy" / "preferably-web@.service").read_text()
    options = re.findall(r"^ExecStart=\S+/bin/(.*)$", unit, re.MULTILINE)[0].split()
    (command,) = [line for line in stages()["web"] if line.startswith("CMD")]

    started = json.loads(command.removeprefix("CMD "))
    assert set(options) - set(started) == {"127.0.0.1:%i"}
    assert any(line.startswith("HEALTHCHECK") for line in stages()["web"])


def test_the_context_of_an_image_has_the_site_and_nothing_else() -> None:
    """By .dockerignore, whose last matching line decides."""
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    sent = {name for name in tracked if is_sent(name)}

    folders = {name.partition("/")[0] for name in sent}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {name.rstrip("*") for name in packages} | {"templates", "static", "deploy"} <= folders
    assert {"pyproject.toml", "constraints.txt", "README.md", "docs/raters.md"} <= sent
    assert not folders & {"tests", "benchmarks", "clients", ".ci", ".git", ".venv"}
    assert not is_sent(".venv/bin/python")
    assert not is_sent(".git/config")
    assert not is_sent("config/__pycache__/env.cpython-311.pyc")
    assert not is_sent(".env")


def is_sent(name: str) -> bool:
    parents = [name, *map(str, Path(name).parents)]
    answer = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.lstrip("!").removeprefix("**/")
        whole = [parent for parent in parents if fnmatch(parent, pattern)]
        inside = line.startswith("**/") and any(fnmatch(p, pattern) for p in Path(name).parts)
        if line and not line.startswith("#") and (whole or inside):
            answer = line.startswith("!")
    return answer
