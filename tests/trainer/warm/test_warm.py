"""Warm children: when one fails, nobody waits for the others."""

import os
import sys
import time
from pathlib import Path

from tests.trainer import warm

TWO = [{"RANK": "0"}, {"RANK": "1"}]


def one_fails() -> None:
    rank = int(os.environ["RANK"])
    sys.stderr.write(f"rank {rank} is here\n")
    sys.stderr.flush()
    time.sleep(0 if rank else 600)
    sys.exit(3)


def test_when_one_child_fails_the_others_are_killed_and_its_exit_code_is_returned(
    tmp_path: Path,
) -> None:
    done = warm.together(one_fails, environments=TWO, log=tmp_path / "log", limit_s=120)

    assert done.returncode == 3
    assert "rank 1 is here" in done.stderr
