// What the system call filter answers in a real lean container: refused, unknown, or not done although it says so.

import { readFileSync } from "node:fs";
import { expect } from "chai";
import { repositoryFolder } from "../../pool/lean/repository.ts";
import type { Profile } from "../../pool/lean/seccomp.ts";
import { syscallNumber } from "../../restorer/index.ts";
import { type Probe, ProbeFactory } from "./lean-probe.ts";

const profile = JSON.parse(readFileSync(`${repositoryFolder}/pool/lean/seccomp.json`, "utf8")) as Profile;
const errorNames: Readonly<Record<number, string>> = {
  1: "EPERM",
  4: "EINTR",
  22: "EINVAL",
  25: "ENOTTY",
  38: "ENOSYS",
  92: "ENOPROTOOPT",
  93: "EPROTONOSUPPORT",
  97: "EAFNOSUPPORT",
};

/** Calls that fail whatever their arguments. */
const refusedAlways = profile.syscalls
  .filter(
    ({ action, args, errnoRet = 1 }) => action === "SCMP_ACT_ERRNO" && args === undefined && errnoRet !== 0,
  )
  .flatMap(({ names, errnoRet = 1 }) => names.map((name) => ({ name, expected: errorNames[errnoRet] })))
  .filter(
    ({ name }) => !profile.syscalls.some((rule) => rule.args !== undefined && rule.names.includes(name)),
  );

