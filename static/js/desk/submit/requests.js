// Requests from an open page. All outcomes are distinguished here: ok, signed out, refused, or no
// answer.

const ANSWERS_WITHIN_MS = 30_000;

/** {kind: "ok", data} | {kind: "signed-out"} | {kind: "refused", status, data} | {kind: "silent"} */
export async function post(url, body) {
  const headers = { "X-Desk": "fragment", "X-CSRFToken": token() };
  // Django prefers the form's token to the header's, and it is outdated after signing in again.
  if (body instanceof FormData) body.delete("csrfmiddlewaretoken");
  // No files are sent, and the server parses this format in a third of the time.
  if (body instanceof FormData) body = new URLSearchParams(body);
  if (typeof body === "string") headers["Content-Type"] = "application/json";
  let response, data;
  try {
    response = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal: AbortSignal.timeout(ANSWERS_WITHIN_MS) });
    if (isRedirected(response)) return { kind: "signed-out" };
    const isJson = (response.headers.get("Content-Type") ?? "").startsWith("application/json");
    data = isJson ? await response.json() : await response.text();
  } catch { // no answer, a timeout, or a broken connection
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

/**
 * Whether it redirects to the login. Redirects are not followed: after a login in another tab they
 * would lead to a URL that only accepts POST.
 */
function isRedirected(response) {
  return response.type === "opaqueredirect";
}

/** Resolves after `seconds`, or earlier when the network, the session or the server is back. */
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

/** Makes everything that waits for the server retry now. */
export function again() {
  document.dispatchEvent(new Event("desk:again"));
}

/** Delays of 2, 4, 8 … 60 seconds. */
export function backoff() {
  let seconds = 1;
  return {
    next: () => (seconds = Math.min(60, seconds * 2)),
    reset: () => (seconds = 1),
  };
}

// From the cookie, because signing in again sets a new one.
export function token() {
  const cookie = document.cookie.split("; ").find((pair) => pair.startsWith("csrftoken="));
  return cookie ? cookie.slice("csrftoken=".length) : document.querySelector("[name=csrfmiddlewaretoken]").value;
}
