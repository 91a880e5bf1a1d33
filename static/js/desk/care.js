// Upsetting content is blurred until somebody opens it; until then it is out of reach of keys, of screen readers and of the editor too.

/** `isCovered()`, and `uncover()`: the focus on what shows it. */
export function care({ desk }) {
  const cover = desk.querySelector(".desk-care");
  const texts = [...desk.querySelectorAll("[data-prompt-text] > *, [data-text] > *, [data-edit] textarea")];
  const isCovered = () => cover !== null && !cover.open;

  function redraw() {
    for (const text of texts) text.inert = isCovered();
  }

  cover?.addEventListener("toggle", redraw);
  redraw();
  return { isCovered, uncover: () => cover.querySelector("summary").focus() };
}
