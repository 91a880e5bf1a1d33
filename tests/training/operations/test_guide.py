"""What the operators' guide says about monitoring, tried as it is written."""

import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from django.conf import LazySettings
from django.test import Client

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "docs" / "operators.md").read_text()
MONITOR = GUIDE.partition("\n## Monitor\n")[2].partition("\n## ")[0]
CURLS = re.findall(r"^    (curl .*)$", MONITOR, re.MULTILINE)


@pytest.mark.parametrize("command", CURLS)
def test_each_curl_of_the_guide_is_answered(
    client: Client, settings: LazySettings, command: str
) -> None:
    settings.METRICS_TOKEN = "from the environment"
    words = shlex.split(command.replace("$PREFERABLY_METRICS_TOKEN", settings.METRICS_TOKEN))
    headers = dict(words[i + 1].split(": ") for i, word in enumerate(words) if word == "-H")

    answer = client.get(urlsplit(words[-1]).path, headers=headers)

    assert answer.status_code == 200


def test_the_guide_has_the_curls() -> None:
    assert len(CURLS) == 3


def test_the_configuration_of_prometheus_is_yaml_with_a_token() -> None:
    block = MONITOR.partition("    scrape_configs:\n")[2].partition("\n\n")[0]

    (job,) = yaml.safe_load(block)

    assert job["authorization"] == {"credentials_file": "/etc/prometheus/preferably.token"}
    assert "metrics_path" not in job  # /metrics is Prometheus's own default
