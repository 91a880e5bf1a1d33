// The writing page: editor, word count, preview, drafts. Pastes are counted, never blocked.

import { beside as mountBeside, reveal } from "js/desk/beside";
import { draft as mountDraft } from "js/desk/draft";
import { finish as mountFinish } from "js/desk/finish";
import { keys } from "js/desk/keys";
import { lease as mountLease } from "js/desk/lease";
import { login as mountLogin } from "js/desk/login";
import { post } from "js/desk/post";
import { record as mountRecord } from "js/desk/record";
import { says } from "js/desk/says";

export function mount(desk) {
  const form = desk.querySelector("form#answer");
  const text = form.elements.text;
  const preview = desk.querySelector("[data-preview]");
  const buttons = [...desk.querySelectorAll("[data-editor]")];
  const say = says(desk);
  const life = new AbortController();
  const { signal } = life; // ends what listens outside the desk, when the next item takes its place
  const record = mountRecord({ desk, form, signal });
  const draft = mountDraft({ desk, form, say, record, signal });
  mountLease({ desk, say, record, signal });
  const finish = mountFinish({ desk, form, say, draft, login: mountLogin({ desk, say, signal }) });
  const beside = mountBeside({ desk, record, signal });

  function count() {
    const n = text.value.trim() ? text.value.trim().split(/\s+/u).length : 0;
    desk.querySelector("[data-words]").textContent = String(n);
    desk.querySelector("[data-meter]").value = n;
  }

  async function show(mode) {
    const isPreview = mode === "preview";
    if (isPreview) {
      const body = new FormData();
      body.set("text", text.value);
      const answer = await post(desk.dataset.previewUrl, body);
      preview.innerHTML = answer.kind === "ok" ? answer.data : ""; // rendered and cleaned by our own server
      record.opened("preview");
    }
    preview.hidden = !isPreview;
    text.hidden = isPreview;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.editor === mode));
    (isPreview ? preview : text).focus();
  }

  const toggle = () => show(preview.hidden ? "preview" : "write");
  for (const button of buttons) button.addEventListener("click", () => show(button.dataset.editor));
  record.watchTyping(text);
  document.addEventListener("keydown", (event) => {
    if (!(event.metaKey || event.ctrlKey) || !event.shiftKey || event.key !== "Enter") return;
    event.preventDefault();
    toggle();
  }, { signal });

  keys({
    beside,
    finish,
    signal,
    leave: () => desk.querySelector("[data-prompt-text]").focus(),
    commands: { g: beside.guideline, p: beside.prompt, q: beside.ask, s: beside.skip, w: () => show("write") },
  });
  form.addEventListener("input", () => {
    count();
    draft.changed();
  });
  desk.addEventListener("desk:show", () => preview.hidden || show("write"));
  reveal();
  draft.restore();
  count();
  desk.toggleAttribute("data-mounted", true);
  const review = desk.querySelector("[data-review]");
  (review ?? text).focus({ preventScroll: true });
  return () => life.abort();
}
