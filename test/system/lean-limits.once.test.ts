// A lean container under actions that eat, fork, fill and hide: what the limits do, and what is cleaned up after them.

import fs, { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { RestorerError } from "../../restorer/index.ts";
import { holdsWithin } from "../within.ts";
import { type Probe, ProbeFactory } from "./lean-probe.ts";

const patienceMs = 60_000;

/**
 * Processes of the container but its runtime and its launcher, as the host sees them: those with its user id and in its pid
 * namespace. The id alone is not enough: it may have been another container's a moment ago.
 */
function others(probe: Probe): readonly string[] {
  const runtime = `${probe.sandbox.runtimePid}`;
  const home = identityOf(runtime);
  return readdirSync("/proc").filter(
    (pid) => /^\d+$/.test(pid) && pid !== runtime && identityOf(pid) === home && isAlive(pid),
  );
}

/** A process may end between being listed and being read: then it is nobody. */
function readOrNothing(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}

function identityOf(pid: string): string {
  return readOrNothing(() => {
    const [, uid] = /^Uid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
    return `${uid} ${readlinkSync(`/proc/${pid}/ns/pid`)}`;
  });
}

/** Its first thread may have ended while others go on. */
function isAlive(pid: string): boolean {
  const threads = readOrNothing(() => readdirSync(`/proc/${pid}/task`).join(" "));
  return threads
    .split(" ")
    .some((tid) =>
      /\) [^ZX] /.test(readOrNothing(() => readFileSync(`/proc/${pid}/task/${tid}/stat`, "latin1"))),
    );
}

/** The probe has one thread. */
async function killOthers({ sandbox }: Probe): Promise<void> {
  await sandbox.killOthers(1);
  sandbox.allowOthers(1);
}

