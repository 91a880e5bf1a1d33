// Conditional questions of the rating form. The server ignores answers to questions that were not
// asked.

/**
 * Whether to show `question`: the question it depends on is shown, and ticked or answered within
 * bounds.
 */
export function isAsked(form, question) {
  const controls = [...form.querySelectorAll(`[name="${question.dataset.askedIf}"]`)];
  const chosen = controls.find((control) => control.checked);
  if (!chosen || chosen.closest("[hidden]")) return false;
  if (chosen.type === "checkbox") return true;
  const { atLeast = -Infinity, atMost = Infinity } = question.dataset;
  return Number(chosen.value) >= Number(atLeast) && Number(chosen.value) <= Number(atMost);
}
