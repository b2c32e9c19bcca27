// SPDX-License-Identifier: MIT
// barkd's API for its pages: requests and events, with the token of the page's
// address (behind the #, so that it is sent to nobody).

export const options = new URLSearchParams(location.search);
const token = location.hash.slice(1) || options.get("token") || "";

/** Sends a request; resolves to its JSON, rejects with the API's message. */
export async function api(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: token ? { Authorization: `Bearer ${token}` } : {},
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const json = await answer.json();
  if (!answer.ok)
    throw new Error(json.error?.message ?? answer.statusText);
  return json;
}

const NAMES = ["hello", "queued", "begin", "sentence", "word", "end", "paused", "resumed",
  "level", "status"];
const RETRY_MS = 1000;

/**
 * Calls handlers[name](data) for each event, and handlers.connection(bool)
 * when the daemon comes or goes. Connects again for ever.
 */
export function listen(levels, handlers) {
  const query = new URLSearchParams();
  if (token)
    query.set("token", token);
  if (levels)
    query.set("levels", "1");

  function connect() {
    const source = new EventSource(`/v1/events?${query}`);
    for (const name of NAMES)
      source.addEventListener(name, (e) => handlers[name]?.(JSON.parse(e.data)));
    source.onopen = () => handlers.connection?.(true);
    source.onerror = () => {
      handlers.connection?.(false);
      // A browser gives up when the answer is an error; the daemon may only be
      // starting.
      source.close();
      setTimeout(connect, RETRY_MS);
    };
  }
  connect();
}

/** The characters of a text, as the API counts them. */
export function characters(text) {
  return Array.from(text);
}

/** How many characters the first n bytes of a text are. */
export function charactersOf(text, bytes) {
  const encoder = new TextEncoder();
  let at = 0, n = 0;
  for (const c of text) {
    if (at >= bytes)
      break;
    at += encoder.encode(c).length;
    n++;
  }
  return n;
}
