"""A slow call in a thread: its result and its error both reach the caller."""

import pytest

from training.processes import background


def test_the_result_arrives() -> None:
    assert background.start(lambda: 7, name="seven").result(timeout=60) == 7


def test_an_error_that_nobody_foresaw_is_raised_where_the_result_is_read() -> None:
    def call() -> None:
        raise ZeroDivisionError("no")

    done = background.start(call, name="broken")

    with pytest.raises(ZeroDivisionError, match="no"):
        done.result(timeout=60)
