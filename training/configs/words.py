"""How a config marks the texts that people read, without Django."""


def _(text: str) -> str:
    """Marks a text for translation; the page translates it when it is shown."""
    return text
