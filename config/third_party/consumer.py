"""How a worker takes messages while its broker goes and comes: CELERY_WORKER_CONSUMER."""

from types import TracebackType
from typing import Any

from celery.worker import consumer


class Consumer(consumer.Consumer):  # type: ignore[misc]  # Celery has no types
    """Celery's own, which connects again whatever a lost connection has broken.

    kombu forgets the address of a connection that it has closed. What still holds one of its
    channels (a timer, an acknowledgment) then fails with an AttributeError: "'NoneType' object has
    no attribute 'hostname'". Celery takes that for a fault of the program, and the worker ended.
    """

    class Blueprint(consumer.Consumer.Blueprint):  # type: ignore[misc]
        def start(self, parent: Any) -> None:
            try:
                super().start(parent)
            except AttributeError as problem:
                if not _is_in_kombu(problem.__traceback__):
                    raise
                raise ConnectionResetError(f"A closed connection was used: {problem}") from problem


def _is_in_kombu(traceback: TracebackType | None) -> bool:
    """Whether the innermost function of a traceback is kombu's."""
    module = ""
    while traceback is not None:
        module = str(traceback.tb_frame.f_globals.get("__name__", ""))
        traceback = traceback.tb_next
    return module.startswith("kombu.")
