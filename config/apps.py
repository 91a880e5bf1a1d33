"""What happens when the last app is loaded."""

import gc

from django.apps import AppConfig

PYTHONS_PACE = (700, 10, 10)


class SiteConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        """Sets the garbage collector back to Python's default. With the thresholds that suit
        loading (settings.GARBAGE_PACE), a worker that wrote an export kept 6 KB of every row.
        """
        gc.freeze()
        gc.set_threshold(*PYTHONS_PACE)
