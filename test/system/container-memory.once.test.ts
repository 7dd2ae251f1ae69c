// What a container remembers although no descriptor and no file holds it: closed connections, times of access, counters.

import { expect } from "chai";
import type { JsonObject } from "../corpus.ts";
import { Ground } from "../prove/ground.ts";
import { ProbeFactory } from "./lean-probe.ts";

/** A connection to an address of the loopback interface, opened and closed as it should be; how long the kernel would wait for an answer. */
const connections = `
import os, socket, struct

def connect(address):
    with socket.create_server((address, 0)) as server, socket.create_connection(server.getsockname()) as client:
        accepted, _ = server.accept()
        client.sendall(b"x" * 1000)
        accepted.recv(1000)
        timeout_us, = struct.unpack_from("I", client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 8)
        accepted.close()
        return timeout_us

def main(args):
    return {"timeouts": [connect("127.7.7.7") for _ in range(args["times"])], "table": open("/proc/net/tcp").readlines()[1:]}
`;

/** Numbers that the kernel counts up: of files in the scratch space, of bytes over the loopback interface. */
const counters = `
import os, socket

def main(args):
    for _ in range(args["files"]):
        os.close(os.open("/tmp/file", os.O_CREAT))
        os.unlink("/tmp/file")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(bytes(args["bytes"]), ("127.0.0.1", 9))
    file = os.open("/tmp/seen", os.O_CREAT)
    lo = [line for line in open("/proc/net/dev") if "lo:" in line][0]
    return {"inode": os.fstat(file).st_ino, "received": int(lo.split()[1])}
`;

describe("a container that is used again", () => {
  let ground: Ground;
  before(async () => {
    ground = await Ground.start({ family: "python", name: "container-memory" });
  });
  after(() => ground.stop());

  async function visit(source: string, value: JsonObject): Promise<JsonObject> {
    const { result, taint } = await ground.visit({ source }, value);
    expect(taint).to.equal(undefined);
    return result as JsonObject;
  }

  it("keeps neither ports nor memories of closed connections", async () => {
    const fresh = await visit(connections, { times: 1 });
    expect(fresh.table).to.deep.equal([]);
    await visit(connections, { times: 3 });
    expect(await visit(connections, { times: 1 })).to.deep.equal(fresh);
  });

  it("cannot hide how many files were made in it, and how many bytes went over its loopback interface", async () => {
    const quiet = { files: 0, bytes: 0 };
    const [first, second] = [await visit(counters, quiet), await visit(counters, quiet)];
    await visit(counters, { files: 1000, bytes: 5000 });
    const third = await visit(counters, quiet);
    const grown = (a: JsonObject, b: JsonObject, what: string): number => Number(b[what]) - Number(a[what]);
    expect(grown(second, third, "inode")).to.equal(2 * grown(first, second, "inode") + 1000);
    expect(grown(second, third, "received")).to.be.at.least(5000 + grown(first, second, "received"));
  });
});

describe("two containers at the same time", () => {
  let factory: ProbeFactory;
  before(async () => {
    factory = await ProbeFactory.open("shared");
  });
  after(() => factory.close());

  it("leaves no time of access on files that all containers share", async () => {
    const probe = await factory.make();
    const look = `
import stat
def old():
    for folder, _, names in os.walk('/usr/share'):
        for name in names:
            path = os.path.join(folder, name)
            file = os.lstat(path)
            # What the kernel would set anew at the next reading (relatime).
            if stat.S_ISREG(file.st_mode) and file.st_size and file.st_atime <= file.st_mtime:
                yield path
import itertools
paths = list(itertools.islice(old(), 20))
before = [os.stat(path).st_atime_ns for path in paths]
for path in paths:
    open(path, 'rb').read()
mounts = [line.split() for line in open('/proc/self/mountinfo')]
usr = [options.split(',')[0] for _, _, _, _, place, options, *_ in mounts if place == '/usr']
result = [len(paths), before == [os.stat(path).st_atime_ns for path in paths], usr]
`;
    expect(await probe.run(look)).to.deep.equal([20, true, ["ro"]]);
  });

  it("can see each other's locks of files that they share", async () => {
    const [one, other] = [await factory.make(), await factory.make()];
    const lock = `
import fcntl
kept = open(os.__file__)
fcntl.flock(kept, fcntl.LOCK_EX | fcntl.LOCK_NB)
os.kept = kept
result = 'locked'
`;
    expect(await one.run(lock)).to.equal("locked");
    const ask =
      "import fcntl\nresult = attempt(fcntl.flock, open(os.__file__), fcntl.LOCK_EX | fcntl.LOCK_NB)";
    expect(await other.run(ask)).to.equal("EAGAIN");
    await one.run("os.kept.close()\nresult = ''");
    expect(await other.run(ask)).to.equal("");
  });
});
