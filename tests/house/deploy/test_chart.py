"""The chart renders to what Kubernetes takes, runs the same commands as the units, and documents
each of its values.
"""

import math
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.db import connection

from accounts.models import User
from tests.house.deploy import schemas
from tests.house.deploy.helm import SCHEMAS
from tests.training import cast
from tests.training.runs.estimates.shapes import QWEN_7B
from training.configs.cost import estimates
from training.configs.cost.sizes import GIB, Rows
from training.configs.kinds import PRESETS
from training.models import Run
from training.processes.launch import Launch
from training.runs.estimates import plan
from training.runs.estimates.plan import Asked

ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "deploy" / "chart"
HELM = os.environ.get("HELM") or shutil.which("helm")
REQUIRED = {
    "host": "label.example.org",
    "existingSecret": "preferably",
    "artifacts": "s3://bucket/preferably",
    "image.web": "registry.example.org/preferably-web:1",
    "image.node": "registry.example.org/preferably-node:1",
}
EVERYTHING = {
    "models.enabled": "true",
    "node.autoscaling.enabled": "true",
    "environment.PREFERABLY_OIDC_COMPANY_LABEL": "Example Inc.",
    "web.autoscaling.enabled": "false",
}
SETTING = {"name": "PREFERABLY_OIDC_COMPANY_LABEL", "value": "Example Inc."}
POD = {"runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001}
needs_schemas = pytest.mark.skipif(not SCHEMAS.exists(), reason="no schemas; see helm.py")
needs_helm = pytest.mark.skipif(HELM is None, reason="helm is not installed here")


def helm(*arguments: str, **values: str) -> "subprocess.CompletedProcess[str]":
    chosen = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
    return subprocess.run(
        [str(HELM), *arguments, str(CHART), *chosen], capture_output=True, text=True
    )


@cache
def rendered(*, is_everything: bool) -> list[dict[str, Any]]:
    done = helm("template", "site", **REQUIRED | (EVERYTHING if is_everything else {}))
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def pods(*, is_everything: bool = True) -> Iterator[tuple[str, dict[str, Any]]]:
    for each in rendered(is_everything=is_everything):
        if each["kind"] in ("Deployment", "StatefulSet", "Job"):
            yield each["metadata"]["name"].removeprefix("site-"), each["spec"]["template"]["spec"]


@needs_helm
@pytest.mark.parametrize("values", [REQUIRED, REQUIRED | EVERYTHING])
def test_helm_finds_nothing_wrong(values: dict[str, str]) -> None:
    done = helm("lint", "--strict", **values)

    assert "[WARNING]" not in done.stdout
    assert done.returncode == 0, done.stdout


@needs_helm
@needs_schemas
@pytest.mark.parametrize("version", ["1.27.0", "1.37.0"])
@pytest.mark.parametrize("is_everything", [False, True])
def test_kubernetes_takes_each_object(version: str, is_everything: bool) -> None:
    """From the oldest version that the chart allows. KEDA's objects are not Kubernetes's."""
    there = rendered(is_everything=is_everything)
    own = [one for one in there if not one["apiVersion"].startswith("keda.sh/")]

    assert len(own) > 6
    assert [line for one in own for line in schemas.problems(version, one)] == []


@needs_schemas
def test_an_object_that_kubernetes_does_not_take_is_noticed() -> None:
    service = {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"prot": 80}]}}

    (problem, *_more) = schemas.problems("1.37.0", service)

    assert problem.startswith("Service spec/ports/0: ")


@needs_helm
@pytest.mark.parametrize("missing", REQUIRED)
def test_a_value_that_is_missing_is_named(missing: str) -> None:
    done = helm("template", "site", **{name: REQUIRED[name] for name in {*REQUIRED} - {missing}})

    assert done.returncode != 0
    assert f"Set {missing} to" in done.stderr


@needs_helm
def test_each_process_of_a_site_is_there() -> None:
    few = {name for name, _pod in pods(is_everything=False)}

    assert few == {"migrate", "web", "short", "beat", "node"}
    assert {name for name, _pod in pods()} == few | {"models"}


@needs_helm
def test_each_pod_runs_without_privileges_on_a_root_that_is_read_only() -> None:
    for name, pod in pods():
        (container,) = pod["containers"]
        assert pod["securityContext"].items() >= POD.items(), name
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name


@needs_helm
def test_each_variable_is_one_that_the_site_reads() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    named = {one["name"] for _name, pod in pods() for one in pod["containers"][0]["env"]}

    named -= {"RUNS_AT_ONCE", SETTING["name"]}
    assert {name for name in named if f"`{name}`" not in page} == set()


@needs_helm
def test_each_pod_gets_every_setting_that_an_operator_writes() -> None:
    """Those of the secret, such as credentials of the artifact store, and those of the values."""
    for name, pod in pods():
        (container,) = pod["containers"]
        assert container["envFrom"] == [{"secretRef": {"name": "preferably"}}], name
        assert SETTING in container["env"], name


@needs_helm
@pytest.mark.parametrize("part", ["short", "beat", "models"])
def test_a_pod_runs_the_command_of_its_unit(part: str) -> None:
    text = (ROOT / "deploy" / f"preferably-{part}.service").read_text()
    started = re.findall(r"^ExecStart=\S+/bin/(.*)$", text, re.MULTILINE)[0]

    command = dict(pods())[part]["containers"][0]["command"]

    assert " ".join(command) == started.replace("%H", "%h")


@needs_helm
def test_web_is_asked_by_probes_that_need_no_host_name() -> None:
    (container,) = dict(pods())["web"]["containers"]
    asked = [container[probe]["httpGet"] for probe in ("livenessProbe", "readinessProbe")]

    assert [one["path"] for one in asked] == ["/livez", "/readyz"]
    assert [one for one in asked if "httpHeaders" in one] == []


