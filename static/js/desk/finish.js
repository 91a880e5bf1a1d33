// Review, then submit: the same key twice. A server that does not answer is asked again; the same lease stores once.

import { backoff, post } from "js/desk/post";

export function finish({ desk, form, say, draft, lease }) {
  const slot = desk.querySelector("[data-review-slot]");
  const wait = backoff();
  let isSending = false;

  const isReady = () => slot.querySelector("[data-review][data-state=ready]") !== null;

  async function send(step) {
    if (isSending) return;
    isSending = true;
    form.setAttribute("aria-busy", "true");
    const body = new FormData(form);
    body.set("step", step);
    let answer = await post(form.action, body);
    while (answer.kind === "silent" || answer.kind === "signed-out") {
      const seconds = wait.next();
      say.trouble(answer.kind === "silent" ? "offline" : "signed-out");
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      answer = await post(form.action, body);
    }
    wait.reset();
    say.trouble("");
    form.removeAttribute("aria-busy");
    isSending = false;
    if (answer.kind === "ok" && answer.data.next) {
      draft.clear();
      lease.end();
      location.assign(answer.data.next);
    } else if (answer.kind === "ok") {
      show(answer.data.review);
    } else {
      say.trouble("refused");
    }
  }

  function show(html) {
    slot.innerHTML = html; // rendered by our own server
    wire();
    slot.querySelector("[data-review]")?.focus();
  }

  function wire() {
    const back = slot.querySelector("[data-do=unreview]");
    if (back) back.hidden = false;
    for (const key of slot.querySelectorAll("[data-mod-enter]")) {
      key.hidden = false;
      key.textContent = key.textContent.replace("⌘", modifier());
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(event.submitter?.value || "review");
  });
  slot.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (event.target.closest("[data-do=unreview]")) clear();
    else if (link) {
      event.preventDefault();
      point(document.getElementById(link.hash.slice(1)));
    }
  });
  form.addEventListener("input", clear);
  wire();

  function point(target) {
    if (!target) return;
    desk.dispatchEvent(new CustomEvent("desk:show", { detail: target }));
    (target.matches("fieldset") ? target.querySelector("input") : target).focus();
  }

  function clear() {
    slot.replaceChildren();
  }

  return { next: () => send(isReady() ? "submit" : "review"), clear, isOpen: () => slot.childElementCount > 0 };
}

export function modifier() {
  return /Mac|iP(hone|ad)/.test(navigator.platform) ? "⌘" : "Ctrl ";
}
