"""The site's tags and filters: components with a body, icons, rendered text, numbers with units,
the import map.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from django import template
from django.conf import settings
from django.template.base import FilterExpression, Parser, Token
from django.template.context import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, pgettext

from arithmetic import chats
from arithmetic.chats import Message, Tool, ToolCall
from pages import edit_conflicts, turns
from pages import render as pages_render
from pages.chart_tables import Table
from pages.numbers import grouped

register = template.Library()


class WholeAnswer(Protocol):
    """A stored answer with what belongs to it."""

    text: str
    reasoning_content: str
    tool_calls: list[ToolCall]


@register.simple_block_tag(takes_context=True)
def component(context: Context, content: str, name: str, **inputs: object) -> SafeString:
    """`{% component "card" title=… %}body{% endcomponent %}` renders components/_card.html with its
    inputs and the body as `slot`.

    A component gets its inputs, the request and the CSRF token, and nothing else from the page.
    """
    shared = {key: context.get(key) for key in ("request", "csrf_token", "CSP_NONCE")}
    assert context.template is not None
    part = context.template.engine.get_template(f"components/_{name}.html")
    return part.render(context.new({**shared, **inputs, "slot": content}))


@register.inclusion_tag("components/_crumb.html")
def crumb(label: str, page: str = "", *args: object) -> dict[str, str]:
    """`{% crumb run.name "run" run.pk %}`: a step of the breadcrumbs, which links to the page of
    that URL name. Without a page it is the page itself, which comes last.
    """
    return {"label": label, "url": reverse(page, args=args) if page else ""}


@register.simple_tag
def link_button(label: str, page: str, *args: object, kind: str = "") -> SafeString:
    """`{% link_button _("Cancel") "run" run.pk kind="quiet" %}`: a link to the page of that URL
    name that looks like a button.
    """
    kind = format_html(' data-kind="{}"', kind) if kind else ""
    address = reverse(page, args=args)
    return format_html('<a class="button"{} href="{}">{}</a>', kind, address, label)


@register.simple_tag
def shown(*state: object) -> SafeString:
    """`{% shown question.answer %}` in the form of a button: what the page showed when it was
    pressed. See pages.edit_conflicts.has_changed.
    """
    name, value = edit_conflicts.SHOWN, edit_conflicts.digest_of(*state)
    return format_html('<input type="hidden" name="{}" value="{}">', name, value)


@register.simple_tag
def styles(*names: str) -> SafeString:
    """`{% styles "manage" "quality" %}`: the page's own stylesheets, of static/css."""
    addresses = ((static(f"css/{name}.css"),) for name in names)
    return format_html_join("", '<link rel="stylesheet" href="{}">', addresses)


@register.simple_tag
def icon(name: str) -> SafeString:
    """One of our own icons (templates/components/icons), hidden from screen readers: there is
    always text next to it.
    """
    return _icon(name)


@lru_cache
def _icon(name: str) -> SafeString:
    drawing = template.engines["django"].get_template(f"components/icons/{name}.svg")
    return mark_safe(drawing.render())  # noqa: S308  # our own file


class Once(template.Node):
    """Caches the output of `{% once a b %}…{% endonce %}` by language and by the values of the
    names, a limited number of each.
    """

    MOST = 64

    def __init__(self, body: template.NodeList, names: list[FilterExpression]) -> None:
        self.body, self.names = body, names
        self.drawn: dict[tuple[object, ...], SafeString] = {}

    def render(self, context: Context) -> SafeString:
        key = (get_language(), *(name.resolve(context) for name in self.names))
        drawn = self.drawn.get(key)
        if drawn is None:
            drawn = self.body.render(context)
            if len(self.drawn) < self.MOST:
                self.drawn[key] = drawn
        return drawn


@register.tag
def once(parser: Parser, token: Token) -> Once:
    """`{% once page.version %}…{% endonce %}`: a part of a template that depends only on these
    values and the language.
    """
    names = [parser.compile_filter(name) for name in token.split_contents()[1:]]
    body = parser.parse(("endonce",))
    parser.delete_first_token()
    return Once(body, names)


