"""The hub that models and datasets are published to, and datasets come from."""

from pathlib import Path

from config import env

TOKEN = env.text(
    "HF_TOKEN",
    "Access token for the hub, used by the workers that publish to it and import from it.",
    default="",
)
URL = env.text(
    "HF_ENDPOINT", "URL of the hub that datasets come from.", default="https://huggingface.co"
).rstrip("/")
IS_OFFLINE = env.flag(
    "HF_HUB_OFFLINE", "1: import datasets from the local cache only.", default="0"
)
_HOME = Path(
    env.text(
        "HF_HOME",
        "Local cache of the hub, with datasets that a worker without a network can import.",
        default="~/.cache/huggingface",
    )
).expanduser()
CACHE, DATASETS_CACHE = _HOME / "hub", _HOME / "datasets"
DATA_CONTACT = env.text(
    "PREFERABLY_DATA_CONTACT",
    "Whom exported datasets name for questions and withdrawals: an e-mail address or a URL.",
    default="",
)
