"""Forms about raters: the roster's filter and actions, raters' skills, invitations and the page
that accepts one.
"""

import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _gettext
from django.utils.translation import gettext_lazy as _

from accounts.forms import time_zone_choices
from labeling import invitees
from labeling.models import Pool, Prompt, Rater, RaterSkill
from labeling.selectors import roster
from labeling.services.people import PoolTerms
from pages.form_parts import chips

if TYPE_CHECKING:
    PoolModelForm = forms.ModelForm[Pool]
    PoolField = forms.ModelChoiceField[Pool]
    RatersField = forms.ModelMultipleChoiceField[Rater]
else:
    PoolModelForm = forms.ModelForm
    PoolField = forms.ModelChoiceField
    RatersField = forms.ModelMultipleChoiceField

LANGUAGE_CODE = re.compile(r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})?")
BIGGEST_CSV = 1_000_000
ACTS = [
    ("add", _("add to the pool")),
    ("remove", _("remove from the pool")),
    ("pause", _("pause in the pool")),
    ("resume", _("resume in the pool")),
    ("deactivate", _("close the login …")),
]


class Words(forms.CharField):
    """A comma-separated list of words."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, max_length=1000, **options)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, (list, tuple)) else value

    def clean(self, value: Any) -> list[str]:
        text = super().clean(value)
        words = [word.strip() for word in text.split(",") if word.strip()]
        for word in words:
            if len(word) > 64:
                raise ValidationError(
                    _("“%(word)s” is longer than 64 letters."), params={"word": word[:30]}
                )
        return list(dict.fromkeys(words))


class Languages(Words):
    def clean(self, value: Any) -> list[str]:
        codes = super().clean(value)
        for code in codes:
            if not LANGUAGE_CODE.fullmatch(code):
                raise ValidationError(
                    _("“%(word)s” is not a language's code. Write en, de or pt-BR."),
                    params={"word": code},
                )
        return codes


class PoolForm(PoolModelForm):
    languages = Languages(
        label=_("Languages"), help_text=_("Codes that everybody in the pool reads, such as en, de.")
    )
    expertise = Words(
        label=_("Expertise"),
        help_text=_(
            "What everybody in the pool knows: categories of prompts, such as summarization, or"
            " tags of your own."
        ),
    )

    class Meta:
        model = Pool
        fields = [
            "name",
            "description",
            "languages",
            "expertise",
            "routes_by_language",
            "routes_by_category",
            "max_per_day",
            "max_at_once",
            "shown_items",
            "shown_percent",
            "is_held_out",
        ]
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}
        error_messages = {"name": {"unique": _("Another pool has this name.")}}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["shown_percent"].required = False

    def clean_shown_percent(self) -> int:
        return self.cleaned_data["shown_percent"] or PoolTerms().shown_percent

    def clean_expertise(self) -> list[str]:
        return [as_topic(word) for word in self.cleaned_data["expertise"]]

    @property
    def wanted(self) -> dict[str, Any]:
        """Arguments for services.create_pool and edit_pool."""
        values = self.cleaned_data
        terms = PoolTerms(
            languages=tuple(values["languages"]),
            expertise=tuple(values["expertise"]),
            routes_by_language=values["routes_by_language"],
            routes_by_category=values["routes_by_category"],
            max_per_day=values["max_per_day"],
            max_at_once=values["max_at_once"],
            shown_items=values["shown_items"],
            shown_percent=values["shown_percent"],
        )
        return {name: values[name] for name in ("name", "description", "is_held_out")} | {
            "terms": terms
        }


def as_topic(word: str) -> str:
    """The code of a category given by code or label; any other tag unchanged."""
    for code, label in Prompt.Category.choices:
        if word.lower() in {code, str(label).lower()}:
            return code
    return word


class RosterFilterForm(forms.Form):
    q = forms.CharField(
        label=_("Name, alias or e-mail"),
        required=False,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    pool = PoolField(
        label=_("Pool"),
        queryset=Pool.objects.order_by("name"),
        required=False,
        empty_label=_("all"),
    )
    standing = forms.ChoiceField(
        label=_("Where they stand"),
        required=False,
        choices=[("", _("all")), *roster.Standing.choices],
    )
    language = forms.ChoiceField(label=_("Language"), required=False)
    topic = forms.ChoiceField(label=_("Topic"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        labels = dict(Prompt.Category.choices)
        for name, axis in (
            ("language", RaterSkill.Axis.LANGUAGE),
            ("topic", RaterSkill.Axis.TOPIC),
        ):
            known = [(code, labels.get(code, code)) for code in roster.known_codes(axis=axis)]
            self.fields[name].choices = [("", _("all")), *known]  # type: ignore[attr-defined]

    def wanted(self) -> roster.RosterFilter:
        values = self.cleaned_data if self.is_valid() else {}
        pool = values.get("pool")
        return roster.RosterFilter(
            words=values.get("q", ""),
            pool_id=pool.pk if pool else None,
            standing=values.get("standing", ""),
            language=values.get("language", ""),
            topic=values.get("topic", ""),
        )


class RosterActForm(forms.Form):
    """One action on all ticked raters, or on all that match the filter, including those on other
    pages.
    """

    raters = RatersField(
        queryset=Rater.objects.filter(user__isnull=False).select_related("user"), required=False
    )
    everybody = forms.BooleanField(required=False)
    act = forms.ChoiceField(
        label=_("With those ticked"), choices=ACTS, widget=forms.Select(attrs={"class": "input"})
    )
    pool = PoolField(
        label=_("Pool"),
        queryset=Pool.objects.order_by("name"),
        required=False,
        empty_label=_("choose one"),
    )

    def __init__(self, *args: Any, found: QuerySet[Rater], **kwargs: Any) -> None:
        """`found`: the raters that match the filter."""
        super().__init__(*args, **kwargs)
        self.found = found

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("everybody"):
            # The filter decides, not the ticks: it also covers the other pages of the list.
            cleaned["raters"] = self.found
        if not cleaned.get("raters"):
            raise ValidationError(_("Nobody was ticked, so nothing was done."))
        if cleaned.get("act") not in {None, "deactivate"} and cleaned.get("pool") is None:
            raise ValidationError(_("Choose the pool that this is about."))
        withdrawn = [
            rater.alias for rater in cleaned.get("raters") or () if rater.withdrawn_at is not None
        ]
        if cleaned.get("act") == "add" and withdrawn:
            raise ValidationError(
                _("%(alias)s has withdrawn and joins no pool."),
                params={"alias": ", ".join(withdrawn)},
            )
        return cleaned


class SkillsForm(forms.Form):
    """Languages and topics: as stated by a rater, or as observed by an admin."""

    languages = Languages(
        label=_("Languages"), help_text=_("Codes, with commas between: en, de, pt-BR.")
    )
    topics = forms.MultipleChoiceField(
        label=_("Kinds of work"),
        choices=[
            choice for choice in Prompt.Category.choices if choice[0] != Prompt.Category.OTHER
        ],
        required=False,
        widget=chips(),
    )
    tags = Words(label=_("Other fields"), help_text=_("Such as medicine, law, chess."))

    @classmethod
    def initial_of(cls, *, languages: list[str], topics: list[str]) -> dict[str, list[str]]:
        codes = set(Prompt.Category.values)
        chosen, tags = (
            [code for code in topics if code in codes],
            [code for code in topics if code not in codes],
        )
        return {"languages": languages, "topics": chosen, "tags": tags}

    @property
    def wanted(self) -> dict[str, list[str]]:
        values = self.cleaned_data
        return {"languages": values["languages"], "topics": [*values["topics"], *values["tags"]]}


class InviteForm(forms.Form):
    """Invites one person, or many from a file."""

    email = forms.EmailField(label=_("E-mail"), required=False)
    name = forms.CharField(label=_("Name"), max_length=150, required=False)
    file = forms.FileField(
        label=_("Or a CSV file"),
        required=False,
        help_text=_("Columns email and name; at most 500 lines. Nothing is sent if one is bad."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        file = cleaned.get("file")
        if file is None:
            if (
                not cleaned.get("email")
                and "email" not in self.errors
                and "file" not in self.errors
            ):
                self.add_error("email", _("Write an address, or choose a file."))
            elif cleaned.get("email"):
                cleaned["invitees"] = [
                    invitees.Invitee(cleaned["email"].lower(), cleaned.get("name", ""))
                ]
            return cleaned
        if file.size > BIGGEST_CSV:
            self.add_error("file", _("The file is too big: 500 addresses fit easily into 1 MB."))
            return cleaned
        found, problems = invitees.parse(file.read())
        for problem in problems[:20]:
            line = _gettext("Line %(line)d: %(sentence)s") % {
                "line": problem.line,
                "sentence": problem.sentence,
            }
            self.add_error("file", line)
        if len(problems) > 20:
            self.add_error("file", _gettext("And %(n)d more lines.") % {"n": len(problems) - 20})
        cleaned["invitees"] = found
        return cleaned


class JoinForm(forms.Form):
    """For people who accept an invitation and have no login yet."""

    name = forms.CharField(label=_("Name"), max_length=150)
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("Password, once more"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=time_zone_choices,
        initial="UTC",
        help_text=_("Every time on the site is shown in it."),
    )

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        password_validation.validate_password(password)
        return password

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "password" in cleaned and "again" in cleaned and cleaned["password"] != cleaned["again"]:
            self.add_error("again", _("The two passwords differ."))
        return cleaned
