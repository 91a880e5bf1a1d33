// The rendered text: next to the editor and updated while typing if there is room, otherwise in
// place of the editor on demand.

import { post } from "js/desk/submit/requests";

const PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 5_000;
const ROOM_REM = 60; // for prompt, editor and preview, without the guideline (22rem)
const CLOSED = "preferably.preview"; // "closed" if the preview next to the editor is switched off in this browser

/** `fields()` returns the texts in order; `textNow()` the one being written. */
export function preview({ desk, fields, textNow, say, record, signal }) {
  const pane = desk.querySelector("[data-preview]");
  const parts = pane.querySelector("[data-preview-parts]");
  const words = pane.querySelector("[data-preview-says]");
  const written = desk.querySelector("[data-written]");
  const [writeButton, previewButton] = ["write", "preview"].map((name) => desk.querySelector(`[data-editor=${name}]`));
  const shown = new Map(); // field -> its part: { el, body, text }
  const isWindow = matchMedia("(min-width: 60rem) and (min-height: 36rem)"); // where css/desk.css makes the desk fill the window
  let isBeside = false;
  let isLoading = false;
  let isDue = false;
  let pauseMs = PAUSE_MS;
  let timer = 0;
  let frame = 0;

  // --- content ---
  function changed() {
    if (pane.hidden) return;
    arrange();
    clearTimeout(timer);
    timer = setTimeout(refresh, pauseMs);
  }

  /** Creates one part per field, in order; `render` fills it. */
  function arrange() {
    const now = fields();
    for (const [field, part] of shown) {
      if (now.includes(field)) continue;
      part.el.remove();
      shown.delete(field);
    }
    for (const field of now) {
      if (!shown.has(field)) shown.set(field, newPart(field));
      if (!field.value.trim()) fill(shown.get(field), "", "");
    }
    parts.append(...now.map((field) => shown.get(field).el).filter((el) => !el.isConnected));
    const isEmpty = now.every((field) => !field.value.trim());
    if (isEmpty || words.dataset.says === "preview-empty") sayInPane(isEmpty ? "preview-empty" : "");
  }

  function newPart(field) {
    const body = document.createElement("div");
    body.className = "prose";
    body.dir = "auto";
    const label = field.closest("[data-turn]")?.querySelector("label");
    if (!label) return { el: body, body, text: "" };
    const el = document.createElement("section");
    const head = document.createElement("p");
    head.className = "desk-turn-role";
    head.textContent = label.textContent;
    el.append(head, body);
    return { el, body, text: "" };
  }

  function fill(part, text, html) {
    part.body.innerHTML = html; // rendered and sanitized by our own server
    part.text = text;
  }

  // One request at a time, and only for changed fields, so that answers never arrive out of order.
  async function refresh() {
    if (isLoading) isDue = true;
    if (isLoading || pane.hidden || signal.aborted) return;
    isLoading = true;
    arrange();
    for (const [field, part] of shown) {
      if (part.text !== field.value && field.value.trim() && !(await render(field, part))) break;
    }
    isLoading = false;
    if (isDue) {
      isDue = false;
      refresh();
    }
  }

  /** False if the server did not answer: the next change tries again. */
  async function render(field, part) {
    const body = new FormData();
    const text = field.value;
    body.set("text", text);
    const began = performance.now();
    const answer = await post(desk.dataset.previewUrl, body);
    if (signal.aborted) return false;
    if (answer.kind !== "ok") {
      sayInPane("preview-waits");
      return false;
    }
    if (field.value.trim()) fill(part, text, answer.data);
    sayInPane("");
    align();
    pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(PAUSE_MS, 2 * (performance.now() - began)));
    record.opened("preview");
    return true;
  }

  function sayInPane(name) {
    if (words.dataset.says === name) return;
    words.dataset.says = name;
    words.textContent = name && say.text(name);
  }

  // --- layout ---
  function show(isShown) {
    pane.hidden = !isShown;
    written.hidden = isShown && !isBeside;
    desk.toggleAttribute("data-beside", isShown && isBeside);
    writeButton.hidden = isBeside;
    writeButton.setAttribute("aria-pressed", String(!written.hidden));
    previewButton.setAttribute("aria-pressed", String(isShown));
    if (isShown) refresh();
  }

  function toggle() {
    const wasInPane = pane.contains(document.activeElement);
    const isShown = pane.hidden;
    show(isShown);
    if (isBeside) remember(isShown);
    if (isBeside && !wasInPane) return;
    (isShown ? pane : textNow()).focus();
  }

  function write() {
    if (written.hidden) show(false);
    textNow().focus();
  }

  function fit() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const guidelineRem = desk.hasAttribute("data-panel") ? 22 : 0;
    const hasRoom = isWindow.matches && (desk.hasAttribute("data-alone") || desk.clientWidth >= (ROOM_REM + guidelineRem) * rem);
    if (hasRoom === isBeside) return;
    isBeside = hasRoom;
    show(isBeside && localStorage.getItem(CLOSED) !== "closed");
  }

  // Scroll to the editor's position: a dialogue's fields scroll together, a single one by itself.
  function align() {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => {
      const from = written.hasAttribute("data-dialogue") ? written : textNow();
      const share = from.scrollTop / Math.max(1, from.scrollHeight - from.clientHeight);
      pane.scrollTop = share * (pane.scrollHeight - pane.clientHeight);
    });
  }

  written.addEventListener("scroll", () => isBeside && align(), { capture: true, passive: true });
  writeButton.addEventListener("click", write);
  previewButton.addEventListener("click", () => (isBeside || pane.hidden) && toggle());
  document.addEventListener("desk:signed-in", refresh, { signal });
  const sizes = new ResizeObserver(fit);
  const states = new MutationObserver(fit);
  sizes.observe(desk);
  states.observe(desk, { attributeFilter: ["data-panel", "data-alone"] });
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    sizes.disconnect();
    states.disconnect();
  });

  return { changed, fit, toggle, write };
}

function remember(isShown) {
  try {
    if (isShown) localStorage.removeItem(CLOSED);
    else localStorage.setItem(CLOSED, "closed");
  } catch {
    // without storage the choice lasts until the page closes
  }
}
