// Questions of the rating form that are asked only after some answers to another. The server leaves out what was not asked.

/** Whether the question that decides about this one is itself asked, and ticked or answered within bounds. */
export function isAsked(form, question) {
  const controls = [...form.querySelectorAll(`[name="${question.dataset.askedIf}"]`)];
  const chosen = controls.find((control) => control.checked);
  if (!chosen || chosen.closest("[hidden]")) return false;
  if (chosen.type === "checkbox") return true;
  const { atLeast = -Infinity, atMost = Infinity } = question.dataset;
  return Number(chosen.value) >= Number(atLeast) && Number(chosen.value) <= Number(atMost);
}
