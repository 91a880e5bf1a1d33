// Panels and dialogs next to the work: the guideline, the whole prompt, skipping, questions.

import { meaning } from "js/desk/page/keys";
import { fragment } from "js/desk/submit/requests";
import { modifier } from "js/desk/submit/review_and_submit";

export function panels({ desk, record, signal }) {
  const panel = desk.querySelector("#guideline-panel");
  const skip = dialogOf(desk.querySelector("[data-part=skip]")); // a correction cannot be skipped
  const question = dialogOf(desk.querySelector("[data-part=ask]"));
  const actions = { guideline, prompt, skip: openSkip, ask };
  let previousFocus = null;

  async function guideline() {
    const isOpening = panel.hidden;
    if (isOpening) previousFocus = document.activeElement;
    panel.hidden = !isOpening;
    desk.toggleAttribute("data-panel", isOpening);
    for (const button of document.querySelectorAll("[data-do=guideline]")) button.setAttribute("aria-expanded", String(isOpening));
    if (!isOpening) return previousFocus?.focus();
    record.opened("guideline");
    if (!panel.childElementCount) panel.innerHTML = (await fragment(panel.dataset.url)) ?? ""; // our own rendering, cleaned
    if (document.activeElement?.matches("textarea, input[type=text]")) return;
    panel.focus();
  }

  function prompt() {
    if (!frame) return promptText.focus(); // a conversation scrolls in its own place
    const isOpen = desk.toggleAttribute("data-prompt-open");
    desk.querySelector("[data-do=prompt]").setAttribute("aria-pressed", String(isOpen));
    if (isOpen) record.opened("prompt");
  }

  function ask() {
    skip?.close();
    question.showModal();
    question.querySelector("textarea").focus();
  }

  function openSkip() {
    if (!skip) return;
    skip.showModal();
    skip.querySelector("[name=reason]").focus();
  }

  // Hide the button that unfolds the prompt when all of it is visible.
  const promptText = desk.querySelector("[data-prompt-text]");
  const fits = new ResizeObserver(() => {
    if (desk.hasAttribute("data-prompt-open") || desk.querySelector("[data-has-earlier]")) return;
    desk.toggleAttribute("data-prompt-whole", promptText.scrollHeight <= promptText.clientHeight + 1);
  });
  fits.observe(promptText);
  // The prompt may stick to the top while the page scrolls: tell the stylesheet how high it is.
  const frame = desk.querySelector(".desk-prompt");
  const frameSize = new ResizeObserver(() => document.documentElement.style.setProperty("--prompt", `${frame.offsetHeight}px`));
  if (frame) frameSize.observe(frame);
  signal.addEventListener("abort", () => {
    fits.disconnect();
    frameSize.disconnect();
  });

  skip?.addEventListener("keydown", (event) => {
    const reason = skip.querySelectorAll("[name=reason]")[Number(meaning(event)) - 1];
    if (!reason || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("[type=text]")) return;
    reason.checked = true;
    reason.focus();
    event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const name = event.target.closest("[data-do]")?.dataset.do;
    const dialog = event.target.closest("dialog");
    if (name === "close" && dialog) dialog.close();
    else if (name === "close") guideline();
    else if (actions[name]) {
      event.preventDefault();
      actions[name]();
    }
  }, { signal });
  if (location.hash === "#skip") { // clicked before this script had loaded
    history.replaceState(history.state, "", location.pathname + location.search);
    openSkip();
  }

  return {
    ...actions,
    isDialogOpen: () => document.querySelector("dialog[open]") !== null,
    /** Closes the panel; returns whether it was open. */
    closePanel() {
      if (panel.hidden) return false;
      guideline();
      return true;
    },
  };
}

/** The latest turns of a conversation are in view. */
export function scrollToLatest(desk) {
  const chat = desk.querySelector(".talk-chat-text");
  if (chat) chat.scrollTop = chat.scrollHeight;
}

/** Shows what needs scripts, hides what replaces them, and prints this system's modifier key. */
export function reveal() {
  for (const el of document.querySelectorAll("[data-needs-script], .js-only, .desk-state [data-do], .desk-prompt [data-do], dialog [data-do=close]")) el.hidden = false;
  for (const el of document.querySelectorAll("[data-without-script]")) el.hidden = true;
  for (const key of document.querySelectorAll("[data-mod-enter]")) key.textContent = key.textContent.replace("⌘", modifier());
}

function dialogOf(content) {
  if (!content) return null;
  const dialog = document.createElement("dialog");
  dialog.className = "dialog desk-dialog";
  dialog.append(content);
  dialog.setAttribute("aria-labelledby", dialog.querySelector("h2").id);
  document.querySelector(".desk").append(dialog);
  return dialog;
}
