"""What a child process does not get: the site's secrets, and keys of servers it does not need."""

import os
import subprocess
import sys

import pytest
from django.conf import LazySettings

from config import env
from training.processes import environment

SECRETS = [
    "DATABASE_URL",
    "DATABASE_PASSWORD",
    "POSTGRES_PASSWORD",
    "PGPASSWORD",
    "PGPASSFILE",
    "REDIS_URL",
    "EMAIL_URL",
    "PREFERABLY_SECRET_KEY",
    "PREFERABLY_OLD_SECRET_KEYS",
    "PREFERABLY_KEY_LLM",
    "PREFERABLY_METRICS_TOKEN",
    "PREFERABLY_PROLIFIC_TOKEN",
    "PREFERABLY_OIDC_COMPANY_CLIENT_SECRET",
    "PREFERABLY_BACKUP_URL",
    "SENTRY_DSN",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AZURE_STORAGE_CONNECTION_STRING",
    "AZURE_STORAGE_KEY",
    "AZURE_CLIENT_SECRET",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GCP_SERVICE_ACCOUNT",
    "B2_APPLICATION_KEY",
    "HF_TOKEN",
    "HF_API_TOKEN",
    "HF_TOKEN_PATH",
    "HUGGING_FACE_HUB_TOKEN",
    "HUGGINGFACE_API_KEY",
    "VLLM_API_KEY",
    "WANDB_API_KEY",
    "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_TRACKING_TOKEN",
    "COMET_API_KEY",
    "NEPTUNE_API_TOKEN",
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "OPENAI_ORG",
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "GITLAB_PAT",
    "NPM_TOKEN",
    "PIP_INDEX_URL",
    "UV_INDEX_URL",
    "SLACK_WEBHOOK",
    "STRIPE_SECRET",
    "VAULT_TOKEN",
    "KUBECONFIG",
    "SSH_AUTH_SOCK",
    "DOCKER_AUTH_CONFIG",
    "TORCH_API_KEY",
    "PYTHON_KEYRING_PASSWORD",
    "NCCL_SECRET",
    "CUSTOMER_LIST",
    "SOMETHING_NEW",
    "XDG_SESSION_COOKIE",
]
"""Names as sites, clouds and trackers use them. Their values are made up."""
NEEDED = [
    "CUDA_VISIBLE_DEVICES",
    "CUDA_HOME",
    "NVIDIA_VISIBLE_DEVICES",
    "NCCL_SOCKET_IFNAME",
    "NCCL_DEBUG",
    "GLOO_SOCKET_IFNAME",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "PYTORCH_CUDA_ALLOC_CONF",
    "TORCH_HOME",
    "TRITON_CACHE_DIR",
    "HF_HOME",
    "HF_HUB_CACHE",
    "HF_ENDPOINT",
    "HF_HUB_OFFLINE",
    "TRANSFORMERS_CACHE",
    "TOKENIZERS_PARALLELISM",
    "VLLM_CACHE_ROOT",
    "XDG_CACHE_HOME",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "HTTPS_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "TMPDIR",
    "PREFERABLY_ROLLOUT_URL",
    "PREFERABLY_TRACKERS",
]


def names_with(value: str) -> set[str]:
    return {name for name, given in environment.without_secrets().items() if given == value}


def test_a_child_of_a_parent_with_many_secrets_inherits_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the child itself sees, and not what the function says."""
    for name in SECRETS:
        monkeypatch.setenv(name, "made-up")
    code = "import os; print([name for name, value in os.environ.items() if value == 'made-up'])"

    child = subprocess.run(
        [sys.executable, "-c", code],
        env=environment.without_secrets(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert len(SECRETS) >= 50
    assert child.stdout.strip() == "[]"


def test_no_setting_of_the_site_reaches_a_child_but_those_it_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in env.KNOBS:
        monkeypatch.setenv(name, "of the site")

    assert {
        name for name in names_with("of the site") if not name.startswith(("HF_", "CUDA_"))
    } == {
        "PREFERABLY_HOME",
        "PREFERABLY_MODE",
        "PREFERABLY_ROLLOUT_URL",
        "PREFERABLY_TRACKERS",
    }


def test_a_child_finds_its_programs_gpus_and_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NEEDED:
        monkeypatch.setenv(name, "needed")

    assert names_with("needed") == set(NEEDED)
    assert environment.without_secrets()["PATH"] == os.environ["PATH"]


def test_a_tracker_has_its_own_key_and_an_operator_adds_variables(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TRACKERS, settings.CHILD_VARIABLES = ["wandb"], ["OF_THE_CLUSTER"]
    for name in ("WANDB_API_KEY", "WANDB_PROJECT", "MLFLOW_TRACKING_TOKEN", "OF_THE_CLUSTER"):
        monkeypatch.setenv(name, "x")

    assert names_with("x") == {"WANDB_API_KEY", "WANDB_PROJECT", "OF_THE_CLUSTER"}


def test_only_a_key_is_read_as_a_key(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ENDPOINT_KEYS = {"PREFERABLY_KEY_LLM": "sk"}
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")

    assert [
        environment.key_of(name)
        for name in ("PREFERABLY_KEY_LLM", "PREFERABLY_KEY_NONE", "DATABASE_URL", "")
    ] == [
        "sk",
        "",
        "",
        "",
    ]
