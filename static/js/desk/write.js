// The writing page: editor, word count, preview, drafts. Pastes are counted, never blocked.

import { beside as mountBeside, reveal } from "js/desk/beside";
import { dialogue as mountDialogue } from "js/desk/dialogue";
import { care as mountCare } from "js/desk/care";
import { draft as mountDraft } from "js/desk/draft";
import { finish as mountFinish } from "js/desk/finish";
import { keys } from "js/desk/keys";
import { lease as mountLease } from "js/desk/lease";
import { login as mountLogin } from "js/desk/login";
import { post } from "js/desk/post";
import { record as mountRecord } from "js/desk/record";
import { says } from "js/desk/says";
import { send as mountSend } from "js/desk/send";

export function mount(desk) {
  const form = desk.querySelector("form#answer");
  const written = desk.querySelector("[data-written]");
  const preview = desk.querySelector("[data-preview]");
  const buttons = [...desk.querySelectorAll("[data-editor]")];
  const say = says(desk);
  const life = new AbortController();
  const { signal } = life; // ends what listens outside the desk, when the next item takes its place
  const record = mountRecord({ desk, form, signal });
  const dialogue = mountDialogue({ form, added: record.watchTyping, changed: () => form.dispatchEvent(new Event("input", { bubbles: true })) });
  const draft = mountDraft({ desk, form, say, record, signal, prepare: dialogue.prepare });
  mountLease({ desk, say, record, signal });
  const login = mountLogin({ desk, say, signal });
  const finish = mountFinish({ desk, form, say, draft, login });
  mountSend({ form, say, draft, login, signal });
  const beside = mountBeside({ desk, record, signal });

  const care = mountCare({ desk });
  const plural = new Intl.PluralRules(document.documentElement.lang);

  let text = form.elements.text; // the answer that is being written
  written.addEventListener("focusin", (event) => {
    if (event.target.closest("[data-role=user]")) return;
    text = event.target;
    count();
  });

  function count() {
    if (!text.isConnected) text = form.elements.text;
    const n = text.value.trim() ? text.value.trim().split(/\s+/u).length : 0;
    desk.querySelector("[data-words]").textContent = String(n);
    const word = desk.querySelector("[data-word]");
    word.textContent = word.dataset[plural.select(n)] ?? word.dataset.other;
    const tokens = desk.querySelector("[data-tokens]");
    tokens.textContent = String(Math.ceil(text.value.length / Number(tokens.dataset.characters)));
    desk.querySelector("[data-meter]").value = n;
  }

  async function show(mode) {
    const isPreview = mode === "preview";
    if (isPreview) {
      preview.replaceChildren(...(await Promise.all(dialogue.fields().map(rendered))));
      record.opened("preview");
    }
    preview.hidden = !isPreview;
    written.hidden = isPreview;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.editor === mode));
    (isPreview ? preview : text).focus();
  }

  async function rendered(field) {
    const part = document.createElement("div");
    const body = new FormData();
    body.set("text", field.value);
    const answer = await post(desk.dataset.previewUrl, body);
    part.innerHTML = answer.kind === "ok" ? answer.data : ""; // rendered and cleaned by our own server
    part.className = "prose";
    part.dir = "auto";
    const name = field.closest("[data-turn]")?.querySelector("label").cloneNode(true);
    if (!name) return part;
    const turn = document.createElement("section");
    const head = document.createElement("p");
    head.className = "desk-turn-role";
    head.textContent = name.textContent;
    turn.append(head, part);
    return turn;
  }

  // The editor alone, over everything else; a short prompt stays a key away.
  const fullButton = desk.querySelector("[data-full]");
  function full(isFull = !desk.hasAttribute("data-alone")) {
    desk.toggleAttribute("data-alone", isFull);
    fullButton.setAttribute("aria-pressed", String(isFull));
    if (isFull) record.opened("full screen");
    text.focus();
  }
  fullButton.addEventListener("click", () => full());

  const toggle = () => show(preview.hidden ? "preview" : "write");
  for (const button of buttons) button.addEventListener("click", () => show(button.dataset.editor));
  document.addEventListener("keydown", (event) => {
    if (!(event.metaKey || event.ctrlKey) || !event.shiftKey || event.key !== "Enter") return;
    event.preventDefault();
    toggle();
  }, { signal });

  keys({
    beside,
    finish,
    signal,
    leave: (from) => {
      if (desk.hasAttribute("data-alone") && from.closest("[data-written], [data-preview]")) fullButton.focus();
      else if (desk.hasAttribute("data-alone")) full(false);
      else desk.querySelector("[data-prompt-text]").focus();
    },
    commands: { f: () => full(), g: beside.guideline, p: beside.prompt, q: beside.ask, s: beside.skip, w: () => show("write") },
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
  if (care.isCovered() && !review) care.uncover();
  else (review ?? text).focus({ preventScroll: true });
  return () => life.abort();
}
