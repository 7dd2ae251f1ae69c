// The live page: shows each snapshot that the invoker sends, and says so when it sends none.
// @ts-check

import { followPause, showRecent } from "./activations.js";
import { showRates, showRewindTimes, showStarts, showTaints } from "./charts.js";
import { followKeys, showContainers } from "./containers.js";
import { History } from "./history.js";
import { part, say } from "./parts.js";
import { follow } from "./stream.js";
import { showSummary } from "./summary.js";
import { timeOfDay } from "./words.js";

/** @typedef {import("../snapshot.ts").Snapshot} Snapshot */
/** @typedef {import("./stream.js").Connection} Connection */

const history = new History();
/** @type {Connection | undefined} */
let connection;
let heard = "";

/** @param {Snapshot} snapshot */
function show(snapshot) {
  history.add(snapshot);
  heard = timeOfDay(Date.now());
  part("main").setAttribute("aria-busy", "false");
  showSummary(snapshot, history);
  showContainers(snapshot.containers);
  showRates(history);
  showStarts(history);
  showRewindTimes(history);
  showTaints(history);
  showRecent(snapshot.recent);
}

/** @param {Connection} now */
function tell(now) {
  connection = now;
  const isLive = now.is === "live";
  document.body.dataset.connection = now.is;
  // A live region: it speaks when this changes, and not every second.
  say("connection", isLive ? "Live" : "Not connected");
  part("alert").hidden = isLive;
  count();
}

/** How long until the connection is tried again. */
function count() {
  if (connection?.is !== "lost") return;
  const seconds = Math.max(0, Math.ceil((connection.againMs - performance.now()) / 1000));
  const shown = heard === "" ? "" : ` What is shown is of ${heard}.`;
  say("alert-text", `${connection.why}${shown} ${seconds > 0 ? `Next try in ${seconds} s.` : "Trying …"}`);
}

const events = new URL("ui/events", location.href);
// Who came by a link with name and password is known by now; a request may not have them in its address.
Object.assign(events, { username: "", password: "" });
const stream = follow(events.href, { show, tell });
part("retry").addEventListener("click", stream.again);
setInterval(count, 500);
followKeys();
followPause();
