// Starts one container over an image and asks its runtime what it is: what cannot be started is found out before it is needed.

import { Socket } from "node:net";
import { Channel } from "../proxy/channel.ts";
import type { LeanError } from "./errors.ts";
import { createLeanFactory } from "./factory.ts";
import { ImageError } from "./image-errors.ts";
import type { Interpreter } from "./interpreters.ts";
import type { LeanFactoryOptions } from "./options.ts";
import type { Sandbox } from "./sandbox.ts";

const memoryMB = 256;
const scratchMB = 16;
const readyTimeoutMs = 30_000;
/** Below those of invokers: what runs is no user's, and is gone at once. */
const firstUid = 595_904;
/** Of what a runtime says that does not start. */
const shownCharacters = 300;

/** `instance` is nobody else's. The version of a runtime as it says itself. Throws ImageError `unfit` with what it says instead, LeanError where this machine is not fit. */
export async function versionByTrial(
  interpreter: Interpreter,
  options: Pick<LeanFactoryOptions, "instance" | "launcher">,
): Promise<string> {
  const factory = createLeanFactory({
    ...options,
    interpreters: [interpreter],
    environment: {},
    scratchMB,
    firstUid,
    networksAhead: 0,
  });
  try {
    const sandbox = await factory.create(interpreter.kind, memoryMB).catch((cause: LeanError) => {
      if (cause.code !== "start" && cause.code !== "process-gone") throw cause;
      throw new ImageError("unfit", `${interpreter.path} cannot be started: ${cause.message}`, { cause });
    });
    return await askVersion(sandbox, interpreter.path);
  } finally {
    await factory.close();
  }
}

async function askVersion(sandbox: Sandbox, path: string): Promise<string> {
  const channel = Channel.open(sandbox.channelFd);
  let said = "";
  const pipes = [sandbox.stdoutFd, sandbox.stderrFd].map((fd) => {
    const pipe = new Socket({ fd, readable: true, writable: false });
    pipe.on("data", (piece: Buffer) => {
      said = (said + piece.toString("utf8")).slice(-4 * shownCharacters);
    });
    pipe.on("error", () => undefined);
    return pipe;
  });
  try {
    const greeting = await channel.ready(readyTimeoutMs);
    if (greeting.outcome === "answer")
      return String((JSON.parse(greeting.body) as { version?: unknown }).version);
    await sandbox.destroy();
    const words = said.trim().replaceAll(/\s+/g, " ").slice(0, shownCharacters);
    throw new ImageError(
      "unfit",
      `${path} does not become ready (${greeting.outcome}): ${words || "it says nothing"}`,
    );
  } finally {
    channel.close();
    for (const pipe of pipes) pipe.destroy();
    await sandbox.destroy();
  }
}
