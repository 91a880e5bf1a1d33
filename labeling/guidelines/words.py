"""The conditions of a rating form as text."""

from django.utils.translation import gettext as _

from labeling.guidelines.rating_form import Question, RatingForm


def condition_words(form: RatingForm, question: Question) -> str:
    """When a question of the form is asked; "" if always."""
    condition = question.asked_if
    if condition is None:
        return ""
    label = next(other.label for other in form.questions if other.name == condition.question)
    if condition.at_least is None and condition.at_most is None:
        return _("if “%(label)s” is set") % {"label": label}
    if condition.at_most is None:
        return _("if “%(label)s” is at least %(n)s") % {"label": label, "n": condition.at_least}
    if condition.at_least is None:
        return _("if “%(label)s” is at most %(n)s") % {"label": label, "n": condition.at_most}
    return _("if “%(label)s” is %(low)s to %(high)s") % {
        "label": label,
        "low": condition.at_least,
        "high": condition.at_most,
    }
