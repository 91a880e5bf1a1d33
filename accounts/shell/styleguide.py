"""Samples for the style guide: a form with every kind of field, a table and two charts."""

import math

from django import forms

from pages import charts
from pages.form_parts import chips, segmented
from pages.verdicts import Action, Verdict


class SampleForm(forms.Form):
    name = forms.CharField(label="Name", help_text="As raters see it.")
    lease = forms.IntegerField(
        label="Lease", help_text="Minutes an item stays with a rater.", min_value=1, required=False
    )
    kind = forms.ChoiceField(label="Kind", choices=[("a", "Demonstration"), ("b", "Comparison")])
    rule = forms.ChoiceField(
        label="Theme",
        choices=[("1", "System"), ("2", "Light"), ("3", "Dark")],
        widget=segmented(),
    )
    roles = forms.MultipleChoiceField(
        label="Roles",
        choices=[("rater", "Rater"), ("admin", "Admin"), ("researcher", "Researcher")],
        widget=chips(),
        required=False,
    )
    note = forms.CharField(label="Note", widget=forms.Textarea(attrs={"rows": 3}), required=False)
    is_open = forms.BooleanField(
        label="Open at once", required=False, help_text="Raters see it as soon as it is created."
    )


def samples() -> list[dict[str, object]]:
    """One set of samples per theme. Ids differ because both sets are on one page."""
    return [
        {"theme": theme, "table": f"Raters, {theme}", "forms": _forms(theme)}
        for theme in ("light", "dark")
    ]


def shared() -> dict[str, object]:
    return {
        "greys": range(1, 10),
        "series": range(1, 9),
        "scale": [(number, str(number)) for number in range(1, 8)],
        "flags": ["wrong task", "made up", "unsafe", "off language"],
        "kinds": ["accent", "good", "warning", "danger", "info", "outline"],
        "rows": [
            ("rater 014", 96, 41, 0.74),
            ("rater 007", 88, 55, 0.71),
            ("rater 030", 48, 9, 0.41),
        ],
        "verdict": Verdict(
            "Held-out pair accuracy: 55 % before, 59 % after on 31 held-out pairs. Too few to tell"
            " whether it changed: about 300 would show a difference of 5 points.",
            "Collect more comparisons before you train with it.",
            action=Action("See what it learned from", "#"),
        ),
        "reward": _reward_chart(),
        "progress": _progress_chart(),
        "spark": charts.spark([5, 6, 5.5, 5.8, 5, 4.6, 5.2, 5, 5.6, 6.1, 5.9, 6.4]),
        "text": TEXT,
    }


TEXT = r"""Road salt works by **freezing-point depression**: dissolved ions get in the way of
water that tries to join the ice.

$$\Delta T = i \cdot K_f \cdot m$$

| salt in the brine | freezes at |
|:--|--:|
| 5 % | −3 °C |
| 23 % | −21 °C |

```python
def freezing_point(share: float) -> float:
    return -0.9 * share  # °C, roughly
```

1. It needs a little liquid water to start.
2. It [stops helping](https://example.org) in deep cold.
"""


def _forms(theme: str) -> list[forms.Form]:
    empty = SampleForm(
        auto_id=f"id_{theme}_%s",
        initial={"name": "Helpful answers", "rule": "1", "roles": ["rater"]},
    )
    wrong = SampleForm({"lease": "0", "rule": "2", "kind": "b"}, auto_id=f"id_{theme}_wrong_%s")
    return [empty, wrong]


def _reward_chart() -> charts.LineChart:
    steps = range(0, 253, 4)
    reward = [
        (step, 0.35 + 0.95 * (1 - math.exp(-step / 90)) + 0.12 * math.sin(step * 1.7))
        for step in steps
    ]
    watchdog = [
        (step, 0.32 + 0.62 * (1 - math.exp(-step / 80)) + 0.08 * math.sin(step * 2.3))
        for step in steps
    ]
    return charts.line_chart(
        title="Reward rises, the watchdog follows at two thirds",
        series=[charts.Series("reward", reward), charts.Series("watchdog", watchdog)],
        x_unit="steps",
        y_unit="per response",
        x_end=400,
        limits=[charts.Limit(1.8, "ceiling")],
        from_zero=True,
    )


def _progress_chart() -> charts.LineChart:
    judged = [(hour, 412 * (hour / 58) ** 1.6) for hour in range(0, 59, 2)]
    return charts.line_chart(
        title="On course: 38 judgments an hour since Tuesday",
        series=[
            charts.Series("412 now", judged, has_area=True),
            charts.Series("600 about Thu 15:00", [(58, 412), (78, 600)], is_projection=True),
        ],
        x_unit="",
        y_unit="judgments",
        x_ticks=[(0, "Mon 09:00"), (24, "Tue"), (48, "Wed"), (72, "Thu")],
        from_zero=True,
    )
