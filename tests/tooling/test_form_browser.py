"""The simulated raters' browser sends what a browser without JavaScript would."""

import form_browser
import pytest
import simulated_raters

FORM = """
<form method="post" action="/go" enctype="multipart/form-data">
  <input type="hidden" name="token" value="t">
  <label>Name <input name="name" value="Ada &amp; Co"></label>
  <label for="id_b">blue</label><input type="checkbox" name="colour" value="b" id="id_b" checked>
  <label><input type="checkbox" name="colour" value="r"> red</label>
  <input type="radio" name="size" value="1"><input type="radio" name="size" value="2" checked>
  <input type="radio" name="choice" value=""  checked><input type="radio" name="choice" value="1">
  <select name="rank">
    <option value="">unranked</option><option value="1" selected>rank 1</option>
  </select>
  <select name="plain">
    <option value="first">first</option><option value="second">second</option>
  </select>
  <textarea name="text">
two
lines</textarea>
  <input type="text" name="empty">
  <input type="text" name="off" value="x" disabled><input type="file" name="file">
  <button name="step" value="review">Review</button>
</form>
"""


@pytest.fixture
def form() -> form_browser.Form:
    return form_browser.Page("/", 200, FORM).forms[0]


def test_a_form_is_sent_as_it_stands(form: form_browser.Form) -> None:
    assert form.values == {
        "token": ["t"],
        "name": ["Ada & Co"],
        "colour": ["b"],
        "size": ["2"],
        "choice": [""],
        "rank": ["1"],
        "plain": ["first"],
        "text": ["two\nlines"],
        "empty": [""],
    }


def test_choices_are_found_by_their_words(form: form_browser.Form) -> None:
    assert form.option("colour", "red") == "r"
    assert form.option("colour", "blue") == "b"
    assert form.option("rank", "unranked") == ""


def test_a_choice_that_is_not_offered_is_named(form: form_browser.Form) -> None:
    with pytest.raises(form_browser.UnexpectedPage, match="not “green”"):
        form.option("colour", "green")


def test_what_scripts_say_is_not_part_of_a_pages_text() -> None:
    assert form_browser.Page("/", 200, "<p>seen</p><script>unseen</script>").text == "seen"


@pytest.mark.parametrize("rater", simulated_raters.RATERS, ids=lambda rater: rater.name)
def test_every_simulated_rater_distinguishes_a_good_answer_from_a_poor_one(
    rater: simulated_raters.Rater,
) -> None:
    prompt = "Explain why bread dough rises overnight."
    good = (
        "Bread dough rises overnight because yeast slowly turns sugar into gas, and gluten holds"
        " the bubbles."
    )
    poor = "Sorry, sorry, sorry, I am an and an and an and"

    assert rater.score(prompt, good) > rater.score(prompt, poor)
