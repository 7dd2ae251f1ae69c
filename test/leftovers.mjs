// Lists everything of rewhisk that is on this machine: processes, cgroups, mounts, namespaces, files, what is of their networks.
// Exit code 1 if any.
// It asks the kernel and nothing of rewhisk's own code, so that an error there cannot hide what it leaves.
//
//   npm run leftovers [-- --instance NAME]     NAME: only what is of this invoker, such as standalone-1a2b3c4d

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { instance: { type: "string" } } });

/** Programs that only rewhisk starts. */
const programs = ["/build/native/lean", "/build/native/guard", "/standalone/start.mjs"];
const namespaces = ["pid", "mnt", "ipc", "uts", "net", "cgroup"];
/** The name that a container's file systems have in mountinfo. */
const mountSource = "rewhisk-scratch";
const shownCommandLength = 70;

/** What is there, "" when it has gone meanwhile. @param {() => string} look */
function unlessGone(look) {
  try {
    return look();
  } catch {
    return "";
  }
}

/** @param {string} folder */
function entriesOf(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Is it of the instance that was asked for? @param {string} text a path or a command line */
function isWanted(text) {
  return values.instance === undefined || text.includes(`/rewhisk/${values.instance}/`);
}

function processes() {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => {
      const read = (/** @type {string} */ file) =>
        unlessGone(() => readFileSync(`/proc/${pid}/${file}`, "utf8"));
      return {
        pid,
        command: read("cmdline").replaceAll("\0", " ").trim(),
        cgroups: read("cgroup"),
        mounts: read("mountinfo"),
      };
    });
}

/** By its program or by its cgroup. @param {ReturnType<typeof processes>[number]} process */
function isOurs({ command, cgroups }) {
  const started = command
    .split(" ")
    .slice(0, 2)
    .some((word) => programs.some((program) => `/${word}`.endsWith(program)));
  const contained = /\/rewhisk\//.test(cgroups);
  return (started && isWanted(command)) || (contained && isWanted(cgroups));
}

/** Folders named rewhisk or rewhisk-host and those below them, in every hierarchy. @param {string} folder @returns {string[]} */
function cgroupsBelow(folder) {
  return entriesOf(folder)
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => [join(folder, name), ...cgroupsBelow(join(folder, name))])
    .filter((path) => /\/rewhisk(-host)?(\/|$)/.test(path) && isWanted(`${path}/`));
}

function cgroups() {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").matchAll(/^(?:\S+ ){4}(\S+) .* - cgroup2? /gm);
  return [...mounts].flatMap(([, mountPoint]) => cgroupsBelow(mountPoint));
}

/** Namespaces of these processes that we are not in ourselves, each once. @param {readonly { pid: string }[]} list */
function namespacesOf(list) {
  const idOf = (/** @type {string} */ pid, /** @type {string} */ name) =>
    unlessGone(() => readlinkSync(`/proc/${pid}/ns/${name}`));
  const ids = list.flatMap(({ pid }) => namespaces.map((name) => [idOf(pid, name), idOf("self", name)]));
  return [...new Set(ids.filter(([id, own]) => id !== "" && id !== own).map(([id]) => id))];
}

function files() {
  const names = entriesOf(tmpdir()).map(({ name }) => name);
  return names.filter(
    (name) =>
      name.startsWith("rewhisk-") && (values.instance === undefined || name.includes(values.instance)),
  );
}

/** What a program of the system lists, line by line; nothing where there is no such program. @param {string} command @param {string[]} args */
function linesOf(command, ...args) {
  const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
  return (spawnSync(command, args, { env, encoding: "utf8" }).stdout ?? "").split("\n");
}

/** Tables and iptables' rules by the instance's name, interfaces by their alias. Routes tell no name: they are only in the whole list. */
function networks() {
  const name = values.instance ?? "";
  const routes = name === "" ? linesOf("ip", "-4", "route", "show", "proto", "82") : [];
  const isNamed = (/** @type {string} */ line, /** @type {string} */ prefix) =>
    line.split(/[ "]/).some((word) => word === prefix + name || (name === "" && word.startsWith(prefix)));
  return [
    ...linesOf("nft", "list", "tables").filter((line) => isNamed(line, "rewhisk_")),
    ...linesOf("iptables", "-w", "-S").filter((line) => isNamed(line, "rewhisk_")),
    ...linesOf("ip", "-oneline", "link").filter((line) =>
      isNamed(line.split(" alias ")[1] ?? "", "rewhisk/"),
    ),
    ...routes.filter(Boolean),
  ].map((line) => `network ${line.trim().slice(0, shownCommandLength)}`);
}

const all = processes();
const ours = all.filter(isOurs);
// Whoever has entered a container's mounts keeps them, though it is no process of ours.
const inside = all.filter(({ mounts }) => mounts.includes(` ${mountSource} `));
const held = values.instance === undefined ? [...new Set([...ours, ...inside])] : ours;
const found = [
  ...ours.map(({ pid, command }) => `process ${pid} ${command.slice(0, shownCommandLength)}`),
  ...cgroups().map((folder) => `cgroup ${folder}`),
  ...held
    .filter((one) => inside.includes(one))
    .map(({ pid }) => `mount ${mountSource}, seen by process ${pid}`),
  ...namespacesOf(held).map((id) => `namespace ${id}`),
  ...networks(),
  ...files().map((name) => `file ${join(tmpdir(), name)}`),
];
for (const line of found) console.log(line);
process.exitCode = found.length === 0 ? 0 : 1;
