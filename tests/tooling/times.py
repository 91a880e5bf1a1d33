"""What the tests cost in processor time: a line at the end and, with `--durations`, a list by
folder.

A busy machine stretches seconds, but hardly what is computed in them. So `--cpu-bar` is about
processor time: a run fails whose tests cost more on average.
"""

import contextlib
import os
from collections import Counter
from collections.abc import Generator
from pathlib import PurePosixPath

import psutil
import pytest
from _pytest.terminal import TerminalReporter

OVER = pytest.StashKey[bool]()
_spent = 0.0


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
    global _spent
    report = yield
    before, _spent = _spent, own_seconds()
    report.__dict__["cpu_s"] = _spent - before  # xdist sends it on
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    yield
    if session.config.stash.get(OVER, False) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    seconds: Counter[str] = Counter()
    tests: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                folder = _folder(report.nodeid)
                seconds[folder] += report.__dict__.get("cpu_s", 0)
                tests[folder] += report.when == "call"
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
        config.stash[OVER] = bar is not None and mean > bar
        limit = "" if bar is None else f"; at most {bar:.3f} s"
        terminalreporter.write_line(
            f"processor time: {total:.0f} s, {mean:.3f} s a test{limit}", red=config.stash[OVER]
        )


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
