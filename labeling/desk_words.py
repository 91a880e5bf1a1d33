"""What the desk says in words: counts of work, why items come, and the keys of a page."""

from dataclasses import dataclass

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.models import Campaign
from labeling.rating_form import Question, RatingForm
from labeling.selectors.desk import MOST_COUNTED, OpenCampaign, Tally


def duration_words(seconds: float) -> str:
    """Hours and minutes; "" below one minute."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return ""
    if minutes < 60:
        return _("%(m)s min") % {"m": minutes}
    return _("%(h)s h %(m)s min") % {"h": minutes // 60, "m": minutes % 60}


def condition_words(form: RatingForm, question: Question) -> str:
    """When a question of the form is asked; "" for one that always is."""
    condition = question.asked_if
    if condition is None:
        return ""
    label = next(other.label for other in form.questions if other.name == condition.question)
    if condition.at_least is None and condition.at_most is None:
        return _("if “%(label)s” is ticked") % {"label": label}
    if condition.at_most is None:
        return _("if “%(label)s” is at least %(n)s") % {"label": label, "n": condition.at_least}
    if condition.at_least is None:
        return _("if “%(label)s” is at most %(n)s") % {"label": label, "n": condition.at_most}
    return _("if “%(label)s” is %(low)s to %(high)s") % {"label": label, "low": condition.at_least, "high": condition.at_most}


def tally_words(tally: Tally, nothing: str) -> str:
    if not tally.n_judgments:
        return nothing
    given = ngettext("%(n)s judgment", "%(n)s judgments", tally.n_judgments) % {"n": tally.n_judgments}
    active = duration_words(tally.active_s)
    return _("%(given)s, %(active)s active") % {"given": given, "active": active} if active else given


@dataclass(frozen=True)
class CampaignLine:
    """One campaign on the desk, in words."""

    open: OpenCampaign
    words: str
    why: str
    """by what rule items come to this rater"""


def campaign_line(found: OpenCampaign) -> CampaignLine:
    kind = str(found.campaign.get_kind_display())
    parts = [f"{kind[:1].upper()}{kind[1:]}", _waiting(found.n_free)]
    if found.n_today:
        parts.append(_("%(n)s by you today") % {"n": found.n_today})
    return CampaignLine(found, " · ".join(parts), _why(found.campaign))


def _why(campaign: Campaign) -> str:
    pool = campaign.pool
    said = [_("You are in “%(pool)s”.") % {"pool": pool.name}]
    if pool.routes_by_language or pool.routes_by_category:
        said.append(_("Items come by the languages and fields that you know."))
    if campaign.order == Campaign.Order.FINISH_FIRST:
        said.append(_("The one nearest to its last judgment comes first."))
    else:
        said.append(_("Every one is judged once before any is judged twice."))
    return " ".join(said)


def _waiting(n: int) -> str:
    if n > MOST_COUNTED:
        return _("more than %(n)s judgments wait") % {"n": formats.number_format(MOST_COUNTED, force_grouping=True)}
    return ngettext("%(n)s judgment waits", "%(n)s judgments wait", n) % {"n": n} if n else _("no judgment waits")


def keys(*, is_comparison: bool, is_dialogue: bool = False) -> list[tuple[str, str]]:
    """Every key of the page, for the sheet behind `?`. No command has a letter that a response may have (forms.desk.LETTERS)."""
    everywhere = [
        ("⌘↵ / Ctrl ↵", _("review, and once more to submit")),
        ("s", _("skip, then 1 to 4 for the reason")),
        ("q", _("ask an admin about this item")),
        ("l", _("guideline")),
        ("p", _("whole prompt")),
        ("u", _("undo the answer just submitted")),
    ]
    if not is_comparison:
        writing = [("⌘⇧↵ / Ctrl ⇧ ↵", _("preview, and back")), ("w", _("write")), ("f", _("full screen, and back"))]
        if is_dialogue:
            writing += [("alt ↵", _("go on: what the user says next")), ("alt ⇧ ⌫", _("remove the last two turns"))]
            writing += [("alt ↑ alt ↓", _("the turn before, the turn after"))]
        return [*everywhere, *writing]
    comparing = [
        ("a … i", _("to the response of that letter")),
        ("← →", _("the response before, the response after")),
        ("↑ ↓", _("in a response: its text, its scales, its flags")),
        ("1 … 9", _("on a text: its rank, the same digit twice ties; on a scale: the answer")),
        ("0", _("on a text: no rank; on a scale: no answer")),
        ("alt ↑ alt ↓", _("one rank up, one rank down")),
        (_("space"), _("tick or untick a flag")),
        (_("space, page ↓"), _("scroll a text")),
        ("x", _("all bad, and say why")),
        ("w", _("write a better one, from the best response")),
        ("r", _("reason")),
        ("m", _("how much better, then 1 to 4")),
        ("v", _("the response as read, raw, or by difference")),
    ]
    return comparing + everywhere
