"""What changed between two versions of a guideline."""

from labeling.guidelines.differences import DiffLine, changes, form_lines
from labeling.guidelines.rating_form import Flag, RatingForm, Scale


def test_equal_texts_have_no_changes() -> None:
    assert changes(["a", "b"], ["a", "b"]) == []


def test_a_changed_line_is_shown_with_its_neighbours() -> None:
    assert changes(["a", "b", "c"], ["a", "B", "c"]) == [
        DiffLine("same", "a"),
        DiffLine("removed", "b"),
        DiffLine("added", "B"),
        DiffLine("same", "c"),
    ]


def test_a_long_stretch_without_a_change_is_left_out_and_counted() -> None:
    before = [str(number) for number in range(20)]

    lines = changes(before, [*before, "new"])

    assert lines == [
        DiffLine("gap", n_hidden=17),
        DiffLine("same", "17"),
        DiffLine("same", "18"),
        DiffLine("same", "19"),
        DiffLine("added", "new"),
    ]


def test_nothing_is_left_out_where_that_would_save_no_line() -> None:
    lines = changes(["a", "b", "c", "d"], ["a", "b", "c", "d", "new"])

    assert [line.kind for line in lines] == ["same", "same", "same", "same", "added"]


def test_questions_read_as_lines() -> None:
    form = RatingForm(
        (
            Scale(
                name="overall",
                label="Overall",
                low=1,
                high=7,
                low_label="poor",
                high_label="excellent",
                is_required=True,
            ),
            Flag(name="made_up", label="Made up", help="not in the text"),
        )
    )

    assert form_lines(form) == ["Overall *: 1 poor – 7 excellent", "☐ Made up (not in the text)"]
