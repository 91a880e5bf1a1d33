// Requests from scripts: adds the page's CSRF token, and sends and accepts JSON.

function token() {
  return document.querySelector("meta[name=csrf-token]").content;
}

// Resolves to the Response, whatever its status; rejects only if there was no answer.
export function post(url, data, options = {}) {
  return fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token(), Accept: "application/json" },
    body: JSON.stringify(data),
    credentials: "same-origin",
    ...options,
  });
}
