// An activation whose every content has a mark, and what is shown of it.

import { expect } from "chai";
import { EventReader } from "./events.ts";

export const mark = "marked7f3e";

/** Prints, returns and fails with what it is given; names and all other contents have the mark as well. */
export const markedAction = {
  name: `${mark}-action`,
  code: `exports.main = (args) => { console.log("${mark} log", args.secret); return { error: args.secret }; }`,
  annotations: [{ key: `${mark}-annotation`, value: `${mark} annotated` }],
  parameters: [{ key: "bound", value: `${mark} bound` }],
  args: { secret: `${mark} argument` },
} as const;

/** `run` runs the marked action and gives the record's id; `events` is the address of the stream, with name and password. */
export async function showsNothingOf(events: string, run: () => Promise<string>): Promise<void> {
  const reader = await EventReader.open(events);
  try {
    await reader.until(() => true);
    const activationId = await run();
    const { recent } = await reader.until((shown) =>
      shown.recent.some((one) => one.activationId === activationId),
    );
    const [shown] = recent.filter((one) => one.activationId === activationId);
    expect(Object.keys(shown ?? {})).to.have.members([
      "activationId",
      "status",
      "endedMs",
      "start",
      "place",
      "initMs",
      "runMs",
    ]);
    // One more, that is of the time after all of it.
    const { count } = reader;
    await reader.until(() => reader.count > count);
    expect(reader.text).to.contain(activationId).and.to.not.contain(mark);
  } finally {
    reader.close();
  }
}
