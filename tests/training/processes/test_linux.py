"""What the kernel reports about a local process."""

import os
import signal
import subprocess
import sys

from training.processes import linux


def test_a_process_started_at_one_time_for_as_long_as_it_lives() -> None:
    assert linux.start_time(os.getpid()) == linux.start_time(os.getpid()) != ""


def test_a_process_that_ended_has_no_start_even_before_its_parent_has_waited_for_it() -> None:
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as ended:
        assert ended.stdout is not None
        ended.stdout.read()  # returns when the process closes it at its end
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)

        assert linux.start_time(ended.pid) == ""


def test_the_signal_at_a_parents_death_is_the_one_that_was_asked_for() -> None:
    code = (
        "import signal; from training.processes import linux;"
        " linux.die_with_parent(signal.SIGUSR1); print(linux.parent_death_signal())"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.stdout.strip() == str(int(signal.SIGUSR1))
