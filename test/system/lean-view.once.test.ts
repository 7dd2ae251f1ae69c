// What code in a lean container can see of the host, and where it can write.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { expect } from "chai";
import { holdsWithin } from "../within.ts";
import { type Probe, ProbeFactory } from "./lean-probe.ts";

describe("a lean container's view", () => {
  let factory: ProbeFactory;
  let probe: Probe;
  before(async () => {
    factory = await ProbeFactory.open("view");
    probe = await factory.make();
  });
  after(() => factory.close());

  it("shows of the host's root what a program needs and nothing else", async () => {
    const inside = (await probe.run("result = sorted(os.listdir('/'))")) as string[];
    const expected = ["bin", "dev", "etc", "home", "lib", "lib32", "lib64", "proc", "run", "runtime", "sbin"];
    expect([...expected, "tmp", "usr", "var"]).to.include.members(inside);
    expect(inside).to.include.members(["bin", "dev", "etc", "home", "proc", "runtime", "tmp", "usr"]);
    expect(await probe.run("result = [os.listdir(f) for f in ('/home', '/run', '/var')]")).to.deep.equal([
      ["action"],
      [],
      ["empty"],
    ]);
  });

  it("shows no secrets of the host", async () => {
    const secrets = [
      "/root",
      "/sys",
      "/boot",
      "/etc/shadow",
      "/etc/gshadow",
      "/etc/ssl/private",
      "/etc/ssh",
      "/etc/sudoers",
    ];
    expect(secrets.some((path) => existsSync(path))).to.equal(true);
    expect(
      await probe.run(`result = [p for p in ${JSON.stringify(secrets)} if os.path.lexists(p)]`),
    ).to.deep.equal([]);
  });

  it("has accounts, host name and addresses of its own", async () => {
    expect(
      await probe.run(
        "import pwd, socket\nresult = [pwd.getpwuid(os.getuid()).pw_name, os.getuid() == os.getgid(), os.getuid() >= 600000, os.getgroups(), socket.gethostname(), socket.gethostbyname(socket.gethostname())]",
      ),
    ).to.deep.equal(["action", true, true, [], probe.sandbox.id, "127.0.0.1"]);
  });

  it("runs at home with the environment it was given", async () => {
    expect(
      await probe.run(
        "result = [os.getcwd(), os.environ['HOME'], os.environ['__OW_API_HOST'], sorted(os.environ)]",
      ),
    ).to.deep.equal([
      "/home/action",
      "/home/action",
      "http://host",
      ["HOME", "LANG", "PATH", "__OW_API_HOST"],
    ]);
  });

  it("sees its own processes only", async () => {
    const pids = await probe.run("result = [int(p) for p in os.listdir('/proc') if p.isdigit()]");
    expect(pids).to.deep.equal([2]);
    expect(
      await probe.run("result = [attempt(os.listdir, '/proc/1'), os.getpid(), os.getppid()]"),
    ).to.deep.equal(["ENOENT", 2, 1]);
  });

  it("has descriptors 0 to 3 and no other", async () => {
    const fds = await probe.run(
      "result = {int(f): os.readlink(f'/proc/self/fd/{f}').split(':')[0] for f in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{f}')}",
    );
    expect(fds).to.deep.equal({ 0: "/dev/null", 1: "pipe", 2: "pipe", 3: "socket" });
    expect(
      await probe.run(
        "import fcntl\nresult = [fcntl.fcntl(f, fcntl.F_GETFL) & os.O_NONBLOCK for f in range(4)]",
      ),
    ).to.deep.equal([0, 0, 0, 0]);
  });

  it("can open its output again by name", async () => {
    await probe.run("with open('/dev/stdout', 'w') as f: f.write('to stdout')");
    await probe.run("with open('/dev/stderr', 'w') as f: f.write('to stderr')");
    const expected = { stdout: "to stdout", stderr: "to stderr" };
    await holdsWithin(60_000, () => JSON.stringify(probe.printed) === JSON.stringify(expected));
    expect(probe.printed).to.deep.equal(expected);
  });

  it("cannot change what is known of its output: mode, owner, times", async () => {
    for (const change of ["os.fchmod, 1, 0", "os.fchown, 1, os.getuid(), -1", "os.utime, 1, (1, 1)"])
      expect(await probe.run(`result = attempt(${change})`), change).to.equal("EPERM");
  });

  it("has a network of its own, with the loopback interface alone", async () => {
    expect(
      await probe.run("import socket\nresult = [name for _, name in socket.if_nameindex()]"),
    ).to.deep.equal(["lo"]);
    const server: Server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const connect = `import socket\nresult = attempt(socket.create_connection, ('127.0.0.1', ${port}), 1)`;
    expect(await probe.run(connect)).to.equal("ECONNREFUSED");
    server.close();
    expect(
      await probe.run("import socket\nresult = attempt(socket.create_connection, ('192.0.2.1', 80), 1)"),
    ).to.equal("ENETUNREACH");
    const own =
      "import socket\ns = socket.create_server(('127.0.0.1', 0))\nsocket.create_connection(s.getsockname(), 1).close()\nresult = 'ok'";
    expect(await probe.run(own)).to.equal("ok");
  });

  it("can write to its scratch space and nowhere else", async () => {
    const everywhere = `
import tempfile
result = []
for folder, folders, _ in os.walk('/'):
    folders[:] = [f for f in folders if not os.path.islink(os.path.join(folder, f)) and os.path.join(folder, f) != '/proc']
    try:
        handle, path = tempfile.mkstemp(dir=folder)
        os.close(handle)
        os.unlink(path)
        result.append(folder)
    except OSError:
        pass
`;
    expect(await probe.run(everywhere)).to.have.members(["/tmp", "/home/action", "/dev/shm"]);
  });

  it("cannot change what it is shown", async () => {
    const attempts = `
python = os.path.realpath('/proc/self/exe')
result = [attempt(os.chmod, python, 0o777), attempt(os.open, python, os.O_RDWR), attempt(os.mkdir, '/new'),
    attempt(os.open, '/runtime/python/lean-probe.py', os.O_WRONLY), attempt(os.chmod, '/dev/null', 0o600),
    attempt(os.mknod, '/tmp/disk', 0o60666, os.makedev(254, 0)), attempt(os.rename, '/tmp', '/tmp2'),
    attempt(os.chmod, '/tmp', 0o777), attempt(os.setxattr, '/tmp', 'user.mark', b'1'), attempt(os.utime, '/tmp', (0, 0))]
`;
    const refused = ["EROFS", "EPERM", "EACCES", "EBUSY"];
    for (const outcome of (await probe.run(attempts)) as string[]) expect(refused).to.include(outcome);
  });

  it("finds /proc read-only, the machine's parts of it masked", async () => {
    const writable = `
result = []
for folder in ('/proc', '/proc/self', '/proc/sys/kernel', '/proc/sys/vm', '/proc/sys/net/core'):
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if os.path.isfile(path) and attempt(os.open, path, os.O_WRONLY) == '' and os.stat(path).st_dev == os.stat('/proc').st_dev:
            result.append(path)
`;
    expect(await probe.run(writable)).to.deep.equal([]);
    expect(
      await probe.run("result = [open(f'/proc/{n}').read() for n in ('keys', 'timer_list', 'interrupts')]"),
    ).to.deep.equal(["", "", ""]);
    expect(
      await probe.run("result = [os.listdir(f'/proc/{n}') for n in ('bus', 'irq', 'fs')]"),
    ).to.deep.equal([[], [], []]);
    expect(await probe.run("result = attempt(os.listdir, '/sys')")).to.equal("ENOENT");
    expect(await probe.run("result = open('/proc/self/cgroup').read()")).to.not.contain(probe.sandbox.id);
  });

  it("has the harmless devices, and they work", async () => {
    expect(await probe.run("result = sorted(os.listdir('/dev'))")).to.deep.equal([
      "fd",
      "full",
      "null",
      "random",
      "shm",
      "stderr",
      "stdin",
      "stdout",
      "urandom",
      "zero",
    ]);
    expect(
      await probe.run(
        "result = [len(open('/dev/urandom','rb').read(8)), open('/dev/zero','rb').read(2).hex(), attempt(os.write, os.open('/dev/full', os.O_WRONLY), b'x'), open('/dev/null','w').write('x')]",
      ),
    ).to.deep.equal([8, "0000", "ENOSPC", 1]);
  });

  it("has no capability, cannot gain one, and has the filter", async () => {
    const status = (await probe.run("result = open('/proc/self/status').read()")) as string;
    for (const name of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
      expect(status).to.match(new RegExp(`^${name}:\\s*0000000000000000$`, "m"));
    expect(status).to.match(/^NoNewPrivs:\s*1$/m);
    expect(status).to.match(/^Seccomp:\s*2$/m);
    expect(await probe.run("result = libc.prctl(27, 0, 0, 0, 0)")).to.not.equal(0);
  });

  it("keeps pid 1 out of reach of every signal", async () => {
    const outcome =
      "import signal\nresult = sorted({attempt(os.kill, 1, s) for s in signal.valid_signals()})";
    expect(await probe.run(outcome)).to.deep.equal(["EPERM"]);
    // "All but the caller and pid 1": there is nobody.
    expect(await probe.run("result = attempt(os.kill, -1, 9)")).to.equal("ESRCH");
  });

  it("has the limits of a stock container", async () => {
    const limits =
      "import resource as r\nresult = [r.getrlimit(getattr(r, 'RLIMIT_' + n)) for n in ('NOFILE', 'CORE', 'MEMLOCK', 'MSGQUEUE')]";
    expect(await probe.run(limits)).to.deep.equal([
      [1024, 1024],
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
    expect(readFileSync(`/proc/${probe.sandbox.runtimePid}/oom_score_adj`, "utf8")).to.equal("500\n");
    expect(
      await probe.run("result = [os.umask(0o22), os.getsid(0), libc.prctl(42, 0, 0, 0, 0)]"),
    ).to.deep.equal([0o22, 2, 1]);
  });

  it("shares nothing with its neighbour, not even a user id", async () => {
    const other = await factory.make();
    await probe.run("open('/tmp/mine', 'w').write('x')");
    expect(await other.run("result = os.listdir('/tmp')")).to.deep.equal([]);
    expect(await other.run("result = os.getuid()")).to.not.equal(await probe.run("result = os.getuid()"));
    expect(readdirSync("/tmp")).to.not.include("mine");
    expect(await probe.run("result = os.listdir('/tmp')")).to.deep.equal(["mine"]);
  });
});
