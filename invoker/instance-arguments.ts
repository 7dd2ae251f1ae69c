// The arguments of stock's invoker: who this one is, or whom ZooKeeper is to be asked about.

import { SettingsError } from "./config/read-cluster.ts";

/** What the command line says; texts are trimmed, empty ones left out. */
export interface InstanceArguments {
  /** The id in `invoker<N>`. Undefined: it is assigned by ZooKeeper, to the unique name. */
  readonly id: number | undefined;
  readonly uniqueName: string | undefined;
  readonly displayedName: string | undefined;
  /** The id that the unique name is to have from now on. */
  readonly overwriteId: number | undefined;
}

const names = ["--id", "--uniqueName", "--displayedName", "--overwriteId"];

/** Throws SettingsError with everything that is wrong. */
export function readInstanceArguments(argv: readonly string[]): InstanceArguments {
  const problems: string[] = [];
  const given = new Map<string, string>();
  for (let i = 0; i < argv.length; i++) {
    const name = argv[i] ?? "";
    if (!names.includes(name)) {
      problems.push(
        `'${name}' is no argument of an invoker: there are ${names.join(", ")}, each with a value`,
      );
    } else if (argv[i + 1] === undefined) {
      problems.push(`${name} needs a value`);
    } else given.set(name, argv[++i]?.trim() ?? "");
  }
  const number = (name: string): number | undefined => {
    const text = given.get(name);
    if (text === undefined) return undefined;
    const id = Number(text);
    if (/^\d+$/.test(text) && id < 2 ** 31) return id;
    problems.push(`${name} is '${text}': it must be a whole number from 0 on`);
    return undefined;
  };
  const found = {
    id: number("--id"),
    uniqueName: given.get("--uniqueName") || undefined,
    displayedName: given.get("--displayedName") || undefined,
    overwriteId: number("--overwriteId"),
  };
  if (!given.has("--id") && found.uniqueName === undefined) {
    problems.push(
      "nothing says which invoker this is: give --id, or --uniqueName to have ZooKeeper assign one",
    );
  }
  if (found.uniqueName?.includes("/")) {
    problems.push(`--uniqueName is '${found.uniqueName}': a name may not contain /`);
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return found;
}
