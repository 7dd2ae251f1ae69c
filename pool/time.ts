// Waiting no longer than so long, and being called after so long.

/** The promise's value, or undefined after `timeoutMs`. What the promise does later is of no interest here. */
export async function within<Value>(timeoutMs: number, promise: Promise<Value>): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, undefined);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Calls `ring` after so long, unless the returned function is called before. */
export type Alarm = (afterMs: number, ring: () => void) => () => void;

export const realAlarm: Alarm = (afterMs, ring) => {
  let last: NodeJS.Immediate | undefined;
  // What has come meanwhile is heard first: this process itself may have stood still for so long.
  const timer = setTimeout(() => {
    last = setImmediate(ring);
  }, afterMs).unref();
  return () => {
    clearTimeout(timer);
    clearImmediate(last);
  };
};
