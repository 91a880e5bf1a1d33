// The writing page: editor, word count, preview, drafts. Pastes are counted, never blocked.

import { panels as mountPanels, reveal } from "js/desk/page/panels";
import { dialogue as mountDialogue } from "js/desk/answer/dialogue";
import { contentNotice } from "js/desk/answer/content_notice";
import { draft as mountDraft } from "js/desk/submit/draft";
import { finish as mountFinish } from "js/desk/submit/review_and_submit";
import { keys } from "js/desk/page/keys";
import { lease as mountLease } from "js/desk/page/lease";
import { login as mountLogin } from "js/desk/submit/sign_in_again";
import { preview as mountPreview } from "js/desk/answer/preview";
import { progress } from "js/desk/page/progress";
import { record as mountRecord } from "js/desk/page/work_record";
import { messages } from "js/desk/page/messages";
import { itemActions } from "js/desk/submit/item_actions";

export function mount(desk) {
  const form = desk.querySelector("form#answer");
  const written = desk.querySelector("[data-written]");
  const say = messages(desk);
  const life = new AbortController();
  const { signal } = life; // removes listeners outside the desk when the next item replaces it
  const record = mountRecord({ desk, form, signal });
  const dialogue = mountDialogue({ form, added: record.watchTyping, changed: () => form.dispatchEvent(new Event("input", { bubbles: true })) });
  const draft = mountDraft({ desk, form, say, record, signal, prepare: dialogue.prepare });
  mountLease({ desk, say, record, signal });
  progress({ desk, signal });
  const login = mountLogin({ desk, say, signal });
  const sending = itemActions({ form, say, draft, login, signal });
  const finish = mountFinish({ desk, form, say, draft, login, sending });
  const panels = mountPanels({ desk, record, signal });
  const notice = contentNotice({ desk });
  const plural = new Intl.PluralRules(document.documentElement.lang);

  let text = form.elements.text; // the answer being written
  written.addEventListener("focusin", (event) => {
    if (event.target.closest("[data-role=user]")) return;
    text = event.target;
    count();
  });

  const preview = mountPreview({ desk, fields: dialogue.fields, textNow: () => text, say, record, signal });

  function inflect(word, n) {
    word.textContent = word.dataset[plural.select(n)] ?? word.dataset.other;
  }

  function count() {
    if (!text.isConnected) text = form.elements.text;
    const n = text.value.trim() ? text.value.trim().split(/\s+/u).length : 0;
    desk.querySelector("[data-words]").textContent = String(n);
    inflect(desk.querySelector("[data-word]"), n);
    const tokens = desk.querySelector("[data-tokens]");
    const nTokens = Math.ceil(text.value.length / Number(tokens.dataset.characters));
    tokens.textContent = String(nTokens);
    inflect(desk.querySelector("[data-token]"), nTokens);
    desk.querySelector("[data-meter]").value = n;
  }

  // Full screen: only the editor. A key still opens a short prompt.
  const fullButton = desk.querySelector("[data-full]");
  function full(isFull = !desk.hasAttribute("data-alone")) {
    desk.toggleAttribute("data-alone", isFull);
    fullButton.setAttribute("aria-pressed", String(isFull));
    if (isFull) record.opened("full screen");
    text.focus();
  }
  fullButton.addEventListener("click", () => full());

  document.addEventListener("keydown", (event) => {
    if (!(event.metaKey || event.ctrlKey) || !event.shiftKey || event.key !== "Enter") return;
    event.preventDefault();
    preview.toggle();
  }, { signal });

  keys({
    panels,
    finish,
    signal,
    leave: (from) => {
      if (desk.hasAttribute("data-alone") && from.closest("[data-written], [data-preview]")) fullButton.focus();
      else if (desk.hasAttribute("data-alone")) full(false);
      else desk.querySelector("[data-prompt-text]").focus();
    },
    commands: { f: () => full(), l: panels.guideline, p: panels.prompt, q: panels.ask, s: panels.skip, w: preview.write },
  });
  form.addEventListener("input", () => {
    count();
    draft.changed();
    preview.changed();
  });
  desk.addEventListener("desk:show", preview.write);
  reveal();
  draft.restore();
  count();
  preview.fit();
  desk.toggleAttribute("data-mounted", true);
  const review = desk.querySelector("[data-review]");
  if (notice.isCovered() && !review) notice.uncover();
  else (review ?? text).focus({ preventScroll: true });
  return () => life.abort();
}
