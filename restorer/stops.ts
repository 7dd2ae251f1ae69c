// Keeps this process from being told of every stop of a thread that is rewound.

import { constants } from "node:os";
import { signalAction } from "./native.ts";

/** struct sigaction: a pointer, 1024 bits of signals, then the flags. */
const sigactionBytes = 152;
const flagsAt = 136;
const noChildStop = 1;

/**
 * SIGCHLD comes for ends alone from here on (SA_NOCLDSTOP, sigaction(2)). The kernel else sends it to a tracer for every stop of
 * a thread, and libuv then asks for the end of each child: seventeen system calls a rewind. Holds as long as any child of
 * node:child_process lives without a break: libuv sets its handler anew after that. Costs nothing but time where it fails.
 */
export function muteStops(): void {
  const action = Buffer.alloc(sigactionBytes);
  if (signalAction(constants.signals.SIGCHLD, null, action) !== 0) return;
  action.writeInt32LE(action.readInt32LE(flagsAt) | noChildStop, flagsAt);
  signalAction(constants.signals.SIGCHLD, action, null);
}
