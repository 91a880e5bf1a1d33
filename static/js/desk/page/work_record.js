// Measures the work: active seconds (input within the last 60), seconds on each part, views,
// viewport.

const IDLE_MS = 60_000;
const PAUSE_MS = 2_000; // a longer gap between two characters starts a new burst of typing

export function record({ desk, form, signal }) {
  let lastInputAt = Date.now();
  let lastTypedAt = 0;
  let place = "";
  const totals = { active_s: 0, seconds: {}, views: {}, opened: [], typing: {} };
  restore(JSON.parse(form.elements.record.value || "{}")); // from a draft, or from an answer taken back

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
    totals.active_s += 1;
    if (place) totals.seconds[place] = (totals.seconds[place] ?? 0) + 1;
  }, 1000);
  signal.addEventListener("abort", () => clearInterval(tick));
  // A skipped item took time too, which is paid under hourly rates.
  for (const sent of [form, ...desk.querySelectorAll("form[data-records]")]) {
    sent.addEventListener("formdata", (event) => event.formData.set("record", JSON.stringify(value())));
  }

  /** Continues from earlier measurements. The longer record wins, so that no time is lost. */
  function restore({ active_s = 0, seconds, views, opened, typing } = {}) {
    if (active_s < totals.active_s) return;
    for (const [name, old] of Object.entries({ active_s, seconds, views, opened, typing })) {
      if (old !== undefined) totals[name] = old;
    }
  }

  function value() {
    const theme = document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    const face = document.documentElement.dataset.face ?? "sans";
    return { ...totals, viewport: [innerWidth, innerHeight], theme, face };
  }

  function watchTyping(text) {
    text.addEventListener("paste", (event) => {
      add("n_pastes", 1);
      add("pasted", event.clipboardData?.getData("text").length ?? 0);
    });
    let isMoved = false; // dragged from one place in this text to another
    text.addEventListener("beforeinput", (event) => {
      if (event.inputType === "deleteByDrag") isMoved = true;
      if (event.inputType === "insertFromDrop") recordDropped(event);
      if (event.inputType === "insertText") recordTyped(event.data);
    });
    // Most phone keyboards and many languages use composition: what was typed is only known at its
    // end.
    text.addEventListener("compositionend", (event) => recordTyped(event.data));

    function recordDropped(event) {
      if (!isMoved) {
        add("n_pastes", 1);
        add("pasted", (event.data ?? event.dataTransfer?.getData("text/plain") ?? "").length);
      }
      isMoved = false;
    }
  }

  function recordTyped(characters) {
    add("typed", characters?.length ?? 0);
    const gap = Date.now() - lastTypedAt;
    lastTypedAt = Date.now();
    if (gap < PAUSE_MS) add("typing_ms", gap);
    else add("n_bursts", 1);
  }

  const add = (name, n) => (totals.typing[name] = (totals.typing[name] ?? 0) + n);

  return {
    value,
    watchTyping,
    idleMs: () => Date.now() - lastInputAt,
    restore,
    viewed(letter, view) {
      const views = (totals.views[letter] ??= {});
      views[view] = (views[view] ?? 0) + 1;
    },
    opened: (name) => totals.opened.includes(name) || totals.opened.push(name),
  };
}
