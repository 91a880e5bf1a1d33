"""Guides on the site: how the desk works, rendered from the file under docs/, and what is recorded,
a page of its own in the reader's language.
"""

import re
from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from pages import render as pages_render

GUIDES = {"raters": _("How it works"), "recorded": _("What we record")}

# The renderer drops links into this site, because others' texts must have none. Links from guide to
# guide pass it with this host.
_STAND_IN = "https://guide.invalid/"
_IN_FILE = re.compile(rf"\]\(({'|'.join(GUIDES)})\.md\)")
_ON_PAGE = re.compile(rf'<a [^>]*href="{re.escape(_STAND_IN)}(\w+)"[^>]*>')
_LOW = re.compile(r"(</?)h([56])\b")
"""The tag of a heading, below those of a page around it"""


@require_GET
def page(request: HttpRequest, name: str) -> HttpResponse:
    if name not in GUIDES:
        raise Http404
    others = [(other, label) for other, label in GUIDES.items() if other != name]
    context = {"title": GUIDES[name], "others": others}
    if name == "recorded":
        return render(request, "labeling/desk/guidance/recorded.html", context)
    language = _language(name)
    context |= {"html": _html(name, language), "language": language}
    return render(request, "labeling/desk/guidance/help.html", context)


def _language(name: str) -> str:
    """The reader's, if the guide has been translated."""
    wanted = get_language()
    return wanted if wanted and _file(name, wanted).is_file() else "en"


def _file(name: str, language: str) -> Path:
    file = f"{name}.md" if language == "en" else f"{name}.{language}.md"
    return Path(settings.FILES_DIR, "docs", file)


@cache
def _html(name: str, language: str) -> SafeString:
    """Without the first line: the page has its own heading, directly followed by the guide's
    sections.
    """
    _heading, _newline, text = _file(name, language).read_text().partition("\n")
    html: str = pages_render.markdown(_IN_FILE.sub(rf"]({_STAND_IN}\1)", text)).replace(
        "<br>", ""
    )  # line breaks in the file are not meant for display
    html = _LOW.sub(lambda tag: f"{tag[1]}h{int(tag[2]) - 3}", html)
    html = _ON_PAGE.sub(lambda link: f'<a href="{reverse("help", args=[link[1]])}">', html)
    return mark_safe(html)  # noqa: S308  # our own text, cleaned by pages.render
