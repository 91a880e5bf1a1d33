"""Texts of a conversation's page: its title, and its keyboard shortcuts."""

from django.utils.translation import gettext as _

from labeling.conversations.selectors import Phase
from labeling.desk.words import Keys


def title(phase: Phase, *, number: int) -> str:
    """Where the conversation stands. Screen readers read it when the page opens."""
    titles = {
        Phase.START: _("Start conversation"),
        Phase.WAIT: _("Turn %(n)d: waiting for the answers"),
        Phase.RETRY: _("Turn %(n)d: no answers"),
        Phase.WRITE: _("Turn %(n)d: your message"),
        Phase.END: _("Finish conversation"),
        Phase.RATE: _("Turn %(n)d: the answers are there"),
        Phase.FINISHED: _("Conversation finished"),
    }
    return titles[phase] % {"n": number}


def keys(phase: Phase) -> tuple[tuple[str, Keys], ...]:
    """The shortcuts that do something now, as a group with a title."""
    main = {
        Phase.START: _("Start conversation"),
        Phase.RETRY: _("Try again"),
        Phase.WRITE: _("Send"),
        Phase.END: _("Finish conversation"),
    }
    lines = [("⌘↵ / Ctrl ↵", main[phase])] if phase in main else []
    if phase == Phase.WRITE:
        lines.append(("w", _("Your message")))
    lines += [
        ("f", _("Questions at the end, once you can finish")),
        ("1 … 7", _("Rate the conversation")),
        ("l", _("Guideline")),
        ("s", _("Go to “Stop for now”")),
    ]
    return ((_("Conversation"), tuple(lines)),)
