// Waiting no longer than so long, and being called after so long.

/** The promise's value, or undefined after `timeoutMs`: `tooLate` is given what comes later, should that be a value. */
export async function within<Value>(
  timeoutMs: number,
  promise: Promise<Value>,
  tooLate: (value: Value) => void = () => undefined,
): Promise<Value | undefined> {
  let cancel = (): void => undefined;
  const timeout = new Promise<undefined>((resolve) => {
    cancel = deadline(timeoutMs, () => {
      promise.then(tooLate, () => undefined);
      resolve(undefined);
    });
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    cancel();
  }
}

/** Calls `ring` after so long, unless the returned function is called before. */
export type Alarm = (afterMs: number, ring: () => void) => () => void;

/** What has come meanwhile is heard first: this process itself may have stood still for so long. */
function alarm(keepsRunning: boolean): Alarm {
  return (afterMs, ring) => {
    let last: NodeJS.Immediate | undefined;
    // Timers come before what sockets hold, immediates after it.
    const timer = setTimeout(() => {
      last = setImmediate(ring);
    }, afterMs);
    if (!keepsRunning) timer.unref();
    return () => {
      clearTimeout(timer);
      clearImmediate(last);
    };
  };
}

/** The process ends without it where there is nothing else to wait for. */
export const realAlarm: Alarm = alarm(false);

/** For what somebody waits for: the process goes on until then. */
export const deadline: Alarm = alarm(true);
