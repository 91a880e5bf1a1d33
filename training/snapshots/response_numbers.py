"""Which of a model's responses a sampling run wrote: each run has its own stretch of numbers, so
that storing twice stores once.

Standard library only.
"""

PER_RUN = 1000


def numbers_of(run_id: int) -> range:
    """Of the answers that this run wrote to each prompt."""
    return range(run_id * PER_RUN, (run_id + 1) * PER_RUN)


def response_number(*, run_id: int, number: int) -> int:
    """What tells the `number`th answer of a sampling run to a prompt from those of other runs of
    the same model.
    """
    return numbers_of(run_id)[number]
