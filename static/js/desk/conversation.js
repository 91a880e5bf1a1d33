// A conversation while there is nothing to rate: its keys, a draft of the message, and the seconds of
// waiting. What the server shows next replaces it in place, so that the chat does not move.

import { goOn } from "js/desk/page/next_item";
import { keys, meaning } from "js/desk/page/keys";
import { panels as mountPanels, reveal, scrollToLatest } from "js/desk/page/panels";
import { progress } from "js/desk/page/progress";
import { fragment, post } from "js/desk/submit/requests";

const PAUSE_MS = 2000;

export function mount(talk) {
  const life = new AbortController();
  const { signal } = life; // removes listeners outside of this page
  const part = (selector) => talk.querySelector(selector);
  const message = part("[name=text]");
  const ending = part(".talk-end");
  const panels = part("#guideline-panel") ? mountPanels({ desk: talk, record: { opened() {} }, signal }) : null;

  /** Sends the form that has the focus; the page's main one if none has. */
  function send() {
    const form = document.activeElement?.closest("[data-behavior='desk/conversation'] form") ?? part("[data-kind=primary]")?.form;
    form?.requestSubmit();
  }

  keys({
    panels: panels ?? { isDialogOpen: () => document.querySelector("dialog[open]") !== null, closePanel: () => false },
    finish: { next: send, isOpen: () => false },
    leave: () => document.activeElement.blur(),
    signal,
    commands: {
      w: () => (message ?? part("textarea"))?.focus(),
      f: () => (ending?.querySelector("[type=radio]:checked") ?? ending?.querySelector("[type=radio], a"))?.focus(),
      l: () => (panels ? panels.guideline() : document.querySelector("[data-do=guideline]").click()),
      ...(panels && { p: panels.prompt }),
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
  scrollToLatest(talk);
  if (document.querySelector(".desk-state")) progress({ desk: talk, signal });
  if (message) keepDraft({ talk, message, signal });
  sendInPlace({ talk, signal });
  waitInPlace({ talk, signal });
  countSeconds({ talk, signal });
  if (talk.matches(".desk")) (message ?? part("[autofocus]") ?? part("[data-work]")).focus({ preventScroll: true });
  return () => life.abort();
}

/** Without an answer of the server, or signed out, the browser sends the form itself. */
function sendInPlace({ talk, signal }) {
  talk.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("[data-in-place]")) return;
    event.preventDefault();
    event.stopPropagation();
    if (form.hasAttribute("aria-busy")) return;
    form.setAttribute("aria-busy", "true");
    const answer = await post(form.action, new FormData(form));
    if (signal.aborted) return;
    if (answer.kind === "ok" && answer.data.next) show(answer.data);
    else form.submit();
  }, { capture: true, signal });
}

/** The answers are there: what is polled names the page that has them. */
function waitInPlace({ talk, signal }) {
  talk.addEventListener("htmx:beforeOnLoad", async (event) => {
    const address = event.detail.xhr.getResponseHeader("HX-Redirect");
    if (!address) return;
    event.preventDefault();
    const page = await fragment(address);
    if (signal.aborted) return;
    if (page) show(JSON.parse(page));
    else location.assign(address);
  }, { signal });
}

function show({ next, html }) {
  if (html) goOn(next, html);
  else location.assign(next);
}

function countSeconds({ talk, signal }) {
  const shown = talk.querySelector("[data-seconds]");
  if (!shown) return;
  const since = Date.now() - Number(shown.dataset.seconds) * 1000;
  const ticking = setInterval(() => {
    shown.textContent = shown.dataset.words.replace("{n}", Math.floor((Date.now() - since) / 1000));
  }, 1000);
  signal.addEventListener("abort", () => clearInterval(ticking));
}

/**
 * Keeps what is typed: in this browser at once, in case the session has ended, and on the server
 * after two seconds without typing, for another tab or phone.
 */
function keepDraft({ talk, message, signal }) {
  const prefix = `preferably.message.${talk.dataset.person}.`;
  const number = message.form.elements.number.value;
  const key = `${prefix}${talk.dataset.draftUrl}.${number}`;
  const saved = document.querySelector("[data-saved]");
  const sentence = document.querySelector("[data-say=saved]").content.textContent.trim();
  let revision = Number(talk.dataset.revision) || 0;
  let timer = 0;

  for (const other of Object.keys(localStorage)) {
    if (other.startsWith(prefix) && other !== key) localStorage.removeItem(other);
  }
  message.value ||= localStorage.getItem(key) ?? "";

  async function save() {
    const fields = { [`text-${number}`]: [message.value] };
    const answer = await post(talk.dataset.draftUrl, JSON.stringify({ revision, fields }));
    if (answer.kind === "ok" && answer.data.saved) saved.textContent = sentence.replace("{at}", answer.data.saved);
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
