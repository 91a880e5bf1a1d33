"""What Kubernetes says of an object, by its own schemas."""

import json
import zipfile
from functools import cache
from typing import Any

import jsonschema_rs

from tests.house.deploy.helm import SCHEMAS

IN_FILE = "kubernetes_validate/kubernetes-json-schema/v{version}-local-strict/{name}.json"
DEFINITIONS = "json-schema:///api/_definitions.json"


def problems(version: str, manifest: dict[str, Any]) -> list[str]:
    """With the path of what is wrong. A field that the API does not know is wrong too."""
    group, _slash, api = manifest["apiVersion"].rpartition("/")
    parts = [manifest["kind"].lower(), *group.split(".")[:1], api]
    schema = _read(version, "-".join(part for part in parts if part))
    check = jsonschema_rs.validator_for(schema, registry=_definitions(version))
    return [
        f"{manifest['kind']} {'/'.join(map(str, error.instance_path))}: {error.message}"
        for error in check.iter_errors(manifest)
    ]


@cache
def _definitions(version: str) -> jsonschema_rs.Registry:
    return jsonschema_rs.Registry([(DEFINITIONS, _read(version, "_definitions"))])


def _read(version: str, name: str) -> Any:
    return json.loads(_file().read(IN_FILE.format(version=version, name=name)))


@cache
def _file() -> zipfile.ZipFile:
    return zipfile.ZipFile(SCHEMAS)
