"""What the tests cost in processor time: a line at the end and, with `--durations`, a list by
folder.

A busy machine stretches seconds, and what is computed in them less. So `--cpu-bar` is about
processor time: a run fails whose tests cost more on average. A slow processor, or one that others
share, stretches that too: a small computation is timed every EVERY tests, and the bar is as much
higher as it takes longer than REFERENCE_S.
"""

import contextlib
import os
import statistics
import time
from collections import Counter
from collections.abc import Generator, Sequence
from pathlib import PurePosixPath

import psutil
import pytest
from _pytest.terminal import TerminalReporter

OVER = pytest.StashKey[bool]()
EVERY = 100
REFERENCE_S = 0.013
"""Where a test cost .175 s on average. Where the same tests cost .265 s, it was .020."""
_spent = 0.0
_n_calls = 0


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--cpu-bar",
        type=float,
        metavar="SECONDS",
        help="fail where a test takes more processor time than this on average",
    )


def pytest_collection_finish() -> None:
    """What was spent until now is no test's."""
    global _spent
    _spent = own_seconds()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Notes what setup, call or teardown took in this process, and in children that have ended."""
    global _n_calls, _spent
    report = yield
    before, _spent = _spent, own_seconds()
    report.__dict__["cpu_s"] = _spent - before  # xdist sends it on
    if report.when == "call":
        if _n_calls % EVERY == 0:
            report.__dict__["yardstick_s"] = yardstick_s()
            _spent = own_seconds()
        _n_calls += 1
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    yield
    if session.config.stash.get(OVER, False) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    seconds: Counter[str] = Counter()
    tests: Counter[str] = Counter()
    yardsticks: list[float] = []
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                folder = _folder(report.nodeid)
                seconds[folder] += report.__dict__.get("cpu_s", 0)
                tests[folder] += report.when == "call"
                if "yardstick_s" in report.__dict__:
                    yardsticks.append(report.__dict__["yardstick_s"])
    total = tree_seconds()
    if config.getoption("durations") is not None:
        terminalreporter.section("processor time by folder")
        for folder, cpu_s in seconds.most_common():
            terminalreporter.write_line(f"{cpu_s:8.1f} s  {tests[folder]:5} tests  {folder}")
        rest = total - sum(seconds.values())
        terminalreporter.write_line(f"{rest:8.1f} s  collecting, servers, browsers")
    if tests.total():
        bar = config.getoption("--cpu-bar")
        mean = total / tests.total()
        slow = slowness(yardsticks)
        config.stash[OVER] = bar is not None and mean > bar * slow
        limit = "" if bar is None else f"; at most {bar:.3f} × {slow:.2f} s"
        terminalreporter.write_line(
            f"processor time: {total:.0f} s, {mean:.3f} s a test{limit}", red=config.stash[OVER]
        )


def slowness(yardsticks: Sequence[float]) -> float:
    """How many times slower than the reference the processor is; never below 1, so that a fast one
    does not lower the bar.
    """
    return max(statistics.median(yardsticks) / REFERENCE_S, 1.0) if yardsticks else 1.0


def yardstick_s() -> float:
    """Processor time of a small computation that leaves nothing for the garbage collector."""
    started, n_even = time.process_time(), 0
    for n in range(200_000):
        n_even += len(str(n * 7919)) % 2 == 0
    return time.process_time() - started


def own_seconds() -> float:
    """Of this process and of its children that have ended."""
    return sum(os.times()[:4])


def tree_seconds() -> float:
    """Of scripts/run_with_services.py, which has started this process, and all that it started."""
    top = psutil.Process(os.getppid())
    seconds = 0.0
    for process in [top, *top.children(recursive=True)]:
        with contextlib.suppress(psutil.Error):  # it has just ended
            seconds += sum(process.cpu_times()[:4])
    return seconds


def _folder(nodeid: str) -> str:
    """The first three folders at most: tests/browser, tests/browser/desk."""
    folders = PurePosixPath(nodeid.split("::")[0]).parent.parts
    return "/".join(folders[:3])
