// The connection to the invoker: kept, missed when it goes, and tried again.
// @ts-check

/** @typedef {import("../snapshot.ts").Snapshot} Snapshot */
/**
 * @typedef {{ readonly is: "live" } | { readonly is: "lost", readonly why: string, readonly againMs: number }} Connection
 * `againMs`: when it is tried again, in milliseconds of performance.now().
 */

/** A second passes between two snapshots: after so long without any the other side is gone, whatever the network says. */
const silenceMs = 5000;
const firstPauseMs = 1000;
const longestPauseMs = 10_000;

/** @param {string} url @param {{ show(snapshot: Snapshot): void, tell(connection: Connection): void }} page */
export function follow(url, page) {
  /** @type {EventSource | undefined} */
  let source;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let heardMs = 0;
  let pauseMs = firstPauseMs;

  function connect() {
    clearTimeout(timer);
    source?.close();
    heardMs = performance.now();
    const own = new EventSource(url);
    source = own;
    own.onmessage = ({ data }) => {
      heardMs = performance.now();
      pauseMs = firstPauseMs;
      page.tell({ is: "live" });
      page.show(JSON.parse(data));
    };
    own.onerror = () => void lose(own);
  }

  /** @param {EventSource} own @param {string} [known] */
  async function lose(own, known) {
    own.close();
    if (own !== source) return;
    source = undefined;
    const againMs = performance.now() + pauseMs;
    timer = setTimeout(connect, pauseMs);
    pauseMs = Math.min(2 * pauseMs, longestPauseMs);
    page.tell({ is: "lost", why: known ?? "The connection to the invoker is lost.", againMs });
    const why = known ?? (await reason(url));
    if (source === undefined) page.tell({ is: "lost", why, againMs });
  }

  setInterval(() => {
    if (source && performance.now() - heardMs > silenceMs)
      void lose(source, `Nothing has been heard of the invoker for ${silenceMs / 1000} s.`);
  }, 1000);
  const again = () => {
    if (source === undefined) connect();
  };
  addEventListener("online", again);
  document.addEventListener("visibilitychange", () => document.hidden || again());
  connect();
  return { again };
}

/** What the invoker says of it, if it says anything. @param {string} url */
async function reason(url) {
  try {
    const { status } = await fetch(url, { method: "HEAD" });
    if (status === 401) return "Name and password are not accepted any more: load the page again.";
    if (status === 503) return "As many pages watch this invoker as may: close one of them.";
    return "The connection to the invoker was interrupted.";
  } catch {
    return "The invoker does not answer.";
  }
}
