"""The thread in a GPU worker that tells of its node: the worker's own loop must not wait for a
database.
"""

import logging
import threading

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from training.nodes import services
from training.processes import machine

EVERY_S = 10.0
logger = logging.getLogger(__name__)


def begin(node: str) -> None:
    """Announces `node` until the process ends."""
    threading.Thread(target=_go_on, args=[node], name="herald", daemon=True).start()


def _go_on(node: str) -> None:
    pause = threading.Event()
    while True:
        announce(node)
        pause.wait(EVERY_S)


def announce(node: str) -> None:
    """Once. A database that is away is told the next time."""
    try:
        services.announce_node(
            name=node, report=machine.report(visible=settings.VISIBLE_GPUS), now=timezone.now()
        )
    except (OperationalError, InterfaceError) as problem:
        logger.warning("The node could not announce itself: the database is away (%s).", problem)
    finally:
        connection.close()
