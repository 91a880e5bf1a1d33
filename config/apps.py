"""What happens when the last app is loaded."""

import gc

from django.apps import AppConfig

PYTHONS_PACE = (700, 10, 10)


class SiteConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        """From here on, Python looks for garbage as often as it does by itself. At the pace that
        suits loading (settings.GARBAGE_PACE), a worker that wrote an export kept 6 KB of every row.
        """
        gc.freeze()
        gc.set_threshold(*PYTHONS_PACE)
