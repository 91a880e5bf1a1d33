// Requests from scripts: the token of the page goes along, JSON both ways.

function token() {
  return document.querySelector("meta[name=csrf-token]").content;
}

// Resolves to the Response, whatever its status; rejects only when nobody answered.
export function post(url, data, options = {}) {
  return fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token(), Accept: "application/json" },
    body: JSON.stringify(data),
    credentials: "same-origin",
    ...options,
  });
}
