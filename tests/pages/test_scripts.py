"""The names of scripts, which Python never resolves: a wrong one would only show in a browser, as a
page on which nothing reacts.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = {
    path.relative_to(ROOT / "static").with_suffix("").as_posix(): path.read_text()
    for path in sorted((ROOT / "static/js").rglob("*.js"))
}
COMMENT = re.compile(r"{% comment %}.*?{% endcomment %}", re.DOTALL)
TEMPLATES = {
    path.relative_to(ROOT / "templates").as_posix(): COMMENT.sub("", path.read_text())
    for path in sorted((ROOT / "templates").rglob("*.html"))
}
IMPORT = re.compile(r'^import (?:\{ (.*?) \} from )?"(.*?)";$', re.MULTILINE)
EXPORT = re.compile(r"^export (?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)


def mounted_by(text: str) -> set[str]:
    """The scripts that data-behavior names, also through _button.html's input `behavior` and in a
    script. The words of template tags in an attribute do not count.
    """
    attributes = re.findall(r'\bbehavior(?:=| = )"([^"]*)"', text)
    return {
        f"js/{name}"
        for value in attributes
        for name in re.sub(r"{[{%].*?[%}]}", " ", value).split()
    }


def loaded_by(text: str) -> set[str]:
    """The scripts that <script src> names."""
    return {name.removesuffix(".js") for name in re.findall(r"{% static '(js/[^']+)' %}", text)}


def imports_of(text: str) -> set[tuple[str, str]]:
    """(script, name that is imported from it)"""
    return {
        (script, name.split(" as ")[0])
        for names, script in IMPORT.findall(text)
        for name in names.split(", ")
    }


MOUNTED = {name for text in [*TEMPLATES.values(), *SCRIPTS.values()] for name in mounted_by(text)}


@pytest.mark.parametrize(
    "path", sorted(path for path in TEMPLATES if "behavior" in TEMPLATES[path])
)
def test_every_behavior_of_a_template_is_a_script(path: str) -> None:
    assert mounted_by(TEMPLATES[path]) <= SCRIPTS.keys()


@pytest.mark.parametrize("script", sorted(MOUNTED & SCRIPTS.keys()))
def test_every_script_that_is_a_behavior_can_be_mounted(script: str) -> None:
    assert "mount" in EXPORT.findall(SCRIPTS[script])


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_imports_only_what_other_scripts_export(script: str) -> None:
    exported = {(name, export) for name in SCRIPTS for export in EXPORT.findall(SCRIPTS[name])}

    assert imports_of(SCRIPTS[script]) - exported == set()
    assert len(IMPORT.findall(SCRIPTS[script])) == SCRIPTS[script].count("\nimport ")


def test_every_script_is_used_somewhere() -> None:
    loaded = {name for text in TEMPLATES.values() for name in loaded_by(text)}
    imported = {name for text in SCRIPTS.values() for name, _ in imports_of(text)}

    assert loaded == {"js/app", "js/theme"}
    assert MOUNTED | loaded | imported == SCRIPTS.keys()