/** One system call with arguments, and how it must end ("" for success). */
const cases: readonly {
  readonly what: string;
  readonly call: string;
  /** "zero": the address of zeros. */
  readonly args: readonly (number | bigint | "zero")[];
  readonly expected: string;
}[] = [
  { what: "a new user namespace", call: "clone", args: [0x10000011], expected: "EPERM" },
  { what: "a new network namespace", call: "clone", args: [0x40000011], expected: "EPERM" },
  { what: "a new mount namespace", call: "clone", args: [0x00020011], expected: "EPERM" },
  { what: "an IPv6 flow label", call: "setsockopt", args: [0, 41, 32, 0, 0], expected: "EPERM" },
  { what: "an rseq area taken back", call: "rseq", args: [0, 32, 1, 0], expected: "EPERM" },
  { what: "a raw socket", call: "socket", args: [2, 3, 6], expected: "EPERM" },
  { what: "an SCTP socket", call: "socket", args: [2, 1, 132], expected: "EPROTONOSUPPORT" },
  { what: "a packet socket", call: "socket", args: [17, 3, 0], expected: "EAFNOSUPPORT" },
  { what: "a vsock socket", call: "socket", args: [40, 1, 0], expected: "EAFNOSUPPORT" },
  {
    what: "a vsock socket, its family disguised by upper bits",
    call: "socket",
    args: [(1n << 32n) | 40n, 1, 0],
    expected: "EAFNOSUPPORT",
  },
  { what: "a crypto socket", call: "socket", args: [38, 5, 0], expected: "EAFNOSUPPORT" },
  { what: "a netlink socket for the firewall", call: "socket", args: [16, 3, 12], expected: "EAFNOSUPPORT" },
  { what: "a netlink socket for interfaces", call: "socket", args: [16, 3, 0], expected: "" },
  { what: "an IPv6 socket", call: "socket", args: [10, 1, 0], expected: "" },
  { what: "typing into a terminal", call: "ioctl", args: [0, 0x5412, 0], expected: "ENOTTY" },
  { what: "parameters of an event loop", call: "ioctl", args: [1, 0x40088a01, 0], expected: "ENOTTY" },
  { what: "the time of the channel's last packet", call: "ioctl", args: [3, 0x8906, 0], expected: "ENOTTY" },
  { what: "a channel that waits", call: "ioctl", args: [3, 0x5421, "zero"], expected: "" },
  {
    what: "a pace for the channel",
    call: "setsockopt",
    args: [3, 1, 47, "zero", 8],
    expected: "ENOPROTOOPT",
  },
  {
    what: "a filter for the channel",
    call: "setsockopt",
    args: [3, 1, 26, "zero", 16],
    expected: "ENOPROTOOPT",
  },
  { what: "a lock on filters", call: "setsockopt", args: [3, 1, 44, "zero", 4], expected: "ENOPROTOOPT" },
  { what: "urgent data in its place", call: "setsockopt", args: [3, 1, 10, "zero", 4], expected: "" },
  { what: "an owner for standard output by ioctl", call: "ioctl", args: [1, 0x8901, 0], expected: "EPERM" },
  { what: "signals for standard output", call: "ioctl", args: [1, 0x5452, 0], expected: "EPERM" },
  { what: "an owner for standard output", call: "fcntl", args: [1, 8, 2], expected: "EPERM" },
  {
    what: "an owner, its command disguised by upper bits",
    call: "fcntl",
    args: [1, (1n << 32n) | 8n, 2],
    expected: "EPERM",
  },
  { what: "a lease for others", call: "fcntl", args: [0, 1040, 0], expected: "EINVAL" },
  { what: "a lease", call: "fcntl", args: [0, 1024, 0], expected: "EPERM" },
  { what: "another size of standard output's pipe", call: "fcntl", args: [1, 1031, 4096], expected: "EPERM" },
  { what: "asking for the size of standard output's pipe", call: "fcntl", args: [1, 1032], expected: "" },
  { what: "not dumpable", call: "prctl", args: [4, 0], expected: "EPERM" },
  { what: "a parent death signal", call: "prctl", args: [1, 0], expected: "EPERM" },
  { what: "a subreaper", call: "prctl", args: [36, 1], expected: "EPERM" },
  { what: "a filter by prctl", call: "prctl", args: [22, 2, 0], expected: "EPERM" },
  { what: "huge pages again", call: "prctl", args: [41, 0, 0, 0, 0], expected: "EPERM" },
  { what: "system call user dispatch", call: "prctl", args: [59, 1], expected: "EPERM" },
  { what: "an ambient capability", call: "prctl", args: [47, 2, 1, 0, 0], expected: "EPERM" },
  { what: "a name for memory", call: "prctl", args: [0x53564d41, 0], expected: "EINVAL" },
  { what: "no new privileges once more", call: "prctl", args: [38, 1, 0, 0, 0], expected: "" },
  { what: "a new break by prctl", call: "prctl", args: [35, 1, 0, 0, 0], expected: "EPERM" },
  { what: "shadow stacks", call: "arch_prctl", args: [0x5001, 1], expected: "EINVAL" },
  { what: "tile registers", call: "arch_prctl", args: [0x1023, 18], expected: "EINVAL" },
  { what: "membarrier's list of commands", call: "membarrier", args: [0, 0], expected: "" },
  { what: "a membarrier registration", call: "membarrier", args: [16, 0], expected: "EPERM" },
  { what: "asking for the personality", call: "personality", args: [0xffffffff], expected: "" },
  { what: "no address randomisation", call: "personality", args: [0x40000], expected: "EPERM" },
  { what: "asking for a limit", call: "prlimit64", args: [0, 7, 0, 0], expected: "" },
  { what: "setting a limit", call: "prlimit64", args: [0, 7, 1, 0], expected: "EPERM" },
  { what: "a call that does not exist", call: "505", args: [], expected: "ENOSYS" },
  { what: "a call of the x32 kind", call: String(0x40000000 | 39), args: [], expected: "ENOSYS" },
  { what: "writing the disks", call: "sync", args: [], expected: "" },
  // With a descriptor that there is not: the kernel would answer EBADF.
  { what: "dropping a file from the page cache", call: "fadvise64", args: [99, 0, 0, 4], expected: "" },
  { what: "reading ahead", call: "readahead", args: [99, 0, 1], expected: "" },
  {
    what: "reading what the page cache has",
    call: "preadv2",
    args: [99, 0, 0, 0, 0, 8],
    expected: "ENOTSUP",
  },
  { what: "reading to drop", call: "preadv2", args: [99, 0, 0, 0, 0, 0x80], expected: "ENOTSUP" },
  { what: "reading at a place", call: "preadv2", args: [0, "zero", 0, 0, 0, 0], expected: "" },
  { what: "what the page cache has", call: "cachestat", args: [0, 0, 0, 0], expected: "ENOSYS" },
  { what: "which pages are resident", call: "mincore", args: [0, 0, 0], expected: "ENOSYS" },
];

/** Advice for a mapping of one page: how the call must end, and what is then found in the first byte, 7 before. */
const advice = [
  { what: "MADV_FREE", value: 8, expected: ["EINVAL", 7] },
  { what: "MADV_DONTNEED", value: 4, expected: ["", 0] },
  { what: "MADV_DONTFORK", value: 10, expected: ["EINVAL", 7] },
  { what: "MADV_WIPEONFORK", value: 18, expected: ["EINVAL", 7] },
  { what: "MADV_REMOVE", value: 9, expected: ["EINVAL", 7] },
  { what: "MADV_MERGEABLE", value: 12, expected: ["EINVAL", 7] },
  { what: "MADV_PAGEOUT", value: 21, expected: ["EINVAL", 7] },
  { what: "MADV_GUARD_INSTALL", value: 102, expected: ["EINVAL", 7] },
  { what: "MADV_RANDOM", value: 1, expected: ["", 7] },
  { what: "MADV_HUGEPAGE", value: 14, expected: ["", 7] },
] as const;

