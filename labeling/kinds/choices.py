"""The choices of campaigns' settings."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Kind(TextChoices):
    DEMONSTRATION = "demonstration", _("write demonstrations")
    COMPARISON = "comparison", _("compare responses")
    CONVERSATION = "conversation", _("talk with models")


class Answer(TextChoices):
    """What a judgment is, and what is paid for."""

    DEMONSTRATION = "demonstration", _("demonstration")
    COMPARISON = "comparison", _("comparison")


class Budget(TextChoices):
    NONE = "", _("no limit")
    JUDGMENTS = "judgments", _("answers")
    HOURS = "hours", _("hours of work")
    MONEY = "money", _("money")


class Order(TextChoices):
    FINISH_FIRST = "finish_first", _("Depth first: complete each item before starting new ones")
    SPREAD = "spread", _("Breadth first: give every item one answer before any gets a second")


class Opening(TextChoices):
    PROMPT = "prompt", _("the prompt is the first message")
    FREE = "free", _("raters write the first message about the prompt's topic")


class Draw(TextChoices):
    CONVERSATION = "conversation", _("once per conversation")
    TURN = "turn", _("again for every turn")
