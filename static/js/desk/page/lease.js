// Keeps the reservation of the item: a heartbeat every minute, until ten minutes without input; a
// countdown in the last five.

import { post } from "js/desk/submit/requests";

const BEAT_MS = 60_000;
const AWAY_MS = 10 * 60_000;
const COUNTDOWN_S = 5 * 60;

export function lease({ desk, say, record, signal }) {
  const countdown = document.querySelector("[data-countdown]");
  const url = desk.dataset.heartbeatUrl;
  const expiresIn = Number(desk.dataset.expiresIn);
  let endsAt = Date.now() + expiresIn * 1000;
  let isLost = !url;

  async function beat() {
    if (isLost || record.idleMs() > AWAY_MS) return;
    const answer = await post(url, new FormData());
    if (answer.kind !== "ok" || signal.aborted) return;
    if (answer.data.is_gone) {
      isLost = true;
      say.lasts(answer.data.is_stored ? "stored" : "taken");
    } else {
      endsAt = Date.now() + answer.data.expires_in_s * 1000;
      say.over("page"); // it had expired and is reserved again
    }
  }

  function show() {
    const left = Math.max(0, Math.round((endsAt - Date.now()) / 1000));
    countdown.hidden = isLost || left > COUNTDOWN_S;
    if (!countdown.hidden) {
      const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      countdown.textContent = say.text("left", { clock });
    }
  }

  const beating = setInterval(beat, BEAT_MS);
  const showing = setInterval(show, 1000);
  show();
  if (expiresIn === 0) beat(); // it expired while the page was closed: reserve it again
  // Two tabs on the same item write to the same draft, so both show a notice; when one closes, the
  // other removes it.
  const others = new BroadcastChannel(`preferably.${desk.dataset.lease}`);
  let isClosing = false;
  others.onmessage = ({ data }) => {
    if (isClosing) return; // an answer would bring the notice back after this tab is gone
    if (data === "closed") say.over("two-tabs");
    else say.lasts("two-tabs");
    if (data !== "here") others.postMessage(data === "closed" ? "opened" : "here");
  };
  others.postMessage("opened");
  window.addEventListener(
    "pagehide",
    () => {
      isClosing = true;
      others.postMessage("closed");
    },
    { signal },
  );
  window.addEventListener(
    "pageshow",
    ({ persisted }) => {
      isClosing = false;
      if (persisted) others.postMessage("opened"); // the browser has brought the page back
    },
    { signal },
  );
  signal.addEventListener("abort", () => {
    clearInterval(beating);
    clearInterval(showing);
    others.postMessage("closed");
    others.close();
  });
}
