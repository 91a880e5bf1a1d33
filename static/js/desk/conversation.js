// The page of a conversation between two ratings: its keys, and a draft of the message.

import { keys, meaning } from "js/desk/page/keys";
import { reveal } from "js/desk/page/panels";
import { post } from "js/desk/submit/requests";

const PAUSE_MS = 2000;

export function mount(talk) {
  const life = new AbortController();
  const { signal } = life; // removes listeners outside of this page
  const part = (selector) => talk.querySelector(selector);
  const message = part("[name=text]");
  const ending = part(".desk-talk-end");

  /** Sends the form that has the focus; the page's main one if none has. */
  function send() {
    const form = document.activeElement?.closest(".desk-talk form") ?? part("[data-kind=primary]")?.form;
    form?.requestSubmit();
  }

  keys({
    panels: { isDialogOpen: () => document.querySelector("dialog[open]") !== null, closePanel: () => false },
    finish: { next: send, isOpen: () => false },
    leave: () => document.activeElement.blur(),
    signal,
    commands: {
      w: () => (message ?? part("textarea"))?.focus(),
      f: () => (ending?.querySelector("[type=radio]:checked") ?? ending?.querySelector("[type=radio], a"))?.focus(),
      l: () => document.querySelector("[data-do=guideline]").click(),
      s: () => part("[data-do=stop]").focus(),
    },
  });
  ending?.addEventListener("keydown", (event) => {
    if (!event.target.matches("[type=radio]") || event.metaKey || event.ctrlKey || event.altKey) return;
    const chosen = event.target.closest("fieldset").querySelector(`[type=radio][value="${CSS.escape(meaning(event))}"]`);
    if (!chosen) return;
    chosen.checked = true;
    chosen.focus();
    event.preventDefault();
  });
  reveal();
  if (message) keepDraft({ talk, message, signal });
  return () => life.abort();
}

/**
 * Keeps what is typed: in this browser at once, in case the session has ended, and on the server
 * after two seconds without typing, for another tab or phone.
 */
function keepDraft({ talk, message, signal }) {
  const prefix = `preferably.message.${talk.dataset.person}.`;
  const number = message.form.elements.number.value;
  const key = `${prefix}${talk.dataset.draftUrl}.${number}`;
  const saved = talk.querySelector("[data-saved]");
  let revision = Number(talk.dataset.revision) || 0;
  let timer = 0;

  for (const other of Object.keys(localStorage)) {
    if (other.startsWith(prefix) && other !== key) localStorage.removeItem(other);
  }
  message.value ||= localStorage.getItem(key) ?? "";

  async function save() {
    const fields = { [`text-${number}`]: [message.value] };
    const answer = await post(talk.dataset.draftUrl, JSON.stringify({ revision, fields }));
    if (answer.kind === "ok" && answer.data.saved) saved.textContent = saved.dataset.words.replace("{at}", answer.data.saved);
  }

  message.addEventListener("input", () => {
    revision += 1;
    try {
      localStorage.setItem(key, message.value);
    } catch {
      // The browser has no space; the server still keeps it.
    }
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE_MS);
  });
  const stop = () => clearTimeout(timer);
  message.form.addEventListener("submit", stop);
  signal.addEventListener("abort", stop);
}
