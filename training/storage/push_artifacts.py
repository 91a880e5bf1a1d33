"""Uploads a run's newest checkpoint and folds to the artifact store in a thread, so that training
never waits.
"""

import logging
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from training.processes import run_dir
from training.storage import artifacts, store

RETRY_AFTER_S = 10.0
logger = logging.getLogger(__name__)


@dataclass
class CheckpointUploader:
    """Uploads for one attempt. Does nothing if the store is a local folder."""

    folder: Path
    run_id: int
    attempt: int
    _sent: int = 0
    _sent_folds: int = 0
    _thread: threading.Thread | None = None
    _not_before: float = 0.0
    _is_shared: bool = field(default_factory=artifacts.is_shared)

    def send_if_new(self) -> None:
        """Starts an upload if there is something new and none is running. Call it often."""
        if not self._is_shared or self._is_busy() or time.monotonic() < self._not_before:
            return
        if self._newest() is not None or self._has_new_folds():
            self._thread = threading.Thread(
                target=self._send, name="checkpoint-uploader", daemon=True
            )
            self._thread.start()

    def finish(self) -> None:
        """Waits for the current upload, then uploads what is newer. Raises
        store.StoreUnavailable.
        """
        if not self._is_shared:
            return
        if self._thread is not None:
            self._thread.join()
        self._send_new()

    def mark_sent(self, step: int) -> None:
        """The store already has this step: the attempt resumed from it."""
        self._sent = step

    def mark_folds_sent(self, n: int) -> None:
        """The store already has this many folds."""
        self._sent_folds = n

    def _is_busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _newest(self) -> Path | None:
        newest = run_dir.newest_checkpoint(self.folder)
        return (
            newest if newest is not None and run_dir.checkpoint_step(newest) > self._sent else None
        )

    def _has_new_folds(self) -> bool:
        return run_dir.n_folds(self.folder) > self._sent_folds

    def _send(self) -> None:
        try:
            self._send_new()
        except store.StoreUnavailable as problem:
            logger.warning(
                "Run %s: the artifact store is away (%s); what is new waits.", self.run_id, problem
            )
            self._not_before = time.monotonic() + RETRY_AFTER_S

    def _send_new(self) -> None:
        if (n := run_dir.n_folds(self.folder)) > self._sent_folds:
            artifacts.store_folds(self.folder, run_id=self.run_id)
            self._sent_folds = n
        if (newest := self._newest()) is not None:
            artifacts.store_checkpoint(newest, run_id=self.run_id, attempt=self.attempt)
            self._sent = run_dir.checkpoint_step(newest)
