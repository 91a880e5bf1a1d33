"""A kind of run that is not in the product: docs/adding-a-kind.md builds it. Its two files are
found as training.configs.word_count and training.trainer.word_count, as if they lay there.
"""

import importlib
import sys
from pathlib import Path

from training import configs, trainer
from training.configs import kinds

NAME = "word-count"
_MODULE = "word_count"
_HERE = Path(__file__).parent
CONFIG = _HERE / "configs" / f"{_MODULE}.py"
TRAINER = _HERE / "trainer" / f"{_MODULE}.py"


def install() -> None:
    configs.__path__.append(str(CONFIG.parent))
    trainer.__path__.append(str(TRAINER.parent))
    kinds.register(importlib.import_module(f"training.configs.{_MODULE}").WordCountConfig)


def remove() -> None:
    del kinds.KINDS[NAME], kinds.PRESETS[NAME]
    configs.__path__.remove(str(CONFIG.parent))
    trainer.__path__.remove(str(TRAINER.parent))
    for package in ("configs", "trainer"):
        sys.modules.pop(f"training.{package}.{_MODULE}", None)
