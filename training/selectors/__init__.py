"""Every multi-row read of the training half, one module a noun."""

from training.selectors.runs import queued_run_ids

__all__ = ["queued_run_ids"]
