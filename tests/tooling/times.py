"""With `--durations`: how many seconds the tests of each folder took, summed over processes."""

from collections import Counter
from pathlib import PurePosixPath

import pytest
from _pytest.terminal import TerminalReporter


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    if config.getoption("durations") is None:
        return
    seconds: Counter[str] = Counter()
    tests: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                folder = _folder(report.nodeid)
                seconds[folder] += report.duration  # type: ignore[assignment]  # a float counts too
                tests[folder] += report.when == "call"
    terminalreporter.section("seconds by folder")
    for folder, total in seconds.most_common():
        terminalreporter.write_line(f"{total:8.1f} s  {tests[folder]:5} tests  {folder}")
    terminalreporter.write_line(f"{sum(seconds.values()):8.1f} s  {tests.total():5} tests")


def _folder(nodeid: str) -> str:
    """The first two folders at most: tests/browser, tests/browser/desk."""
    folders = PurePosixPath(nodeid.split("::")[0]).parent.parts
    return "/".join(folders[:3])
