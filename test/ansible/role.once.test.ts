// What can be said of the role without deploying it: its form, its variables, the environment it makes, what it refuses.

import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { projectFolder, settingEntries } from "../../invoker/config/entries.ts";
import { rendered, withoutEffect } from "../compat/stock-environment.ts";
import { ansible, Checkout, freePorts, pack, role } from "./playbook.ts";

const limitMs = 600_000;
const { environment } = rendered("2.0.0");
const variable = (name: string): string => environment[name] ?? "";
const manifest = JSON.parse(variable("RUNTIMES_MANIFEST")) as object;

describe("the role", function () {
  this.timeout(limitMs);
  let checkout: Checkout;

  before(() => {
    checkout = new Checkout(manifest);
  });
  after(() => checkout.remove());

  it("is well-formed in OpenWhisk's play", async () => {
    const { status, output } = await checkout.play({}, ["--syntax-check"]);
    expect(status, output).to.equal(0);
  });

  it("has nothing that the linter finds", async () => {
    const options = ["--nocolor", "-c", join(projectFolder(), "ansible", ".ansible-lint"), role];
    const { status, output } = await ansible("ansible-lint", options, checkout.folder);
    expect(status, output).to.equal(0);
  });

  // On the host itself the port is the one that OpenWhisk maps 8080 to, and keys are where the role puts them.
  for (const [supervisor, keys, port] of [
    ["script", "/opt/rewhisk/invokers/invoker0/", "12001"],
    ["docker", "/conf/", "8080"],
  ] as const) {
    it(`gives the invoker what OpenWhisk's gives to its own, but for what has no effect (${supervisor})`, async () => {
      const file = join(checkout.folder, "environment.json");
      const templates = join(checkout.playbooks, "roles", "invoker", "templates");
      mkdirSync(templates, { recursive: true });
      const ownConfig = Buffer.from(variable("OPENWHISK_ENCODED_CONFIG"), "base64");
      writeFileSync(join(templates, "config.j2"), ownConfig);
      const play = {
        hosts: "invoker0",
        gather_facts: false,
        vars_files: [join(role, "defaults", "main.yml"), join(role, "vars", "main.yml")],
        tasks: [{ copy: { content: "{{ __rewhisk_environment | to_json }}", dest: file } }],
      };
      writeFileSync(join(checkout.playbooks, "render.yml"), JSON.stringify([play]));
      const { status, output } = await ansible(
        "ansible-playbook",
        ["render.yml", "-e", `rewhisk_supervisor=${supervisor}`],
        checkout.playbooks,
      );
      expect(status, output).to.equal(0);
      const made = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
      const wanted = Object.entries(environment)
        .filter(([name, value]) => isKept(name) && plain(value) !== "")
        .map(([name, value]) => [name, plain(value).replace(/^\/conf\//, keys)]);
      const given = Object.entries(made)
        .filter(([name, value]) => !name.startsWith("CONFIG_rewhisk_") && plain(String(value)) !== "")
        .map(([name, value]) => [
          name,
          plain(typeof value === "object" ? JSON.stringify(value) : String(value)),
        ]);
      const inOrder = (entries: readonly (readonly string[])[]): object =>
        Object.fromEntries(entries.map(([name = "", value = ""]) => [name, asRead(name, value)]));
      expect(inOrder(given)).to.deep.equal({ ...inOrder(wanted), PORT: port });
    });
  }

  it("has a variable for each setting of rewhisk's own, of its type and with its choices", () => {
    const specs = join(role, "meta", "argument_specs.yml");
    const script = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
    const python = join(projectFolder(), "build", "ansible", "bin", "python");
    const { options } = JSON.parse(execFileSync(python, ["-c", script, specs], { encoding: "utf8" }))
      .argument_specs.main as { options: Record<string, { type: string; choices?: string[] }> };
    const types: Readonly<Record<string, readonly string[]>> = {
      integer: ["int"],
      boolean: ["bool"],
      string: ["str", "path"],
    };
    const own = [...settingEntries().values()].filter(({ key }) => key.startsWith("rewhisk."));
    expect(own).to.have.length.above(0);
    for (const entry of own) {
      const option = options[entry.key.replace(/[.-]/g, "_")];
      expect(option?.choices, entry.key).to.deep.equal(entry.choices);
      expect(types[entry.type] ?? ["str"], entry.key).to.include(option?.type);
    }
  });

  for (const [what, variables, reason] of [
    ["a value that is none of the choices", { rewhisk_rewind: "sometimes" }, /rewhisk_rewind must be one of/],
    ["a port that is none", { invoker: { port: "12o01" } }, /invoker\.port is '12o01', which is no port/],
    ["a size that is none", { invoker_user_memory: "plenty" }, /'plenty', which is no size, such as 2048m/],
    ["a variable that is misspelt", { rewhisk_rewnd: "always" }, /rewhisk_rewnd is no variable of this role/],
    [
      "the scheduler's mode",
      { scheduler_enable: true, invoker_protocol: "http" },
      /enable_scheduler.*is not supported/,
    ],
    ["a host without keys", {}, /Missing on the control node: .*invoker-openwhisk-keystore\.p12/],
    [
      "a host that lacks memory, Node and Docker, all at once",
      {
        ...{ invoker_protocol: "http", invoker_user_memory: "9000g", rewhisk_node: "/no/node" },
        rewhisk_docker_socket: "/no/docker.sock",
      },
      /Missing: Node 20.19 .*Missing: memory .*Missing: Docker at/,
    ],
    [
      "databases that do not answer",
      {
        ...{ invoker_protocol: "http", db_host: "127.0.0.1", db_port: 1, rewhisk_docker_required: false },
        invoker_user_memory: "128m",
      },
      /whisk_local_whisks and .*whisk_local_activations cannot be used by whisk_local_invoker0/,
    ],
  ] as const) {
    it(`refuses ${what}`, async () => {
      // Not the usual one, which somebody else on this machine may have.
      const invoker = { port: await freePorts(1) };
      const { status, output } = await checkout.play({ invoker, ...variables }, ["--limit", "invoker0"]);
      expect(status).to.equal(2);
      expect(output).to.match(reason);
    });
  }
});

describe("the archive", function () {
  this.timeout(limitMs);
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-archive-"));
    execFileSync(process.execPath, [pack, join(folder, "archive.tgz")]);
    execFileSync("tar", ["-xzf", join(folder, "archive.tgz"), "-C", folder]);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("has each package that one of its packages needs", () => {
    const modules = join(folder, "rewhisk", "node_modules");
    const files = readdirSync(modules, { recursive: true, encoding: "utf8" });
    // Folders of modules hold packages, and nothing else does.
    const owners = files.filter((file) =>
      /(^|node_modules\/)(@[^/]+\/)?[^@/][^/]*\/package\.json$/.test(file),
    );
    const lacking = owners.flatMap((file) => {
      const { dependencies = {} } = JSON.parse(readFileSync(join(modules, file), "utf8")) as {
        dependencies?: object;
      };
      const places = createRequire(join(modules, file)).resolve.paths("any") ?? [];
      const ofArchive = places.filter((place) => place.startsWith(folder));
      const isThere = (name: string): boolean => ofArchive.some((place) => existsSync(join(place, name)));
      return Object.keys(dependencies).flatMap((name) => (isThere(name) ? [] : [`${file} needs ${name}`]));
    });
    expect(owners).to.have.length.above(0);
    expect(lacking).to.deep.equal([]);
  });

  it("is the same, byte for byte, for the same contents", () => {
    execFileSync(process.execPath, [pack, join(folder, "again.tgz")]);
    const [one, other] = ["archive.tgz", "again.tgz"].map((name) => readFileSync(join(folder, name)));
    expect(one?.equals(other ?? Buffer.alloc(0))).to.equal(true);
  });
});

interface Asked {
  readonly port?: number;
  readonly node?: string;
  readonly socket?: string;
  /** Shell scripts by name. */
  readonly commands?: Readonly<Record<string, string>>;
}

describe("the preflight", () => {
  const script = join(role, "files", "preflight.sh");
  let root: string;

  /** The kernel's files of a machine that lacks nothing. */
  const fit: Readonly<Record<string, string>> = {
    "proc/sys/kernel/osrelease": "6.1.0-13-amd64\n",
    "proc/sys/kernel/seccomp/actions_avail": "kill_process\n",
    "proc/sys/kernel/yama/ptrace_scope": "1\n",
    "proc/meminfo": "MemTotal: 8000000 kB\nMemAvailable:    4194304 kB\n",
    "proc/mounts": "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n",
    "sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory pids\n",
    "proc/net/tcp": "  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000\n",
    ...Object.fromEntries(
      ["pid", "mnt", "ipc", "uts", "net", "cgroup"].map((name) => [`proc/self/ns/${name}`, ""]),
    ),
  };

  /** `commands` are found before this machine's own. */
  function lacking(
    files: Readonly<Record<string, string>>,
    { port = 12001, node = process.execPath, socket = "/no/docker.sock", commands = {} }: Asked = {},
  ): string[] {
    root = join(projectFolder(), "build", `preflight-${process.pid}`);
    rmSync(root, { recursive: true, force: true });
    const programs = Object.entries(commands).map(([name, text]) => [`bin/${name}`, `#!/bin/sh\n${text}\n`]);
    for (const [path = "", text = ""] of [...Object.entries({ ...fit, ...files }), ...programs]) {
      mkdirSync(join(root, path, ".."), { recursive: true });
      writeFileSync(join(root, path), text, { mode: 0o755 });
    }
    const args = [script, node, String(port), "2560", socket, "no", root];
    const env = { PATH: `${join(root, "bin")}:${process.env.PATH}` };
    const said = execFileSync("sh", args, { encoding: "utf8", env });
    return said.split("\n").filter(Boolean);
  }
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it("finds nothing on a machine that lacks nothing", () => {
    expect(lacking({})).to.deep.equal([]);
  });

  for (const [what, files, missing] of [
    ["an old kernel", { "proc/sys/kernel/osrelease": "5.10.0-9" }, "Missing: Linux 5.12 (this is 5.10.0-9)"],
    ["ptrace for nobody", { "proc/sys/kernel/yama/ptrace_scope": "3" }, "Missing: ptrace"],
    [
      "a cgroup controller",
      { "sys/fs/cgroup/cgroup.controllers": "cpu pids" },
      "Missing: the cgroup controller memory.",
    ],
    [
      "memory",
      { "proc/meminfo": "MemAvailable: 1048576 kB" },
      "Missing: memory (1024 MB are free, and 2560 MB wanted by what is to start here)",
    ],
    ["the port", { "proc/net/tcp6": " 0: 0000:2EE1 0000:0000 0A" }, "Missing: the port 12001"],
  ] as const) {
    it(`finds that ${what} is missing, and that alone`, () => {
      const said = lacking(files);
      expect(said).to.have.length(1);
      expect(said[0])
        .to.include(missing)
        .and.match(/\. Remedy: ./);
    });
  }

  for (const [what, answer, missing] of [
    ["Docker is", "exit 1", "Missing: Docker at "],
    ["a newer Docker is", "echo 1.40", "Missing: Docker 20.10 (this one's API is 1.40)"],
    [
      "root's rights in Docker are",
      'case "$*" in *info*) echo "[name=seccomp,profile=default name=rootless]" ;; *) echo 1.41 ;; esac',
      "Missing: the rights of root in containers",
    ],
  ] as const) {
    it(`finds that ${what} missing for an invoker in a container, and that alone`, () => {
      const said = lacking({}, { node: "docker", commands: { docker: answer } });
      expect(said).to.have.length(1);
      expect(said[0])
        .to.include(missing)
        .and.match(/\. Remedy: ./);
    });
  }

  it("asks for no Node of the host where the invoker runs in a container", () => {
    const commands = { docker: "echo 1.41" };
    expect(lacking({}, { node: "docker", commands })).to.deep.equal([]);
    expect(lacking({}, { node: "/no/node" })).to.have.length(1);
  });

  it("finds controllers of cgroups of version 1", () => {
    const mounts = ["cpu,cpuacct", "memory", "pids"].map(
      (one) => `cgroup /c/${one} cgroup rw,relatime,${one} 0 0\n`,
    );
    expect(lacking({ "proc/mounts": mounts.join("") })).to.deep.equal([]);
    expect(lacking({ "proc/mounts": mounts.slice(1).join("") })).to.have.length(1);
  });
});

/** Without the quotes and blanks around lists of names, which OpenWhisk's template puts there. */
function plain(value: string): string {
  return value.replace(/^ '(.*)' $/, "$1");
}

function isKept(name: string): boolean {
  return !withoutEffect["2.0.0"].includes(name) && !ignored.includes(name);
}

/** Misspelt in OpenWhisk's role, and of StatsD. */
const ignored = ["CONFIG_whisk_kakfa_topics_invoker_segmentBytes", "CONFIG_kamon_statsd_hostname"];

/** As the program reads it. */
function asRead(name: string, value: string): unknown {
  return name === "RUNTIMES_MANIFEST"
    ? JSON.parse(value)
    : value.replace(/^(True|False)$/, (word) => word.toLowerCase());
}
