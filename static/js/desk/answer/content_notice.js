// Blurs upsetting content until the rater reveals it. Until then it cannot be reached by keyboard,
// screen reader or editor.

/** `uncover()` focuses the control that reveals it. */
export function contentNotice({ desk }) {
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
