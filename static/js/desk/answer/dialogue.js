// A dialogue's turns after the first answer. They are added and removed in pairs: a user's turn and
// the answer to it.

/** `added(text)` is called for every new field, `changed()` when turns were added or removed. */
export function dialogue({ form, added, changed }) {
  const written = form.querySelector("[data-written]");
  const template = form.querySelector("template[data-turns]");
  const removed = []; // removed turns; adding turns brings their text back
  const fields = () => [...written.querySelectorAll("textarea")];

  function grow() {
    const n = fields().length;
    if (n > Number(template.dataset.most)) return false;
    const pair = template.content.cloneNode(true);
    [...pair.querySelectorAll("[data-turn]")].forEach((turn, place) => {
      const text = turn.querySelector("textarea");
      text.name = text.id = `turn-${n + place}`;
      turn.querySelector("label").htmlFor = text.id;
      turn.querySelector("[data-number]").textContent = String(n + place + 1);
      added(text);
    });
    written.append(pair);
    redraw();
    return true;
  }

  function extend() {
    if (!template || !grow()) return;
    const pair = fields().slice(-2);
    const texts = removed.pop() ?? ["", ""];
    pair.forEach((text, place) => (text.value = texts[place]));
    changed();
    pair[0].focus();
    pair[0].scrollIntoView({ block: "nearest" });
  }

  function shorten() {
    const turns = [...written.querySelectorAll("[data-turn]")].slice(-2);
    if (turns.length < 2) return;
    removed.push(turns.map((turn) => turn.querySelector("textarea").value));
    for (const turn of turns) turn.remove();
    redraw();
    changed();
    fields().at(-1).focus();
  }

  function step(direction) {
    const all = fields();
    all[all.indexOf(document.activeElement) + direction]?.focus();
  }

  function redraw() {
    const button = form.querySelector("[data-do=shorten]");
    if (button) button.hidden = fields().length < 2;
  }

  const keys = { Enter: extend, ArrowUp: () => step(-1), ArrowDown: () => step(1) };
  form.addEventListener("keydown", (event) => {
    if (!template || !event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    const act = event.shiftKey ? event.key === "Backspace" && shorten : keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  form.addEventListener("click", (event) => {
    const name = event.target.closest("[data-do=extend], [data-do=shorten]")?.dataset.do;
    if (!name) return;
    event.preventDefault();
    (name === "extend" ? extend : shorten)();
  });
  for (const text of fields()) added(text);

  return {
    fields,
    /** Creates as many turns as a draft has. */
    prepare(drafted) {
      while (template && `turn-${fields().length}` in drafted && grow());
      redraw();
    },
  };
}
