"""Tags that write what templates would repeat."""

from django.template import Context, Template
from django.utils import translation


def rendered(text: str, **values: object) -> str:
    return Template(text).render(Context(values)).strip()


def test_a_link_button_leads_to_the_page_of_its_name() -> None:
    button = '{% link_button _("Cancel") "run" run.pk kind="quiet" %}'

    with translation.override("de"):
        link = rendered(button, run={"pk": 7})

    assert link == '<a class="button" data-kind="quiet" href="/runs/7/">Abbrechen</a>'


def test_a_link_button_without_a_kind_escapes_its_label() -> None:
    link = rendered('{% link_button name "runs" %}', name="<b>")

    assert link == '<a class="button" href="/runs/">&lt;b&gt;</a>'


def test_a_page_header_without_actions_has_no_place_for_them() -> None:
    header = (
        '{% component "page_header" title="Desk" %}\n'
        '  {% if visit %}{% link_button "Visit" "crowd_done" %}{% endif %}\n'
        "{% endcomponent %}"
    )

    assert 'class="actions"' not in rendered(header, visit=None)
    assert 'class="actions"' in rendered(header, visit=1)


def test_a_page_names_its_stylesheets() -> None:
    links = rendered('{% styles "manage" "quality" %}')

    assert links == (
        '<link rel="stylesheet" href="/static/css/manage.css">'
        '<link rel="stylesheet" href="/static/css/quality.css">'
    )


def test_a_select_shows_names_as_people_wrote_them_and_our_own_words_with_a_capital() -> None:
    select = '{% include "components/_select.html" with name="suite" options=options %}'
    options = [("1", "gsm8k")]

    assert "Gsm8k" not in rendered(select, options=options, label="Suite", are_words=False)
    assert "Gsm8k" in rendered(select, options=options, label="Suite", are_words=True)
