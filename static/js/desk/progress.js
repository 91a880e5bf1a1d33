// How far the rater has come in the campaign and what they have earned today, in the top line. The
// page asks for it at most once a minute and counts on by itself, so that a submit costs nothing.

const FRESH_MS = 60_000;

let known = null; // { at, today, n_done, n_left, earned }; the next item is of the same campaign

export function progress({ desk, signal }) {
  const state = document.querySelector(".desk-state");
  const [counted, earned] = state.querySelectorAll("[data-progress], [data-earned]");
  const today = Number(state.dataset.today);
  if (!desk.dataset.heartbeatUrl) return; // a preview, or an answer being corrected

  function show() {
    const more = Math.max(0, today - known.today); // answers since the server counted
    const done = known.n_done + more;
    const all = known.n_left === null ? null : Math.max(done, known.n_done + known.n_left);
    const words = all === null ? counted.dataset.done : counted.dataset.of;
    counted.textContent = words.replace("{done}", done).replace("{all}", all);
    counted.hidden = false;
    earned.textContent = earned.dataset.earned.replace("{amount}", known.earned);
    earned.hidden = !known.earned;
  }

  async function load() {
    try {
      const response = await fetch(desk.dataset.heartbeatUrl.replace(/heartbeat$/, "progress"), { redirect: "manual", signal });
      if (!response.ok) return;
      known = { today, at: Date.now(), ...(await response.json()) };
      show();
    } catch { // no answer, or the next item is here: the figure can wait
    }
  }

  if (known) show();
  if (!known || Date.now() - known.at > FRESH_MS) load();
}
