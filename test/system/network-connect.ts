// Tries whether an address can be connected to.

import { connect } from "node:net";

/** `connected`, an error's code, or `silence` where nothing answers within the time. */
export function connectTo(address: string, port: number, patienceMs = 30_000): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: patienceMs });
    const done = (how: string): void => {
      socket.destroy();
      resolve(how);
    };
    socket.on("connect", () => done("connected"));
    socket.on("timeout", () => done("silence"));
    socket.on("error", ({ code = "" }: NodeJS.ErrnoException) => done(code));
  });
}
