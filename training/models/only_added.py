"""Tables whose rows are added and never changed, since others name them."""

from typing import Any

from django.db import models


class OnlyAddedRows(models.QuerySet[Any]):
    def update(self, **_changes: object) -> int:
        raise TypeError(f"A {self.model._meta.verbose_name} never changes: add another row.")

    def bulk_update(self, *_rows: object, **_options: object) -> int:
        raise TypeError(f"A {self.model._meta.verbose_name} never changes: add another row.")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError(f"A {self.model._meta.verbose_name} stays.")


class OnlyAdded(models.Model):
    objects = models.Manager.from_queryset(OnlyAddedRows)()

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:
        if not self._state.adding:
            raise TypeError(f"A {self._meta.verbose_name} never changes: add another row.")
        super().save(*args, **options)

    def delete(self, *_args: Any, **_options: Any) -> tuple[int, dict[str, int]]:
        raise TypeError(f"A {self._meta.verbose_name} stays.")
