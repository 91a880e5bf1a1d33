"""The exceptions of the client."""

from collections.abc import Mapping, Sequence


class Problem(Exception):
    """The site refused a call: its sentence, and the messages for each invalid field. `type` and
    `title` are those of RFC 9457.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Mapping[str, Sequence[str]] | None = None,
        *,
        type: str = "about:blank",  # noqa: A002  # as RFC 9457 calls it
        title: str = "",
    ) -> None:
        self.status, self.detail, self.errors = status, detail, dict(errors or {})
        self.type, self.title = type, title
        lines = [f"{field}: {' '.join(sentences)}" for field, sentences in self.errors.items()]
        super().__init__("\n".join([f"{detail} ({status})", *lines]))


class MissingExtra(ImportError):
    """A package that only some calls need is not installed; the text says how to install it."""