@register.simple_tag
def number_rows(table: Table) -> SafeString:
    """A chart's rows: a header cell, then numbers, each with its place in the drawing. Built in
    Python because a page of charts has hundreds of rows, and a template loop would dominate its
    time.
    """
    lines = []
    for (head, *cells), place in zip(table.rows, table.places, strict=True):
        numbers = "".join(
            f'<td class="number"{_at(y)}>{conditional_escape(cell)}</td>'
            for cell, y in zip(cells, place.ys, strict=True)
        )
        name = f'<th scope="row">{conditional_escape(head)}</th>'
        lines.append(f'<tr data-x="{conditional_escape(place.x)}">{name}{numbers}</tr>')
    return mark_safe("".join(lines))  # noqa: S308  # every cell is escaped


def _at(y: str) -> str:
    return f' data-y="{conditional_escape(y)}"' if y else ""


@register.filter
def markdown(text: str) -> SafeString:
    return pages_render.markdown(text)


@register.filter
def turn(said: Message | WholeAnswer) -> SafeString:
    """A message, or a stored answer: its text, with thinking and tool calls folded."""
    if not isinstance(said, dict):
        said = chats.answer(said.text, said.reasoning_content, said.tool_calls)
    return turns.html(said)


@register.filter
def tools(described: Sequence[Tool]) -> SafeString:
    """The functions that an answer may call, folded."""
    return turns.tools(described)


@register.filter
def plain(text: str) -> SafeString:
    return pages_render.plain(text)


@register.filter
def duration(seconds: float | None) -> str:
    """`100` → "1 min 40 s", `6000` → "1 h 40 min": at most two units."""
    if seconds is None:
        return "–"
    whole = round(seconds)
    units = (
        (86_400, gettext("d")),
        (3600, gettext("h")),
        (60, gettext("min")),
        (1, pgettext("seconds", "s")),
    )
    for place, (size, unit) in enumerate(units):
        if whole >= size:
            rest = whole % size // units[place + 1][0] if place + 1 < len(units) else 0
            return f"{whole // size} {unit}" + (f" {rest} {units[place + 1][1]}" if rest else "")
    return f"0 {units[-1][1]}"


@register.filter
def percent(share: float | None) -> str:
    """`0.634` → "63 %"."""
    return "–" if share is None else f"{share * 100:.0f} %"


@register.filter
def count(number: float) -> str:
    """`12345` → "12,345", with the digit grouping of the reader's language."""
    return grouped(number)


@register.inclusion_tag("components/_sort.html", takes_context=True)
def sortable(
    context: Context, key: str, label: str, *, is_number: bool = False
) -> dict[str, object]:
    """`{% sortable "name" label %}`: the header of a column that sorts by ?sort=key, then in
    reverse by ?sort=-key.
    """
    query = context["request"].GET.copy()
    current = query.get("sort", "")
    query["sort"] = f"-{key}" if current == key else key
    query.pop("page", None)
    direction = {key: "ascending", f"-{key}": "descending"}.get(current, "none")
    return {
        "label": label,
        "url": f"?{query.urlencode()}",
        "direction": direction,
        "is_number": is_number,
    }


@register.simple_tag(takes_context=True)
def importmap(context: Context) -> SafeString:
    """Import names for our ES modules, such as `js/site/menu`, which resolve to the hashed files in
    production.
    """
    return format_html(
        '<script type="importmap" nonce="{}">{}</script>',
        context.get("CSP_NONCE", ""),
        _modules(),
    )


@lru_cache
def _modules() -> SafeString:
    """The import map as JSON, computed once: new files only come with a new version, and so with a
    restart.
    """
    root = (Path(settings.FILES_DIR) / "static").resolve()
    files = sorted(path.relative_to(root) for path in (root / "js").rglob("*.js"))
    imports = {file.with_suffix("").as_posix(): static(file.as_posix()) for file in files}
    return mark_safe(json.dumps({"imports": imports}))  # noqa: S308  # our own file names
