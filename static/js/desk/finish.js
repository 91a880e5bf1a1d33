// Review, then submit: the same key twice. A server that does not answer is asked again; the same lease stores once.

import { goOn } from "js/desk/onward";
import { drop, flush, keep } from "js/desk/outbox";
import { backoff, pause, post } from "js/desk/post";

/** `sending` is what else was pressed (send.js): it gives way to an answer. */
export function finish({ desk, form, say, draft, login, sending }) {
  const { person, lease } = desk.dataset;
  const slot = desk.querySelector("[data-review-slot]");
  const wait = backoff();
  let isSending = false;
  let isLater = false;
  let isSignedOut = false;

  const isReady = () => slot.querySelector("[data-review][data-state=ready]") !== null;

  // What is sent is the form as it is at that moment: what was changed while the server was silent goes along.
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
    if (step === "drop") draft.clear(); // no save may come after it
    let answer = await post(form.action, bodyOf(step));
    while (answer.kind === "silent" || answer.kind === "signed-out") {
      const seconds = wait.next();
      if (answer.kind === "signed-out") {
        say.trouble("signed-out");
        // Once: whoever closes it goes on typing, and a dialog that came back would take the words.
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

  // The server cannot look the answer over now. It can be given all the same; what it then asks is asked later.
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
    else if (event.target.closest("[data-do=later]")) submitLater();
    else if (link) {
      event.preventDefault();
      point(document.getElementById(link.hash.slice(1)));
    }
  });
  form.addEventListener("input", clear);
  wire();
  drop(person, lease); // this page is the place to go on
  flush(person, desk, { except: lease });

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
