"""What may be loaded where, in a fresh interpreter: lint reads the source, this checks what is
really imported.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GPU_NODE_ONLY = {"torch", "transformers", "trl", "datasets", "accelerate", "peft"}
WEB_SIDE = """
import importlib, json, pkgutil, sys
import django
django.setup()
names = ("accounts", "config", "jobs", "labeling", "training")
rooms = [importlib.import_module(room) for room in names]
for room in rooms:
    for module in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
        if not module.name.startswith("training.trainer"):
            importlib.import_module(module.name)
print(json.dumps(sorted(sys.modules)))
"""
CHILD_SIDE = """
import json, sys
import training.configs.kinds, training.processes.run_dir, training.trainer.__main__
print(json.dumps(sorted(sys.modules)))
"""


@pytest.mark.slow
def test_the_whole_web_side_loads_without_what_is_slow_or_of_a_gpu_node() -> None:
    modules = loaded_by(WEB_SIDE)

    assert packages(modules) & GPU_NODE_ONLY == set()
    assert "scipy.stats" not in modules  # 0.3 s in each process of a site; scipy.special does


def test_the_training_child_loads_without_django_and_celery() -> None:
    modules = loaded_by(CHILD_SIDE)

    assert packages(modules) & {"django", "celery", "labeling", "accounts", "config"} == set()


def packages(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def loaded_by(program: str) -> set[str]:
    environment = {
        "PREFERABLY_MODE": "test",
        "DATABASE_URL": "sqlite://:memory:",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))
