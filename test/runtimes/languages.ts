// What the tests of all action proxies say in each language, and where stock's runtimes differ.

import type { Family } from "../../pool/index.ts";
import { tarGz, zip } from "./archives.ts";

/** Gives its parameters back. */
export const echo = {
  nodejs: "const main = (args) => args;",
  python: "def main(args):\n    return args\n",
  ruby: "def main(args)\n  args\nend\n",
} as const satisfies Record<Family, string>;

/** Code that runs an expression of the language in main, with nothing loaded but what the proxy has. */
export const evaluating = {
  nodejs: (expression) => `const main = async () => ({ value: await (${expression}) });`,
  python: (expression) => `def main(args):\n    return {"value": ${expression}}\n`,
  ruby: (expression) => `def main(args)\n  { value: ${expression} }\nend\n`,
} as const satisfies Record<Family, (expression: string) => string>;

/** What an archive's first file is called. */
export const entryName = {
  nodejs: "index.js",
  python: "__main__.py",
  ruby: "main.rb",
} as const satisfies Record<Family, string>;

/** Stock's runtime for ruby takes zip alone. */
export const formats = {
  nodejs: { zip, "tar.gz": tarGz },
  python: { zip, "tar.gz": tarGz },
  ruby: { zip },
} as const satisfies Record<Family, Record<string, typeof zip>>;

/** An archive of more bytes than there is room for: Ruby cannot ask how much there is. */
export const tooLarge = {
  nodejs: /entry "big" does not fit: there is room for 2097152/,
  python: /entry "big" does not fit: there is room for 2097152/,
  ruby: /entry "big" does not fit: the container's disk is full/,
} as const satisfies Record<Family, RegExp>;

/** What stock answers where an archive cannot be unpacked. */
export const refused = { nodejs: 502, python: 502, ruby: 500 } as const satisfies Record<Family, number>;

/** Tells what is under descriptor 3, and what a program that the action starts has. */
export const listing = {
  nodejs:
    'const main = () => ({ channel: require("fs").readlinkSync("/proc/self/fd/3"), listed: String(require("child_process").execSync("ls -l /proc/self/fd")) });',
  python:
    'import os, subprocess\ndef main(args):\n    return {"channel": os.readlink("/proc/self/fd/3"), "listed": subprocess.run(["ls", "-l", "/proc/self/fd"], close_fds=False, capture_output=True, text=True).stdout}\n',
  ruby: "def main(args)\n  { channel: File.readlink('/proc/self/fd/3'), listed: IO.popen(%w[ls -l /proc/self/fd], close_others: false, &:read) }\nend\n",
} as const satisfies Record<Family, string>;

/** What the warm-up could have left. */
export const leftovers = {
  nodejs: `{ globals: Object.keys(globalThis).filter((key) => !/^(global|clearI|setI|clearT|setT|queueM|structuredC|atob|btoa|performance|fetch|crypto|navigator|localStorage|sessionStorage)/.test(key)),
    modules: Object.keys(require.cache).filter((name) => /warm-up\\//.test(name)),
    resolved: Object.keys(require("module")._pathCache).filter((name) => /\\.warm-up/.test(name)),
    variables: Object.keys(process.env).filter((name) => name.startsWith("__OW_")),
    cwd: process.cwd() === process.env.HOME, write: Object.hasOwn(process.stdout, "write"),
    timers: process.getActiveResourcesInfo().filter((name) => /Timeout|Immediate/.test(name)) }`,
  python: `dict(globals=[k for k in vars(__import__("builtins")) if k == "main"],
    modules=[n for n, m in __import__("sys").modules.items() if ".warm-up" in (getattr(m, "__file__", None) or "") or n == "words"],
    resolved=[p for p in [*__import__("sys").path_importer_cache, *__import__("linecache").cache, *__import__("sys").path] if ".warm-up" in p],
    variables=[n for n in __import__("os").environ if n.startswith("__OW_")],
    cwd=__import__("os").getcwd() == __import__("os").environ["HOME"],
    write=__import__("sys").stdout is not __import__("sys").__stdout__, timers=[])`,
  ruby: `{ globals: Object.private_instance_methods(false).select { |name| method(name).source_location.to_s.include?("warm-up") },
    modules: $LOADED_FEATURES.grep(/warm-up/) + Object.constants.grep(/Odd|WORDS/),
    resolved: $LOAD_PATH.grep(/warm-up|rewhisk/),
    variables: ENV.keys.grep(/^__OW_/), cwd: Dir.pwd == ENV["HOME"], write: !STDOUT.equal?($stdout),
    timers: Thread.list - [Thread.main] }`,
} as const satisfies Record<Family, string>;

/** The entry file of an archive with a program bin/tool and a link to it. */
export const toolUser = {
  nodejs:
    'exports.main = () => ({ out: String(require("child_process").execFileSync("./bin/tool")), link: require("fs").readlinkSync("tool"), through: String(require("fs").readFileSync("tool")).length > 0 });',
  python:
    'import os, subprocess\ndef main(args):\n    return {"out": subprocess.check_output(["./bin/tool"], text=True), "link": os.readlink("tool"), "through": len(open("tool").read()) > 0}\n',
  ruby: "def main(args)\n  { out: IO.popen('./bin/tool', &:read), link: File.readlink('tool'), through: File.read('tool').size > 0 }\nend\n",
} as const satisfies Record<Family, string>;
