"""Forms of what others may change too: a page that was opened before somebody else saved does not
overwrite what they saved.

Each field sends, hidden, a digest of the value that its page showed, which is compared with the
value that stands when the form is sent. A page without digests, opened under a release that had
none, is taken as it is, and so is a call of the API.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django import forms
from django.contrib import messages
from django.forms.formsets import ManagementForm
from django.http import HttpRequest, QueryDict
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

RowForm = TypeVar("RowForm", bound=forms.Form)

# Django's formsets are generic only in the stubs.
if TYPE_CHECKING:

    class _FormSet(forms.BaseFormSet[RowForm]): ...

else:

    class _FormSet(Generic[RowForm], forms.BaseFormSet): ...


SHOWN = "shown"


@dataclass(frozen=True)
class Conflict:
    """What somebody else has changed since the page was opened."""

    stands: str
    """What stands now, in words."""
    is_typed: bool
    """Whether the person changed it as well; else the page shows what stands."""

    @property
    def sentence(self) -> str:
        if self.is_typed:
            return gettext(
                "This was changed after you opened the page. Saving again replaces the other"
                " change."
            )
        return gettext(
            "This was changed after you opened the page. What you see here is the new value."
        )

    @property
    def is_long(self) -> bool:
        return len(self.stands) > 120 or "\n" in self.stands


class CheckedField(forms.BoundField):
    """A field that has its digest beside it, wherever a page shows it."""

    conflict: Conflict | None = None

    def value(self) -> Any:
        """A form that is not sent yet may begin with another value than the one that stands."""
        begins_with = getattr(self.form, "begins_with", {})
        if not self.form.is_bound and self.name in begins_with:
            return self.field.prepare_value(begins_with[self.name])
        return super().value()

    def __str__(self) -> SafeString:
        if not self.is_checked:
            return super().__str__()
        return super().__str__() + format_html(
            '<input type="hidden" name="{}" value="{}">', self.shown_name, self._digest
        )

    __html__ = __str__

    @property
    def is_checked(self) -> bool:
        return not self.field.disabled and self.name not in getattr(self.form, "suggested", ())

    @property
    def shown_name(self) -> str:
        return f"{SHOWN}-{self.html_name}"

    @property
    def _digest(self) -> str:
        return digest(posted(self.field, self.initial))

    @property
    def is_typed(self) -> bool:
        """Whether something else was sent than the page showed at first."""
        shown = self.form.data.get(self.shown_name)
        return shown is not None and digest(posted(self.field, self.data)) != shown

    def find_conflict(self) -> Conflict | None:
        """None if nobody else changed the field, or to the same value."""
        shown = self.form.data.get(self.shown_name)
        typed = digest(posted(self.field, self.data))
        if shown is None or not self.is_checked or self._digest in (shown, typed):
            return None
        return Conflict(in_words(self.field, self.initial), is_typed=typed != shown)


class ConflictCheck(forms.BaseForm):
    """A form whose initial values are what stands now. It is invalid if it would overwrite what its
    page did not show, and comes back with what the person typed and, per field, what stands.
    """

    bound_field_class = CheckedField
    begins_with: Mapping[str, object] = {}
    suggested: frozenset[str] = frozenset()
    """Fields whose initial value is a suggestion, and nothing that stands."""

    def typed(self) -> dict[str, Any]:
        """What the person has changed on the page, by field. The widgets' values, which a session
        can keep until a page begins with them.
        """
        fields = [field for field in self if isinstance(field, CheckedField)]
        return {field.name: field.data for field in fields if field.is_typed}

    def full_clean(self) -> None:
        super().full_clean()
        if not self.is_bound:
            return
        for field in list(self):
            assert isinstance(field, CheckedField)
            field.conflict = field.find_conflict()
            if field.conflict is None:
                continue
            self.add_error(field.name, field.conflict.sentence)
            if not field.conflict.is_typed:
                values = {field.html_name: posted(field.field, field.initial)}
                self.data = _with_values(self.data, values)
        if any(isinstance(field, CheckedField) and field.conflict for field in self):
            self.add_error(None, changed_meanwhile())
            if isinstance(self, forms.BaseModelForm):
                # Django has written what was typed into it: the heading shows what stands.
                self.instance.refresh_from_db()


class _Current(forms.CharField):
    """Shows its initial value even where something else was sent."""

    def bound_data(self, data: object, initial: object) -> object:
        return initial


class RowsConflictCheck(_FormSet[RowForm]):
    """The same for a formset: its rows are compared as a whole. The digest is in its management
    form.
    """

    conflict: Conflict | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if not self.is_bound:
            return
        shown = self.data.get(f"{self.prefix}-shown")
        if shown is None or self._digest == shown:
            return
        # The page's rows are new ones beside those that stand.
        standing, self.initial = self._standing(), None
        typed = digest(list(self._typed_rows()))
        words = "\n".join(_row_in_words(form) for form in standing.initial_forms)
        if typed != self._digest:
            self.conflict = Conflict(words, is_typed=typed != shown)
        if typed in (shown, self._digest):
            self.initial = standing.initial
            kept = {name for name in self.data if not name.startswith(f"{self.prefix}-")}
            self.data = _with_values(self.data, _posted_rows(standing), kept=kept)
            del self.forms, self.management_form

    @cached_property
    def management_form(self) -> ManagementForm:
        form: ManagementForm = super().management_form
        form.fields["shown"] = _Current(required=False, widget=forms.HiddenInput)
        form.initial["shown"] = self._digest
        return form

    def full_clean(self) -> None:
        super().full_clean()
        if self.conflict is not None:
            self.non_form_errors().append(self.conflict.sentence)

    def _standing(self) -> "RowsConflictCheck[RowForm]":
        """The rows that stand now, as a page shows them that is opened now."""
        return type(self)(initial=self.initial, prefix=self.prefix)

    @cached_property
    def _digest(self) -> str:
        rows = self._standing().initial_forms
        return digest([{f.name: posted(f.field, f.initial) for f in form} for form in rows])

    def _typed_rows(self) -> Iterator[dict[str, list[str]]]:
        for place, form in enumerate(self.forms):
            if place < self.initial_form_count() or form.has_changed():
                yield {field.name: posted(field.field, field.data) for field in form}


def has_changed(data: Mapping[str, Any], *state: object) -> bool:
    """Whether a button was pressed on a page that showed another `state` than the one that stands:
    the template has `{% shown … %}` with the same values in the button's form.
    """
    shown = data.get(SHOWN)
    return shown is not None and shown != digest_of(*state)


@dataclass(frozen=True)
class Unsaved:
    """A text about an object of a list that was not stored, for the page to show again."""

    pk: int
    text: str


def digest_of(*state: object) -> str:
    return digest(["" if value is None else str(value) for value in state])


def refuse(request: HttpRequest, sentence: str, *, typed: str = "") -> None:
    """Shows the sentence on the next page, with the text that would else be lost: for as long as
    it takes to copy it.
    """
    messages.warning(request, with_typed(sentence, typed), extra_tags="stays" if typed else "")


def warn_if_idle(request: HttpRequest, *, is_done: bool) -> None:
    """Says so if a button has done nothing, because another tab was faster."""
    if not is_done:
        refuse(request, nothing_done())


def with_typed(sentence: str, typed: str) -> str:
    if not typed:
        return sentence
    words = gettext("What you wrote was not saved: “%(text)s”") % {"text": typed}
    return f"{sentence} {words}"


def nothing_done() -> str:
    return gettext(
        "Nothing was done: this was changed after you opened the page. You see how it stands now."
    )


def changed_meanwhile() -> str:
    return gettext(
        "Nothing has been saved: this was changed after you opened the page. Check the marked"
        " fields, then save again."
    )


def posted(field: forms.Field, value: Any) -> list[str]:
    """What a browser sends for a field that shows `value`, or that sent it."""
    if isinstance(field.widget, forms.CheckboxInput):
        return ["on"] if field.widget.check_test(value) else []
    value = field.prepare_value(value)
    if isinstance(field.widget, forms.SelectMultiple | forms.CheckboxSelectMultiple):
        return sorted(str(field.prepare_value(part)) for part in value or ())
    shown = field.widget.format_value(value)
    if isinstance(shown, list):  # of a select
        shown = shown[0] if shown else ""
    return ["" if shown is None else str(shown).replace("\r\n", "\n")]


def in_words(field: forms.Field, value: Any) -> str:
    """As a reader of the page knows it."""
    if isinstance(field.widget, forms.CheckboxInput):
        return gettext("yes") if posted(field, value) else gettext("no")
    choices: Any = field.choices if isinstance(field, forms.ChoiceField) else ()
    labels = {str(code): str(label) for code, label in _flat(choices)}
    return ", ".join(labels.get(code, code) for code in posted(field, value))


def digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def _flat(choices: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    for code, label in choices:
        if isinstance(label, list | tuple):
            yield from label
        else:
            yield code, label


def _row_in_words(form: forms.Form) -> str:
    values = (
        in_words(field.field, field.initial)
        for field in form.visible_fields()
        if field.name not in ("ORDER", "DELETE") and field.initial not in (None, False, "")
    )
    return " · ".join(values)


def _posted_rows(formset: RowsConflictCheck[Any]) -> dict[str, list[str]]:
    """What a browser sends for the formset as it is shown."""
    every = [formset.management_form, *formset.forms]
    return {f.html_name: posted(f.field, f.initial) for form in every for f in form}


def _with_values(
    data: Any, values: dict[str, list[str]], *, kept: set[str] | None = None
) -> QueryDict:
    """A copy of posted data with these values of fields, and of the others those of `kept`."""
    changed: QueryDict = data.copy()
    for name in data:
        if name in values or (kept is not None and name not in kept):
            del changed[name]
    for name, several in values.items():
        if several:
            changed.setlist(name, several)
    return changed
