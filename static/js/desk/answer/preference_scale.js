// The scale that compares two answers: a digit chooses a step, ← and → move by one. The value of a
// step names the better answer: A4 … A1, B1 … B4, or A, =, B.

/** null on a page without a scale. `changed()` reports a change of the form. */
export function preferenceScale({ form, changed }) {
  const group = form.querySelector("[data-preference]");
  if (!group) return null;
  const steps = [...group.querySelectorAll("[name=preference]")];
  const allBad = form.elements.all_bad;
  const now = () => steps.find((step) => step.checked);

  function choose(step) {
    if (!step) return;
    step.checked = true;
    allBad.checked = false;
    step.focus({ preventScroll: true });
    changed();
  }

  /** From no choice, the first step is to the middle. */
  function move(direction) {
    const ahead = document.dir === "rtl" ? -direction : direction;
    const middle = ahead < 0 ? Math.ceil(steps.length / 2) : Math.floor(steps.length / 2) - 1;
    choose(steps[(now() ? steps.indexOf(now()) : middle) + ahead]);
  }

  function ranks() {
    const better = now()?.value[0];
    if (!better) return { A: null, B: null };
    return { A: better === "B" ? 2 : 1, B: better === "A" ? 2 : 1 };
  }

  // The browser's own arrows would go on from the last step to the first.
  group.addEventListener("keydown", (event) => {
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!direction || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    move(direction);
  });
  // A click on the scale takes "both bad" back.
  group.addEventListener("change", () => {
    if (!allBad.checked) return;
    allBad.checked = false;
    changed();
  });

  return {
    ranks,
    move,
    choose: (number) => choose(steps[number - 1]),
    focus: () => (now() ?? steps[0]).focus(),
    words: () => now()?.dataset.words ?? "",
    commands: {
      ...Object.fromEntries(steps.map((step, place) => [String(place + 1), () => choose(step)])),
      ArrowLeft: () => move(-1),
      ArrowRight: () => move(1),
    },
  };
}
