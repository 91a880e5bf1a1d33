"""What the operations page comes to: what is wrong, the worst first, and what to do about it."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pages.verdicts import Action, Effect, Verdict
from training.operations.findings import DANGER, UNKNOWN, WARNING, Finding


def of_site(findings: Sequence[Finding]) -> Verdict:
    """`findings`: the worst first. What could not be measured is neither fine nor wrong."""
    problems, warnings, unknown = (
        [finding.about for finding in findings if finding.level == level]
        for level in (DANGER, WARNING, UNKNOWN)
    )
    sentences = [
        ngettext("%(n)d problem: %(names)s.", "%(n)d problems: %(names)s.", len(problems))
        % {"n": len(problems), "names": ", ".join(problems)}
        if problems
        else "",
        ngettext("%(n)d warning: %(names)s.", "%(n)d warnings: %(names)s.", len(warnings))
        % {"n": len(warnings), "names": ", ".join(warnings)}
        if warnings
        else "",
        "" if problems or warnings else _("Nothing needs attention."),
        _("Could not be measured: %(names)s.") % {"names": ", ".join(unknown)} if unknown else "",
    ]
    worst = findings[0] if problems or warnings else None
    verdict = Verdict(
        " ".join(filter(None, sentences)),
        f"{worst.about}: {worst.advice}" if worst and worst.advice else "",
        Effect.WORSE if worst else Effect.UNCLEAR,
    )
    if worst is None or not worst.url:
        return verdict
    return verdict.with_actions([Action(_("See “%(name)s”") % {"name": worst.about}, worst.url)])
