"""Response numbers of sampling runs: each run has a range of its own, so that storing its responses
twice changes nothing.

Standard library only.
"""

PER_RUN = 1000


def numbers_of(run_id: int) -> range:
    """The numbers for this run's responses to each prompt."""
    return range(run_id * PER_RUN, (run_id + 1) * PER_RUN)


def response_number(*, run_id: int, number: int) -> int:
    """The stored number of a run's `number`th response to a prompt, unique among runs of the same
    model.
    """
    return numbers_of(run_id)[number]
