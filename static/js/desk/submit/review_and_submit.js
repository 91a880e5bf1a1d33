// Review, then submit, with the same key. Requests are retried until the server answers; a lease
// stores an answer only once.

import { goOn } from "js/desk/page/next_item";
import { drop, flush, keep } from "js/desk/submit/outbox";
import { backoff, pause, post } from "js/desk/submit/requests";

/** `sending` is the queue of other requests (item_actions.js), which an answer cancels. */
export function finish({ desk, form, say, draft, login, sending }) {
  const { person, lease } = desk.dataset;
  const slot = desk.querySelector("[data-review-slot]");
  const wait = backoff();
  let isSending = false;
  let isLater = false;
  let isSignedOut = false;

  const isReady = () => slot.querySelector("[data-review][data-state=ready]") !== null;

  // Read the form at the time of each attempt, to include changes made while the server was
  // unreachable.
  function bodyOf(step) {
    const body = new FormData(form);
    body.set("step", step);
    return body;
  }

  async function send(step) {
    if (isSending) return isSignedOut && login.open();
    isSending = true;
    form.setAttribute("aria-busy", "true");
    if (step !== "review") sending.stop();
    if (step === "drop") draft.clear(); // a later save must not bring the draft back
    let answer = await post(form.action, bodyOf(step));
    while (answer.kind === "silent" || answer.kind === "signed-out") {
      const seconds = wait.next();
      if (answer.kind === "signed-out") {
        say.trouble("signed-out");
        // Open it only once: a dialog that keeps coming back would steal the keys of somebody who
        // closed it and is typing.
        if (!isSignedOut) login.open();
        isSignedOut = true;
      } else {
        say.trouble("offline");
        if (step === "review" && !isLater) offerLater();
        else if (step !== "drop") keep(person, lease, form, location.pathname);
      }
      await pause(seconds);
      answer = await post(form.action, bodyOf(isLater ? "submit" : step));
    }
    wait.reset();
    say.trouble("");
    drop(person, lease);
    form.removeAttribute("aria-busy");
    isSending = isLater = isSignedOut = false;
    if (answer.kind === "ok" && answer.data.next) {
      draft.clear();
      if (answer.data.html) goOn(answer.data.next, answer.data.html);
      else {
        await sending.settle();
        location.assign(answer.data.next);
      }
    } else if (answer.kind === "ok") {
      show(answer.data.review);
    } else {
      say.refusal(answer);
    }
  }

  // The server cannot review the answer now. The rater can submit it anyway and gets the warnings
  // later.
  function offerLater() {
    if (slot.querySelector("[data-do=later]")) return;
    slot.replaceChildren(say.content("later"));
    slot.querySelector("[data-do=later]").focus();
  }

  function submitLater() {
    sending.stop();
    isLater = keep(person, lease, form, location.pathname);
    slot.replaceChildren(say.content(isLater ? "kept-for-later" : "browser-full"));
  }

  function show(html) {
    slot.innerHTML = html; // rendered by our own server
    wire();
    for (const link of slot.querySelectorAll(".desk-problems a")) mark(link);
    slot.querySelector("[data-review]")?.focus();
  }

  // Marks the control that a problem is about, until it is answered.
  function mark(link) {
    document.getElementById(link.hash.slice(1))?.setAttribute("aria-invalid", "true");
  }

  function unmark({ target }) {
    for (const control of form.querySelectorAll("[aria-invalid=true]")) {
      if (control === target || control.querySelector(":checked")) control.removeAttribute("aria-invalid");
    }
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
    else if (event.target.closest("[data-do=later]")) submitLater();
    else if (link) {
      event.preventDefault();
      point(document.getElementById(link.hash.slice(1)));
    }
  });
  form.addEventListener("input", clear);
  form.addEventListener("input", unmark);
  wire();
  drop(person, lease); // the answer is open here, so it is not sent from the outbox
  flush(person, desk, { except: lease });

  function point(target) {
    if (!target) return;
    desk.dispatchEvent(new CustomEvent("desk:show", { detail: target }));
    (target.matches("fieldset") ? target.querySelector("input") : target).focus();
  }

  function clear() {
    slot.replaceChildren();
  }

  // On a scale there is one choice to make, so it is reviewed only if something is wrong with it.
  const submitsAtOnce = "scale" in desk.dataset;
  return { next: () => send(isReady() || submitsAtOnce ? "submit" : "review"), clear, isOpen: () => slot.childElementCount > 0 };
}

export function modifier() {
  return /Mac|iP(hone|ad)/.test(navigator.platform) ? "⌘" : "Ctrl ";
}
