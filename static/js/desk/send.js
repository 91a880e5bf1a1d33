// What leads away from an item, or asks about it: skip, question, giving back, undo. Sent from here and not by the browser, so that
// who was signed out signs in again in the dialog, and goes on.

import { say as toast } from "js/app";
import { post } from "js/desk/post";

const SENT = "form[data-records], .desk-undo form";

/** `form` is the answer: a button with an address of its own (formaction) sends it there. */
export function send({ form, say, draft, login, signal }) {
  let isSending = false;

  document.addEventListener("submit", (event) => {
    const url = event.submitter?.getAttribute("formaction") ?? event.target.action;
    const isOurs = event.target.matches(SENT) || (event.target === form && event.submitter?.hasAttribute("formaction"));
    if (!isOurs) return;
    event.preventDefault();
    event.stopPropagation(); // it is no review
    if (isSending) return login.open();
    go(url, event.target, event.submitter);
  }, { capture: true, signal });

  async function go(url, from, button) {
    const dialog = (button ?? from).closest("dialog");
    const asked = dialog?.querySelector("[name=question]");
    if (asked && !asked.reportValidity()) return;
    isSending = true;
    let answer = await post(url, new FormData(from));
    while (answer.kind === "signed-out") {
      dialog?.close();
      say.trouble("signed-out");
      login.open();
      if (!(await signedIn(signal))) return;
      answer = await post(url, new FormData(from));
    }
    isSending = false;
    dialog?.close();
    if (answer.kind === "silent") return say.trouble("unanswered");
    if (answer.kind === "refused") return say.refusal(answer);
    say.trouble("");
    if (asked) asked.value = "";
    if (answer.data.said) return toast(answer.data.said);
    draft.clear();
    location.assign(answer.data.next);
  }
}

/** False when the page went on to another item before. */
function signedIn(signal) {
  return new Promise((resolve) => {
    document.addEventListener("desk:signed-in", () => resolve(true), { once: true, signal });
    signal.addEventListener("abort", () => resolve(false));
  });
}