describe("the system call filter of a lean container", () => {
  let factory: ProbeFactory;
  let probe: Probe;
  before(async () => {
    factory = await ProbeFactory.open("syscalls");
    probe = await factory.make();
  });
  after(() => factory.close());

  it("refuses what it refuses whatever the arguments", async () => {
    const known = refusedAlways.flatMap(({ name, expected }) => {
      const number = syscallNumber(name);
      return number === undefined ? [] : [{ name, number, expected }];
    });
    expect(known.length).to.be.greaterThan(100);
    const outcomes = await probe.run(
      `result = [call(n, 0, 0, 0, 0, 0, 0) for n in ${JSON.stringify(known.map(({ number }) => number))}]`,
    );
    expect(known.map(({ name }, i) => [name, (outcomes as string[])[i]])).to.deep.equal(
      known.map(({ name, expected }) => [name, expected]),
    );
  });

  for (const { what, call, args, expected } of cases) {
    it(`${expected === "" ? "allows" : `answers ${expected} to`} ${what}`, async () => {
      const number = syscallNumber(call) ?? Number(call);
      const zero = "zeros = ctypes.create_string_buffer(64)\nzero = ctypes.addressof(zeros)";
      expect(await probe.run(`${zero}\nresult = call(${[number, ...args].join(", ")})`)).to.equal(expected);
    });
  }

  for (const { what, value, expected } of advice) {
    it(`answers ${expected[0] || "success"} to ${what} and ${expected[1] === 7 ? "keeps" : "drops"} the page`, async () => {
      const code = `
import mmap
page = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
page[0] = 7
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
result = [call(${syscallNumber("madvise")}, address, 4096, ${value}), page[0]]
`;
      expect(await probe.run(code)).to.deep.equal(expected);
    });
  }

  it("does not split a mapping by advice that it takes and ignores", async () => {
    const code = `
import mmap
area = mmap.mmap(-1, 16 * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
address = ctypes.addressof(ctypes.c_char.from_buffer(area))
count = lambda: open('/proc/self/maps').read().count('\\n')
count()
before = count()
call(${syscallNumber("madvise")}, address + 4096, 4096, 16)
result = count() - before
`;
    expect(await probe.run(code)).to.equal(0);
  });

  it("lets Python use threads, child processes, TLS and compiled regular expressions", async () => {
    const code = `
import concurrent.futures, multiprocessing, ssl, subprocess, sqlite3, tempfile, threading, re
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    squares = list(pool.map(lambda n: n * n, range(20)))
context = ssl.create_default_context()
with tempfile.NamedTemporaryFile() as file:
    file.write(b'x')
lock = multiprocessing.Lock()
db = sqlite3.connect('/tmp/db')
db.execute('create table t (n)')
db.commit()
result = [sum(squares), subprocess.run(['/bin/sh', '-c', 'echo hi | tr a-z A-Z'], capture_output=True, text=True).stdout,
    len(context.get_ca_certs()) > 0, len(ssl.RAND_bytes(16)), os.cpu_count() > 0, os.getloadavg()[0] >= 0]
`;
    expect(await probe.run(code)).to.deep.equal([2470, "HI\n", true, 16, true, true]);
  });

  it("lets Node use child processes, workers, crypto, compression, WebAssembly and its thread pool", async () => {
    const node = await factory.make(
      factory.interpreters.find(({ family }) => family === "nodejs")?.kind,
      256,
    );
    const code = `
const { execFile, execFileSync } = require("node:child_process");
const { promisify } = require("node:util");
const { Worker } = require("node:worker_threads");
const fs = require("node:fs/promises"), os = require("node:os"), net = require("node:net"), crypto = require("node:crypto");
const child = (await promisify(execFile)("/bin/sh", ["-c", "echo $((6 * 7))"])).stdout.trim();
const again = execFileSync("/bin/cat", { input: "through" }).toString();
const worker = await new Promise((resolve, reject) => {
  const w = new Worker("require('node:worker_threads').parentPort.postMessage(42)", { eval: true });
  w.on("message", resolve).on("error", reject);
});
await fs.writeFile("/tmp/file", "text");
const server = net.createServer((s) => s.end("hello"));
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const greeting = await new Promise((resolve) => net.connect(server.address().port, "127.0.0.1").on("data", (d) => resolve(d.toString())));
server.close();
const wasm = await WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
const gz = await promisify(require("node:zlib").gzip)("x".repeat(1000));
const key = await promisify(crypto.pbkdf2)("a", "b", 100, 16, "sha256");
return [child, again, worker, await fs.readFile("/tmp/file", "utf8"), greeting, wasm instanceof WebAssembly.Module,
  gz.length < 100, key.length, os.cpus().length > 0, Object.keys(os.networkInterfaces()), os.totalmem() > 0, os.userInfo().username];
`;
    expect(await node.run(code)).to.deep.equal([
      "42",
      "through",
      42,
      "text",
      "hello",
      true,
      true,
      16,
      true,
      ["lo"],
      true,
      "action",
    ]);
  });
});
