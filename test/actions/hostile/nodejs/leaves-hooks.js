/** Leaves hooks in the machinery below every promise, and contexts and finalizers behind. */
const { AsyncLocalStorage, createHook } = require("async_hooks");
const vm = require("vm");

function main({ marker }) {
  createHook({ init: () => (globalThis.hooked = marker) }).enable();
  new AsyncLocalStorage().enterWith(marker);
  Error.prepareStackTrace = () => marker;
  Error.stackTraceLimit = 0;
  new FinalizationRegistry(() => (globalThis.finalised = marker)).register({}, marker);
  globalThis.contexts = Array.from({ length: 5 }, () => vm.createContext({ marker }));
  new (require("perf_hooks").PerformanceObserver)(() => {}).observe({ entryTypes: ["gc", "function"] });
  return { left: true };
}
