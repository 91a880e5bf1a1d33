// What leads away from an item, or asks about it: skip, question, giving back, undo. Sent from here and not by the browser, so that
// who was signed out signs in again in the dialog, and a server that does not answer is asked again. The same request twice acts once.

import { say as toast } from "js/app";
import { again, backoff, pause, post } from "js/desk/post";

const UNDO = "form:has([data-undo-key])";
const SETTLES_MS = 5_000;

/** `form` is the answer: a button with an address of its own (formaction) sends it there. Without an item there is none, and no draft. */
export function send({ form = null, say, draft = null, login, signal }) {
  const line = []; // what was pressed and is not answered yet, the first of it under way: { url, from, dialog, asked, isOver }
  let isSignedOut = false;

  document.addEventListener("submit", (event) => {
    const { target, submitter } = event;
    const url = submitter?.getAttribute("formaction") ?? target.action;
    const isOurs = target.matches(`form[data-records], ${UNDO}`) || (form && target === form && submitter?.hasAttribute("formaction"));
    if (!isOurs) return;
    event.preventDefault();
    event.stopPropagation(); // it is no review
    press(url, target, (submitter ?? target).closest("dialog"));
  }, { capture: true, signal });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-do=unsend]")) stop();
  }, { signal });

  function press(url, from, dialog) {
    const asked = dialog?.querySelector("[name=question]");
    if (asked && !asked.reportValidity()) return;
    const isWaiting = line.some((one) => one.url === url && !one.isOver);
    if (isWaiting) return isSignedOut ? login.open() : again();
    line.push({ url, from, dialog, asked, isUndo: from.matches(UNDO), isOver: false });
    if (line.length === 1) return go();
    dialog?.close(); // it waits behind another
    if (isSignedOut) login.open();
  }

  async function go() {
    let lead = null;
    while (line.length) {
      const answer = await delivered(line[0]);
      const { dialog, asked, isUndo } = line.shift();
      dialog?.close();
      if (!line.length) say.over("unanswered");
      if (!answer) continue; // it was left
      say.trouble("");
      if (answer.kind === "refused") say.refusal(answer);
      else if (answer.data.said) told(answer.data.said, asked);
      else {
        lead = () => leave(answer.data.next, isUndo);
        stop(); // questions still go out before
      }
    }
    lead?.();
  }

  /** The server's answer, however long it takes; null when the press was taken back before. */
  async function delivered(pressed) {
    const wait = backoff();
    while (!pressed.isOver) {
      const answer = await post(pressed.url, new FormData(pressed.from));
      const wasSignedOut = isSignedOut;
      isSignedOut = answer.kind === "signed-out";
      if (answer.kind !== "silent" && !isSignedOut) return answer;
      if (pressed.isOver) break;
      pressed.dialog?.close();
      if (isSignedOut) say.trouble("signed-out");
      else say.lasts("unanswered");
      // Once: whoever closes it goes on, and a dialog that came back would take the words.
      if (isSignedOut && !wasSignedOut && !signal.aborted) login.open();
      await pause(wait.next());
    }
    isSignedOut = false;
    return null;
  }

  function told(sentence, asked) {
    if (asked) asked.value = "";
    toast(sentence);
  }

  // An undo says nothing of the item that is open now: what was typed on it since is kept.
  async function leave(address, isUndo) {
    if (isUndo) await draft?.flush();
    else draft?.clear();
    location.assign(address);
  }

  /** Takes back what still waits, but for questions. What has reached the server by now is done all the same. */
  function stop() {
    for (const pressed of line) pressed.isOver ||= !pressed.asked;
    if (line.every((pressed) => pressed.isOver)) say.over("unanswered");
    again();
  }

  /** The page is about to go, and the server answers: a question that still waits is sent before. */
  async function settle() {
    again();
    const end = Date.now() + SETTLES_MS;
    while (line.length && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  return { stop, settle };
}
