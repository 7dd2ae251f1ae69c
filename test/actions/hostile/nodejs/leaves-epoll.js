/** Lets the platform's event loop, asleep at the checkpoint, run once: from then on its epoll instance waits for descriptors. */
function main() {
  require("trace_events").createTracing({ categories: ["v8"] }).enable();
  return { left: true };
}