describe("a lean container's limits", () => {
  let factory: ProbeFactory;
  before(async () => {
    factory = await ProbeFactory.open("limits");
  });
  after(() => factory.close());

  it("ends an action that exhausts its memory, and says so", async () => {
    const probe = await factory.make("python:3", 64);
    const failure = await probe.run("hog = bytearray(200 << 20)").then(
      () => "no failure",
      (error: Error) => error.message,
    );
    expect(failure).to.contain("the channel is closed");
    expect(await probe.sandbox.exited).to.deep.include({ cause: "signal", status: 9, oomKilled: true });
    expect(probe.sandbox.oomKills()).to.equal(1);
  });

  it("survives a child that exhausts its memory, and does not take that for its own end later", async () => {
    const probe = await factory.make("python:3", 64);
    const eat =
      "import subprocess\nresult = subprocess.run(['/usr/bin/python3', '-c', 'bytearray(200 << 20)']).returncode";
    expect(await probe.run(eat)).to.equal(-9);
    expect(probe.sandbox.oomKills()).to.equal(1);
    await killOthers(probe);
    probe.run("os._exit(3)").catch(() => undefined);
    expect(await probe.sandbox.exited).to.deep.include({ cause: "exit", status: 3, oomKilled: false });
  });

  it("knows how many of it were killed without opening a file again", async () => {
    const { sandbox } = await factory.make("python:3", 64);
    const { openSync, readFileSync } = fs;
    const opened: unknown[] = [];
    const noting =
      <Args extends readonly unknown[], Result>(open: (...args: Args) => Result) =>
      (...args: Args): Result => {
        opened.push(args[0]);
        return open(...args);
      };
    Object.assign(fs, { openSync: noting(openSync), readFileSync: noting(readFileSync) });
    syncBuiltinESMExports();
    try {
      for (let i = 0; i < 4; i++) expect(sandbox.oomKills()).to.equal(0);
      expect(opened).to.deep.equal([]);
      sandbox.memoryUsedBytes();
      expect(opened, "which would have been seen").to.have.length(1);
    } finally {
      Object.assign(fs, { openSync, readFileSync });
      syncBuiltinESMExports();
    }
  });

  it("can be given more memory, and less again", async () => {
    const probe = await factory.make("python:3", 64);
    probe.sandbox.setMemoryMB(256);
    expect(probe.sandbox.memoryMB).to.equal(256);
    expect(await probe.run("hog = bytearray(150 << 20)\nresult = len(hog)")).to.equal(150 << 20);
    expect(probe.sandbox.memoryUsedBytes()).to.be.greaterThan(150 << 20);
    expect(() => probe.sandbox.setMemoryMB(64)).to.throw("EBUSY");
    await probe.run("pass");
    probe.sandbox.setMemoryMB(64);
    await probe.run("hog = bytearray(150 << 20)").catch(() => undefined);
    expect((await probe.sandbox.exited).oomKilled).to.equal(true);
  });

  it("stops a fork bomb at the limit of processes", async () => {
    const probe = await factory.make("python:3", 2048);
    const bomb = `
count = 0
try:
    while count < 2000:
        if os.fork() == 0:
            import time
            time.sleep(1000)
        count += 1
except BlockingIOError:
    pass
result = count
`;
    expect(await probe.run(bomb)).to.equal(1023);
    await killOthers(probe);
    expect(others(probe)).to.deep.equal([]);
    expect(await probe.run("result = 'still here'")).to.equal("still here");
  });

  it("kills children that keep forking, and daemons, and lets the runtime fork afterwards", async () => {
    const probe = await factory.make();
    // None begins before all are there: there is room for few more when they have.
    const daemons = `
import time
ready, tells = os.pipe()
waits, begin = os.pipe()
for _ in range(8):
    if os.fork() == 0:
        os.setsid()
        if os.fork(): os._exit(0)
        os.close(begin)
        os.write(tells, b".")
        os.read(waits, 1)
        while True:
            try:
                if os.fork() == 0:
                    time.sleep(0.001)
                    os._exit(0)
                os.waitpid(-1, os.WNOHANG)
            except OSError:
                pass
for _ in range(8): os.read(ready, 1)
for end in (begin, waits, tells, ready): os.close(end)
`;
    await probe.run(daemons);
    expect(await holdsWithin(patienceMs, () => others(probe).length > 7)).to.equal(true);
    await killOthers(probe);
    expect(await holdsWithin(patienceMs, () => others(probe).length === 0)).to.equal(true);
    await probe.run("result = [os.waitpid(-1, 0)[0] > 0 for _ in range(8)]");
    expect(await probe.run("import subprocess\nresult = subprocess.run(['/bin/true']).returncode")).to.equal(
      0,
    );
    await killOthers(probe);
  });

  it("kills a process whose first thread has ended and left others", async () => {
    const probe = await factory.make();
    const headless = `
import ctypes, threading, time
if os.fork() == 0:
    if os.fork(): os._exit(0)
    threading.Thread(target=time.sleep, args=(60,)).start()
    ctypes.CDLL(None).syscall(60, 0)
os.wait()
time.sleep(0.1)
`;
    await probe.run(headless);
    expect(others(probe)).to.have.length(1);
    await killOthers(probe);
    expect(others(probe)).to.deep.equal([]);
  });

  it("lets neither processes nor threads be born until the rewind is complete, or a level is taken", async () => {
    const probe = await factory.make();
    const births = `
import threading
result = [attempt(os.fork)]
try: threading.Thread(target=print).start()
except RuntimeError as error: result.append(str(error))
`;
    const none = ["EAGAIN", "can't start new thread"];
    const isBorn = async (): Promise<boolean> =>
      (await probe.run("import subprocess\nresult = subprocess.run(['/bin/true']).returncode")) === 0;
    await probe.sandbox.killOthers(1);
    expect(await probe.run(births)).to.deep.equal(none);
    probe.sandbox.allowOthers(1);
    expect(await isBorn()).to.equal(true);
    expect(await probe.sandbox.withoutBirths(() => probe.run(births))).to.deep.equal(none);
    expect(await isBorn()).to.equal(true);
  });

  it("takes a zombie for dead", async () => {
    const probe = await factory.make();
    // Waits for its end without collecting it.
    await probe.run(
      "child = os.fork()\nif child == 0: os._exit(0)\nos.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)",
    );
    await killOthers(probe);
    expect(await probe.run("result = os.waitpid(-1, 0)[1]")).to.equal(0);
  });

  it("has no more scratch space than it was given, in bytes and in files", async () => {
    const probe = await factory.make();
    const fill = `
result = []
try:
    with open('/tmp/big', 'wb') as f:
        for _ in range(100): f.write(bytes(1 << 20)); f.flush()
except OSError as error:
    result.append([errno.errorcode[error.errno], os.path.getsize('/tmp/big') >> 20])
os.unlink('/tmp/big')
try:
    for i in range(5000): os.mknod(f'/tmp/{i}')
except OSError as error:
    result.append([errno.errorcode[error.errno], i])
`;
    expect(await probe.run(fill)).to.deep.equal([
      ["ENOSPC", 8],
      ["ENOSPC", 8 * 256 - 4],
    ]);
    await probe.sandbox.emptyScratch();
    expect(await probe.run("result = os.listdir('/dev/shm')")).to.deep.equal([]);
  });

  it("empties its scratch space of every sort of file, and of the time of its making", async () => {
    const probe = await factory.make();
    const state =
      "result = [[sorted(os.listdir(d)), os.stat(d).st_mtime_ns, os.stat(d).st_mode] for d in ('/tmp', '/home/action', '/dev/shm')]";
    await probe.sandbox.emptyScratch();
    const before = await probe.run(state);
    const mess = `
import socket
for root in ('/tmp', '/home/action', '/dev/shm'):
    os.makedirs(f'{root}/a/b/c')
    open(f'{root}/a/file', 'w').write('x' * 5000)
    os.link(f'{root}/a/file', f'{root}/hard')
    os.symlink('/usr', f'{root}/link')
    os.symlink('/nowhere', f'{root}/a/dangling')
    os.mkfifo(f'{root}/fifo')
    socket.socket(socket.AF_UNIX).bind(f'{root}/socket')
    os.setxattr(f'{root}/a/file', 'user.mark', b'1') if hasattr(os, 'setxattr') else None
    os.mkdir(f'{root}/closed', 0)
    os.mkdir(f'{root}/a/b/.hidden')
    for i in range(500): open(f'{root}/a/b/c/{i}', 'w').close()
`;
    await probe.run(mess);
    await probe.sandbox.emptyScratch();
    expect(await probe.run(state)).to.deep.equal(before);
    expect(await probe.run("result = len(os.listdir('/usr')) > 5")).to.equal(true);
  });

  it("empties its scratch space of very many files and lets others have their turn meanwhile", async () => {
    const probe = await factory.make();
    await probe.run("open('/tmp/one', 'w').close()\nfor i in range(2000): os.link('/tmp/one', f'/tmp/{i}')");
    let isEmpty = false;
    let turns = 0;
    const emptied = probe.sandbox.emptyScratch().then(() => {
      isEmpty = true;
    });
    for (; !isEmpty; turns++) await nextTurn();
    await emptied;
    expect(turns).to.be.at.least(6);
    expect(await probe.run("result = os.listdir('/tmp')")).to.deep.equal([]);
  });

  it("notices a deleted file that is still held open, and a nest too deep to empty", async () => {
    const probe = await factory.make();
    await probe.run(
      "import builtins\nbuiltins.kept = open('/tmp/kept', 'w')\nkept.write('x'); kept.flush(); os.unlink('/tmp/kept')",
    );
    expect(await probe.sandbox.emptyScratch().catch((error: unknown) => error))
      .to.be.instanceOf(RestorerError)
      .with.property("code", "scratch");
    await probe.run("kept.close()");
    await probe.sandbox.emptyScratch();
    await probe.run(
      "os.chdir('/tmp')\nfor _ in range(200):\n    os.mkdir('d'); os.chdir('d')\nos.chdir('/')",
    );
    expect(await probe.sandbox.emptyScratch().catch((error: unknown) => error))
      .to.be.instanceOf(RestorerError)
      .with.property("code", "scratch");
  });
});
