// Sends the actions that leave an item or ask about it: skip, question, release, undo. They are
// sent by script, so that a rater who was signed out can sign in again in the dialog, and requests
// are retried until the server answers. Repeating a request has no second effect.

import { say as toast } from "js/app";
import { goOn } from "js/desk/page/next_item";
import { again, backoff, pause, post } from "js/desk/submit/requests";

const UNDO = "form:has([data-undo-key])";
const SETTLES_MS = 5_000;

/**
 * `form` is the answer; buttons with their own formaction send it there. Without an item there is
 * no form and no draft.
 */
export function itemActions({ form = null, say, draft = null, login, signal }) {
  const queue = []; // requests without an answer yet, the first one being sent: { url, from, dialog, question, isUndo, isOver }
  let isSignedOut = false;

  document.addEventListener("submit", (event) => {
    const { target, submitter } = event;
    const url = submitter?.getAttribute("formaction") ?? target.action;
    const isOurs = target.matches(`form[data-records], ${UNDO}`) || (form && target === form && submitter?.hasAttribute("formaction"));
    if (!isOurs) return;
    event.preventDefault();
    event.stopPropagation(); // not a review (review_and_submit.js)
    press(url, target, (submitter ?? target).closest("dialog"));
  }, { capture: true, signal });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-do=unsend]")) stop();
  }, { signal });

  function press(url, from, dialog) {
    const question = dialog?.querySelector("[name=question]");
    if (question && !question.reportValidity()) return;
    const isWaiting = queue.some((one) => one.url === url && !one.isOver);
    if (isWaiting) return isSignedOut ? login.open() : again();
    queue.push({ url, from, dialog, question, isUndo: from.matches(UNDO), isOver: false });
    if (queue.length === 1) return go();
    dialog?.close(); // it waits for an earlier request
    if (isSignedOut) login.open();
  }

  async function go() {
    let redirect = null;
    while (queue.length) {
      const answer = await delivered(queue[0]);
      const { dialog, question, isUndo } = queue.shift();
      dialog?.close();
      if (!queue.length) say.over("unanswered");
      if (!answer) continue; // it was cancelled
      say.trouble("");
      if (answer.kind === "refused") say.refusal(answer);
      else if (answer.data.said) showSent(answer.data.said, question);
      else {
        redirect = () => leave(answer.data, isUndo);
        stop(); // questions are still sent first
      }
    }
    redirect?.();
  }

  /** The server's answer, however long it takes; null if the request was cancelled first. */
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
      // Open it only once: a dialog that keeps coming back would steal the keys of somebody who
      // closed it and is typing.
      if (isSignedOut && !wasSignedOut && !signal.aborted) login.open();
      await pause(wait.next());
    }
    isSignedOut = false;
    return null;
  }

  function showSent(sentence, question) {
    if (question) question.value = "";
    toast(sentence);
  }

  // An undo does not concern the item that is open now, so its draft is saved.
  async function leave({ next, html }, isUndo) {
    if (isUndo) await draft?.flush();
    else draft?.clear();
    if (html) goOn(next, html);
    else location.assign(next);
  }

  /**
   * Cancels waiting requests, except questions. What has already reached the server is still
   * carried out.
   */
  function stop() {
    for (const pressed of queue) pressed.isOver ||= !pressed.question;
    if (queue.every((pressed) => pressed.isOver)) say.over("unanswered");
    again();
  }

  /** Before the page changes: gives waiting questions a few seconds to be sent. */
  async function settle() {
    again();
    const end = Date.now() + SETTLES_MS;
    while (queue.length && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  return { stop, settle };
}
