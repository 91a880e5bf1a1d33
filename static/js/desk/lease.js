// Holds the item while somebody is here: a beat a minute until ten minutes without input; a countdown in the last five.

import { post } from "js/desk/post";

const BEAT_MS = 60_000;
const AWAY_MS = 10 * 60_000;
const COUNTDOWN_S = 5 * 60;

export function lease({ desk, say, record, signal }) {
  const countdown = document.querySelector("[data-countdown]");
  let endsAt = Date.now() + Number(desk.dataset.expiresIn) * 1000;
  let isLost = Number(desk.dataset.expiresIn) === 0;

  async function beat() {
    if (isLost || !desk.dataset.heartbeatUrl || record.idleMs() > AWAY_MS) return;
    const answer = await post(desk.dataset.heartbeatUrl, new FormData());
    if (answer.kind !== "ok") return;
    if (answer.data.is_gone) {
      isLost = true;
      say.trouble("taken");
    } else {
      endsAt = Date.now() + answer.data.expires_in_s * 1000;
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
  // A second tab on the same item says so; both save to the same draft, so the first is told as well.
  const others = new BroadcastChannel(`preferably.${desk.dataset.lease}`);
  others.onmessage = ({ data }) => {
    say.trouble("two-tabs");
    if (data === "opened") others.postMessage("here");
  };
  others.postMessage("opened");
  signal.addEventListener("abort", () => {
    clearInterval(beating);
    clearInterval(showing);
    others.close();
  });
}
