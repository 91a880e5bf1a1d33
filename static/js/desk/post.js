// Requests of an open page. The answer's outcome is told apart once, here: ok, signed out, refused, or no answer.

const ANSWERS_WITHIN_MS = 30_000;

/** {kind: "ok", data} | {kind: "signed-out"} | {kind: "refused", status, data} | {kind: "silent"} */
export async function post(url, body) {
  const headers = { "X-Desk": "fragment", "X-CSRFToken": token() };
  // Django reads the form's token before the header's, and signing in again made that one stale.
  if (body instanceof FormData) body.delete("csrfmiddlewaretoken");
  // No file is ever sent, and this shape is read in a third of the time.
  if (body instanceof FormData) body = new URLSearchParams(body);
  if (typeof body === "string") headers["Content-Type"] = "application/json";
  let response, data;
  try {
    response = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal: AbortSignal.timeout(ANSWERS_WITHIN_MS) });
    if (isLedAway(response)) return { kind: "signed-out" };
    const isJson = (response.headers.get("Content-Type") ?? "").startsWith("application/json");
    data = isJson ? await response.json() : await response.text();
  } catch { // no answer, none in time, or one that broke off
    return { kind: "silent" };
  }
  if (response.ok) return { kind: "ok", data };
  if (response.status >= 500 || response.status === 429) return { kind: "silent" };
  return { kind: "refused", status: response.status, data };
}

export async function fragment(url) {
  try {
    const response = await fetch(url, { headers: { "X-Desk": "fragment" }, redirect: "manual" });
    return response.ok ? await response.text() : null;
  } catch {
    return null;
  }
}

/** To the login. It is not followed: who has signed in elsewhere by then would be sent on to an address that only takes posts. */
function isLedAway(response) {
  return response.type === "opaqueredirect";
}

/** So many seconds, or less when the network, the session or the server is back. */
export function pause(seconds) {
  return new Promise((resolve) => {
    const life = new AbortController();
    const end = () => {
      clearTimeout(timer);
      life.abort();
      resolve();
    };
    const timer = setTimeout(end, seconds * 1000);
    window.addEventListener("online", end, life);
    for (const name of ["desk:signed-in", "desk:again"]) document.addEventListener(name, end, life);
  });
}

/** Whoever waits for the server tries now. */
export function again() {
  document.dispatchEvent(new Event("desk:again"));
}

/** Waits of 2, 4, 8 … 60 seconds. */
export function backoff() {
  let seconds = 1;
  return {
    next: () => (seconds = Math.min(60, seconds * 2)),
    reset: () => (seconds = 1),
  };
}

// From the cookie, because signing in again gives a new one.
export function token() {
  const cookie = document.cookie.split("; ").find((pair) => pair.startsWith("csrftoken="));
  return cookie ? cookie.slice("csrftoken=".length) : document.querySelector("[name=csrfmiddlewaretoken]").value;
}
