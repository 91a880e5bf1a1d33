// The editor of the comparison page, for improving the best response. Its text counts only while
// edit_of names a response.

/**
 * `choose()` returns the letter to edit; `notice` knows whether it is covered; `changed()` reports a
 * change of the form.
 */
export function edit({ form, record, cards, notice, choose, changed }) {
  const part = form.querySelector("[data-edit]");
  const text = form.elements.edit;
  const of = form.elements.edit_of;
  // A textarea normalises line endings.
  const original = (letter) => cards.find((card) => card.dataset.letter === letter).querySelector("[data-shown=raw]").textContent.replaceAll("\r\n", "\n");
  const isUntouched = () => !of.value || text.value === original(of.value);

  function open() {
    if (notice.isCovered()) return notice.uncover();
    const letter = choose();
    if (letter !== of.value && isUntouched()) {
      of.value = letter;
      text.value = original(letter);
      changed();
    }
    text.focus();
    text.setSelectionRange(0, 0);
    text.scrollTop = 0;
  }

  function drop() {
    of.value = "";
    text.value = "";
    changed();
  }

  function redraw() {
    part.hidden = !of.value;
    part.querySelector("[data-edit-letter]").textContent = of.value;
  }

  form.addEventListener("click", (event) => {
    const name = event.target.closest("[data-do=edit], [data-do=unedit]")?.dataset.do;
    if (!name) return;
    event.preventDefault();
    (name === "edit" ? open : drop)();
  });
  record.watchTyping(text);
  return { open, redraw };
}
