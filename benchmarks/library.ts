// Measures: from the message on the bus to the result ack, in turn: an action never seen before that imports nothing; one that imports a
//   popular library; and the same in a container that has the library in its base. Each call uses what it imports.
// Does not measure: HTTP, a real Kafka, a real CouchDB; the making of containers, and the rewind after the answer.
// Varies: the library. Those of Python that are no part of it lie on the machine with their bytecode, as for `imports`.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { RealInvoker } from "../test/system/real-invoker.ts";
import { type Figure, fromSamples, ratio } from "./figures.ts";
import { invoke } from "./invoke.ts";
import { kindOf, type UsualFamily } from "./programs.ts";
import { shownFolder, shownInside, surroundings } from "./published/machine.ts";

const bench = "library";
const rounds = 50;
/** The first rewinds of a container are verified. */
const unmeasured = 20;
const memoryMB = 256;
const goal = "<= 1.5";

interface Library {
  readonly family: UsualFamily;
  readonly module: string;
  /** The first line that uses it, and what it gives; without it a constant. */
  readonly use: string;
  /** Folders of `shown/packages` that it needs. */
  readonly packages: readonly string[];
}

const libraries: readonly Library[] = [
  { family: "python", module: "numpy", use: "int(numpy.arange(10).sum())", packages: ["numpy"] },
  {
    family: "python",
    module: "pandas",
    use: "int(pandas.Series([40, 5]).sum())",
    packages: ["pandas", "numpy"],
  },
  {
    family: "python",
    module: "jinja2",
    use: "str(jinja2.Environment().autoescape)",
    packages: ["jinja2"],
  },
  { family: "python", module: "unittest.mock", use: "unittest.mock.Mock(return_value=45)()", packages: [] },
  { family: "nodejs", module: "express", use: "typeof library.Router()", packages: [] },
  {
    family: "nodejs",
    module: "openwhisk",
    use: "typeof library({ apihost: 'a', api_key: 'b:c' })",
    packages: [],
  },
];

const programs = {
  python: (serial: number, { module, use }: Library, imports: boolean) =>
    `${imports ? `import ${module}\n` : ""}def main(args):\n    return {"serial": ${serial}, "used": ${imports ? use : 45}}\n`,
  nodejs: (serial: number, { module, use }: Library, imports: boolean) =>
    `${imports ? `const library = require("${module}");` : ""} function main() { return { serial: ${serial}, used: ${imports ? use : 45} }; }`,
};

const isThere = ({ packages }: Library): boolean =>
  packages.every((one) => existsSync(join(shownFolder, "packages", one)));

export async function library(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const one of libraries)
    if (isThere(one)) figures.push(...(await measure(one)));
    else console.log(`${one.module} could not be had and is left out`);
  return figures;
}

async function measure(one: Library): Promise<readonly Figure[]> {
  const { family, module, packages } = one;
  const kind = kindOf[family];
  const around = surroundings(family);
  const PYTHONPATH = packages.map((name) => `${shownInside}/packages/${name}`).join(":");
  const lean = { repository: around.repository, ...(PYTHONPATH !== "" && { environment: { PYTHONPATH } }) };
  const one256 = { kind, count: 1, memoryMB };
  const start = (what: string, prepared: boolean): Promise<RealInvoker> => {
    const pool = prepared ? { libraries: [{ ...one256, modules: [module] }] } : { stemCells: [one256] };
    return RealInvoker.start({ userMemoryMB: memoryMB, ...pool }, what, undefined, 1, lean);
  };
  const plain = await start("plain", false);
  const prepared = await start("prepared", true);
  const [without, withImport, inBase]: [number[], number[], number[]] = [[], [], []];
  let serial = 0;
  const call = async (real: RealInvoker, imports: boolean, into: number[]): Promise<void> => {
    const name = `never-seen-${serial}`;
    real.put(name, { kind, code: programs[family](serial++, one, imports), memoryMB });
    into.push((await invoke(real, name)).answeredMs);
  };
  try {
    if (prepared.invoker.status().pool.containers[0]?.libraries !== module)
      throw new Error(`${module} was refused: ${prepared.lines.join("")}`);
    for (let round = -unmeasured; round < rounds; round++) {
      await call(plain, false, round < 0 ? [] : without);
      await call(plain, true, round < 0 ? [] : withImport);
      await call(prepared, true, round < 0 ? [] : inBase);
    }
  } finally {
    await plain.stop();
    await prepared.stop();
    around.remove();
  }
  const named = (figure: string) => ({ bench, figure: `${module}, ${figure}` });
  return [
    fromSamples({ ...named("without the import"), unit: "ms" }, without),
    fromSamples({ ...named("with the import"), unit: "ms" }, withImport),
    fromSamples({ ...named("in the base"), unit: "ms" }, inBase),
    ratio(named("with / without"), withImport, without),
    ratio({ ...named("in the base / without"), goal }, inBase, without),
  ];
}
