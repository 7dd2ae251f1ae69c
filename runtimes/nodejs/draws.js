// Tells whether an init draws random numbers, or makes a generator whose state the proxy cannot renew.
"use strict";

// An action's own checkpoint is taken after its init, and what comes back with it would repeat itself in every activation. What
// is drawn from OpenSSL is noted in machine code, under whichever name it is asked for; so are addons, threads and requests under
// way. That leaves the generators that are not OpenSSL's: V8's, one in each context, and those of some of Node's modules.
// An init that comes near any has no such checkpoint. Until it does, Math.random is not seeded: that is for the run.

const { loadAddon } = require("./addon.js");

const { apply, defineProperty, getOwnPropertyDescriptor } = Reflect;
const { moduleLoadList } = process;

const BUILT_IN = "NativeModule ";
const PREFIX_OF_PARTS = `${BUILT_IN}internal/`;
/** Of Node's modules, those that are known to draw nothing by themselves, or from OpenSSL alone. */
const QUIET = new Set(
  [
    "_http_agent _http_client _http_common _http_incoming _http_outgoing _http_server _stream_duplex _stream_passthrough",
    "_stream_readable _stream_transform _stream_wrap _stream_writable _tls_common _tls_wrap assert assert/strict async_hooks",
    "buffer child_process cluster console constants crypto dgram diagnostics_channel domain events fs fs/promises http http2",
    "https module net os path path/posix path/win32 perf_hooks process punycode querystring readline readline/promises",
    "stream stream/consumers stream/promises stream/web string_decoder sys timers timers/promises tls tty url util util/types",
    "v8 vm worker_threads zlib",
  ]
    .join(" ")
    .split(" ")
    .map((name) => BUILT_IN + name),
);
/** Parts of Node that bring what has a generator of its own: a resolver, a database. */
const PREFIXES_OF_LOUD_PARTS = [`${PREFIX_OF_PARTS}dns/`, `${PREFIX_OF_PARTS}webstorage`];

const { startsWith } = String.prototype;
const { has } = Set.prototype;
const begins = (text, prefix) => apply(startsWith, text, [prefix]);

/** `entry` is one of the list of what Node has loaded of itself. */
function isQuietPart(entry) {
  if (!begins(entry, BUILT_IN)) return true;
  if (!begins(entry, PREFIX_OF_PARTS)) return apply(has, QUIET, [entry]);
  for (let i = 0; i < PREFIXES_OF_LOUD_PARTS.length; i++)
    if (begins(entry, PREFIXES_OF_LOUD_PARTS[i])) return false;
  return true;
}

/**
 * Gives `begin`, and `end`, which says whether nothing was drawn in between. `onFirst` is called before the first draw that
 * depends on it, at the latest by `end` where anything was drawn.
 */
function createDrawsWatch(onFirst) {
  const watchDraws = loadAddon("draws", "it cannot be seen what an action draws");
  // The resolver and others can be reached by process.binding as well.
  const places = [
    { object: Math, name: "random" },
    { object: process, name: "binding" },
  ];
  let isWatching = false;
  let isDrawn = false;
  let loaded = 0;

  function drawn() {
    if (!isWatching || isDrawn) return;
    isDrawn = true;
    onFirst();
  }

  /** What user code has kept of this goes on to work, and tells nothing any more. */
  function watched(original) {
    return new Proxy(original, {
      __proto__: null,
      apply: (target, self, words) => {
        drawn();
        return apply(target, self, words);
      },
    });
  }

  /** False where it is no longer ours: user code has put something else there, which stays, and may call ours. */
  function putBack({ object, name, original, ours }) {
    if (getOwnPropertyDescriptor(object, name)?.value !== ours) return false;
    return defineProperty(object, name, { __proto__: null, value: original });
  }

  function hasLoadedQuietPartsOnly() {
    for (let i = loaded; i < moduleLoadList.length; i++) if (!isQuietPart(moduleLoadList[i])) return false;
    return moduleLoadList.length >= loaded;
  }

  return {
    drawn,
    begin: () => {
      isWatching = true;
      isDrawn = false;
      loaded = moduleLoadList.length;
      for (const place of places) {
        const { object, name } = place;
        place.original = object[name];
        place.ours = watched(place.original);
        defineProperty(object, name, { __proto__: null, value: place.ours });
      }
      watchDraws(true);
    },
    end: () => {
      let isQuietNow = watchDraws(false) && hasLoadedQuietPartsOnly();
      for (let i = 0; i < places.length; i++) isQuietNow = putBack(places[i]) && isQuietNow;
      // Math.random, for one, is not yet seeded where OpenSSL alone was asked.
      if (!isQuietNow) drawn();
      isWatching = false;
      return !isDrawn;
    },
  };
}

module.exports = { createDrawsWatch };
