// Random numbers: what each generator gives in one activation after the other, all in one rewound container.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { codeFile, type Family, type Json, type JsonObject, show } from "../corpus.ts";
import { Ground, type GroundOptions, type Program } from "./ground.ts";
import { hostilePrelude } from "./hostile.ts";
import { endings, proveFolder } from "./promises.ts";

const activations = 10;
/** Archives with large libraries are slow to unpack. */
const activationsOfArchive = 3;
const largestArchive = 1 << 28;

/** Reads an archive from a file, gives it with more files, which replace those of the same names when it is unpacked. */
const addFiles = `
import io, json, sys, warnings, zipfile
warnings.simplefilter("ignore")
with open(sys.argv[1], "rb") as file: new = io.BytesIO(file.read())
with zipfile.ZipFile(new, "a") as archive:
    for name, text in json.load(sys.stdin).items(): archive.writestr(name, text)
sys.stdout.buffer.write(new.getvalue())
`;

const asAction: Readonly<Record<Family, (own: string) => string>> = {
  nodejs: (own) => `const { draw } = ((module) => {\n${own}\nreturn module.exports; })({});
exports.main = () => draw();`,
  python: (own) => `${own}
def main(args): return draw()`,
  ruby: (own) => `${own}
def main(args) draw end`,
};

/** The files that make an archive's main program another one. */
const asMain: Readonly<Record<Family, (source: string) => Readonly<Record<string, string>>>> = {
  nodejs: (source) => ({ "package.json": '{"main":"draw.cjs"}', "draw.cjs": source }),
  python: (source) => ({ "__main__.py": source }),
  ruby: (source) => ({ "main.rb": source }),
};

/** Where the program that draws from these generators lies. */
export function drawsFile(family: Family, name: string): string {
  return `${proveFolder}draws/${name}.${endings[family]}`;
}

/** The drawing program; with the libraries of an action of the corpus, where one is named. */
function programOf(name: string, family: Family, archive: string | undefined): Program {
  const own = asAction[family](readFileSync(drawsFile(family, name), "utf8"));
  if (archive === undefined) return { source: `${hostilePrelude[family]}\n${own}\n` };
  const options = { input: JSON.stringify(asMain[family](own)), maxBuffer: largestArchive };
  const source = execFileSync("python3", ["-c", addFiles, codeFile(`${archive}.zip`)], options);
  return { source, binary: true };
}

/** Says in words which generator repeats itself; undefined where none does. A list holds several draws of one generator. */
export async function complaintOfDraws(
  name: string,
  family: Family,
  options: Partial<GroundOptions> = {},
  archive?: string,
): Promise<string | undefined> {
  const program = programOf(name, family, archive);
  const times = archive === undefined ? activations : activationsOfArchive;
  const drawn = new Map<string, string[]>();
  const ground = await Ground.start({ family, name: `draws-${family}`, ...options });
  try {
    for (let i = 0; i < times; i++) {
      const { status, result, outcome, taint } = await ground.visit(program, {}, { timeoutMs: 60_000 });
      if (status !== 200) return `cannot draw: ${show(result ?? outcome)}`;
      if (taint !== undefined) return `the container was replaced: ${taint.reason}: ${taint.detail}`;
      for (const [generator, value] of Object.entries(result as JsonObject))
        drawn.set(generator, [
          ...(drawn.get(generator) ?? []),
          ...[value as Json].flat().map((one) => JSON.stringify(one)),
        ]);
    }
  } finally {
    await ground.stop();
  }
  const repeating = [...drawn]
    .map(([generator, values]) => ({ generator, ...{ all: values.length, different: new Set(values).size } }))
    .filter(({ all, different }) => different < all);
  if (repeating.length === 0) return undefined;
  return repeating
    .map(({ generator, all, different }) => `${generator}: ${different} values in ${all}`)
    .join(", ");
}
