"""The exception that every refused call raises."""

from collections.abc import Mapping, Sequence


class Problem(Exception):
    """The site refused a call: its sentence, and the messages for each invalid field."""

    def __init__(
        self, status: int, detail: str, errors: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.status, self.detail, self.errors = status, detail, dict(errors or {})
        lines = [f"{field}: {' '.join(sentences)}" for field, sentences in self.errors.items()]
        super().__init__("\n".join([f"{detail} ({status})", *lines]))
