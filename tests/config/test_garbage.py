"""How often each process of the site looks for garbage."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow
PROCESSES = {
    "web": "import config.wsgi",
    "worker": "from config.celery import app; app.loader.init_worker()",
    "command": "import django; django.setup()",
}


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_that_is_loaded_looks_for_garbage_as_often_as_python_does(process: str) -> None:
    """Rows that refer to each other are garbage that only a full collection finds. When these came
    once in 100 million objects, an export of 155,000 rankings took 1.2 GB.
    """
    program = (
        f"import gc\n{PROCESSES[process]}\nprint(gc.get_threshold(), gc.get_freeze_count() > 0)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.stdout.strip().endswith("(700, 10, 10) True"), done.stderr
