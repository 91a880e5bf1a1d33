// What was shown and for how long: active seconds (input within the last 60), seconds on each part, views, viewport.

const IDLE_MS = 60_000;
const PAUSE_MS = 2_000; // a longer gap between two characters begins a new burst of typing

export function record({ desk, form, signal }) {
  let lastInputAt = Date.now();
  let lastTypedAt = 0;
  let place = "";
  const kept = { active_s: 0, seconds: {}, views: {}, opened: [], typing: {} };
  restore(JSON.parse(form.elements.record.value || "{}")); // of a draft, or of an answer taken back

  for (const kind of ["keydown", "pointermove", "pointerdown", "wheel", "input", "touchstart"]) {
    document.addEventListener(kind, () => (lastInputAt = Date.now()), { passive: true, capture: true, signal });
  }
  for (const kind of ["focusin", "pointerover"]) {
    document.addEventListener(kind, (event) => {
      const part = event.target.closest?.("[data-letter], [data-part]");
      if (part) place = part.dataset.letter ?? part.dataset.part;
    }, { signal });
  }
  const tick = setInterval(() => {
    if (document.hidden || Date.now() - lastInputAt > IDLE_MS) return;
    kept.active_s += 1;
    if (place) kept.seconds[place] = (kept.seconds[place] ?? 0) + 1;
  }, 1000);
  signal.addEventListener("abort", () => clearInterval(tick));
  // A skipped item took time too, which is paid where hours are.
  for (const sent of [form, ...desk.querySelectorAll("form[data-records]")]) {
    sent.addEventListener("formdata", (event) => event.formData.set("record", JSON.stringify(value())));
  }

  /** What was measured before this page; the longer of two goes on, for time that was spent stays spent. */
  function restore({ active_s = 0, seconds, views, opened, typing } = {}) {
    if (active_s < kept.active_s) return;
    for (const [name, old] of Object.entries({ active_s, seconds, views, opened, typing })) {
      if (old !== undefined) kept[name] = old;
    }
  }

  function value() {
    const theme = document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    const face = document.documentElement.dataset.face ?? "sans";
    return { ...kept, viewport: [innerWidth, innerHeight], theme, face };
  }

  function watchTyping(text) {
    text.addEventListener("paste", (event) => {
      typed("n_pastes", 1);
      typed("pasted", event.clipboardData?.getData("text").length ?? 0);
    });
    let isMoved = false; // dragged from one place of this text to another
    text.addEventListener("beforeinput", (event) => {
      if (event.inputType === "deleteByDrag") isMoved = true;
      if (event.inputType === "insertFromDrop") dropped(event);
      if (event.inputType === "insertText") struck(event.data);
    });
    // Most keyboards of phones, and those of many languages, compose: only the end of a word says what was typed.
    text.addEventListener("compositionend", (event) => struck(event.data));

    function dropped(event) {
      if (!isMoved) {
        typed("n_pastes", 1);
        typed("pasted", (event.data ?? event.dataTransfer?.getData("text/plain") ?? "").length);
      }
      isMoved = false;
    }
  }

  function struck(characters) {
    typed("typed", characters?.length ?? 0);
    const gap = Date.now() - lastTypedAt;
    lastTypedAt = Date.now();
    if (gap < PAUSE_MS) typed("typing_ms", gap);
    else typed("n_bursts", 1);
  }

  const typed = (name, n) => (kept.typing[name] = (kept.typing[name] ?? 0) + n);

  return {
    value,
    watchTyping,
    idleMs: () => Date.now() - lastInputAt,
    restore,
    viewed(letter, view) {
      const views = (kept.views[letter] ??= {});
      views[view] = (views[view] ?? 0) + 1;
    },
    opened: (name) => kept.opened.includes(name) || kept.opened.push(name),
  };
}