@needs_helm
def test_nothing_reaches_a_pod_from_outside_but_requests_for_pages() -> None:
    """Every pod is chosen by the policy that lets only the release's own pods in; web by one more,
    with its port.
    """
    there = rendered(is_everything=True)
    own, web = [each["spec"] for each in there if each["kind"] == "NetworkPolicy"]
    release = own["podSelector"]["matchLabels"]
    labels = [
        each["spec"]["template"]["metadata"]["labels"]
        for each in there
        if each["kind"] in ("Deployment", "StatefulSet", "Job")
    ]

    assert all(release.items() <= one.items() for one in labels)
    assert own["ingress"] == [{"from": [{"podSelector": {"matchLabels": release}}]}]
    assert [web["podSelector"]["matchLabels"].items() <= one.items() for one in labels].count(
        True
    ) == 1
    assert web["ingress"] == [{"ports": [{"port": "http"}]}]


@needs_helm
def test_a_node_has_the_cards_and_the_time_that_a_run_needs() -> None:
    pod = dict(pods())["node"]

    assert pod["containers"][0]["resources"]["limits"] == {"memory": "64Gi", "nvidia.com/gpu": 1}
    assert pod["terminationGracePeriodSeconds"] == 600


@needs_helm
def test_nodes_are_counted_by_the_runs_that_are_not_finished() -> None:
    (scaled,) = [one for one in rendered(is_everything=True) if one["kind"] == "ScaledObject"]
    query = scaled["spec"]["triggers"][0]["metadata"]["query"]

    unfinished = set(Run.State.values) - {Run.State.FINISHED.value}
    assert f"FROM {Run._meta.db_table} " in query
    (states,) = re.findall(r"state IN \(([^)]*)\)", query)
    assert set(re.findall(r"'(\w+)'", states)) == unfinished


def n_nodes(*, gpus: int, at_once: int) -> int:
    """As KEDA counts them: by the template's own query."""
    template = (CHART / "templates" / "node.yaml").read_text()
    lines = re.findall(r"query: >-\n((?: {10}.*\n)+)", template)[0]
    query = " ".join(line.strip() for line in lines.splitlines())
    query = query.replace("{{ .Values.node.gpus }}", str(gpus))
    query = query.replace("{{ .Values.node.runsAtOnce }}", str(at_once))
    with connection.cursor() as cursor:
        cursor.execute(query)
        nodes: float = cursor.fetchone()[0]
    return math.ceil(nodes)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "gpus", "at_once", "expected"),
    [
        ([1] * 8, 8, 8, 1),
        ([1] * 9, 8, 8, 2),
        ([1] * 8, 8, 1, 8),
        ([1] * 3, 1, 1, 3),
        ([8, 1], 8, 8, 2),
        ([5, 5, 5], 8, 8, 3),
        ([4, 4], 8, 8, 1),
        ([0, 0], 4, 2, 1),
        ([2, 8], 1, 1, 0),
        ([], 8, 8, 0),
    ],
)
def test_nodes_are_counted_by_the_cards_that_runs_ask_for(
    asked: list[int], gpus: int, at_once: int, expected: int, noor: User
) -> None:
    for n_gpus in asked:
        cast.a_run(noor, n_gpus=n_gpus)

    assert n_nodes(gpus=gpus, at_once=at_once) == expected


@pytest.mark.django_db
def test_a_run_on_several_machines_has_a_node_on_each(noor: User) -> None:
    cast.a_run(noor, n_gpus=1, launch=Launch(n_machines=3).as_json())
    cast.a_run(noor, n_gpus=1, launch={})  # of an earlier release
    cast.finished(cast.a_run(noor, n_gpus=8), "succeeded")

    assert n_nodes(gpus=8, at_once=8) == 4


def test_a_node_of_one_card_may_hold_what_a_run_of_seven_billion_weights_needs() -> None:
    """The chart's default limit of memory, which /dev/shm counts towards, against the plan."""
    node = yaml.safe_load((CHART / "values.yaml").read_text())["node"]
    limit, shared = (
        int(size.removesuffix("Gi"))
        for size in (node["resources"]["limits"]["memory"], node["sharedMemory"])
    )
    shape = estimates.shape_of(QWEN_7B)
    assert shape is not None
    rows = Rows(1000, 1000, 1000, 100, 256, 256)

    for kind in ("sft", "reward", "dpo", "ppo", "sample"):
        asked = Asked(PRESETS[kind]["balanced"], shape, rows, n_gpus=node["gpus"])
        held = sum(plan.on_the_host(asked).values()) / GIB

        assert held + shared <= limit, kind


@needs_helm
def test_web_is_scaled_unless_that_is_turned_off() -> None:
    kinds = [one["kind"] for one in rendered(is_everything=False)]

    assert "HorizontalPodAutoscaler" in kinds
    assert "HorizontalPodAutoscaler" not in [one["kind"] for one in rendered(is_everything=True)]


# Without helm


def leaves(values: dict[str, Any], before: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict) and value and name != "resources":
            yield from leaves(value, f"{before}{name}.")
        else:
            yield f"{before}{name}"


def test_each_value_is_documented_and_used() -> None:
    values = set(leaves(yaml.safe_load((CHART / "values.yaml").read_text())))
    documented = re.findall(r"^\| `([\w.]+)` \|", (CHART / "README.md").read_text(), re.MULTILINE)
    templates = "".join(path.read_text() for path in (CHART / "templates").iterdir())
    used = set(re.findall(r"\.Values\.([\w.]+)", templates))

    assert sorted(documented) == sorted(values)
    assert used == values
