// What a lean container sees of the host, and what is made up for it: the launcher's options for its file system.

import { existsSync, lstatSync, readdirSync, readlinkSync, realpathSync } from "node:fs";
import { basename, join, resolve } from "node:path";

export const workFolder = "/home/action";
/** As Docker gives to a container. */
export const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * /usr as a whole (with /usr/local: whoever installs programs there shows them to actions, as an image would), and its
 * names in the root: links on most distributions today.
 */
const systemFolders = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64"] as const;

/** Of /etc, what programs cannot do without and what tells nothing of the host but its distribution. Most miss some. */
const shownInEtc = [
  "alternatives",
  "ca-certificates",
  "debian_version",
  "ld.so.cache",
  "ld.so.conf",
  "ld.so.conf.d",
  "localtime",
  "magic",
  "mime.types",
  "os-release",
  "pki/ca-trust",
  "pki/tls/certs",
  "protocols",
  "redhat-release",
  "services",
  "ssl/certs",
  "ssl/openssl.cnf",
  "terminfo",
] as const;
/** Debian keeps Python's sitecustomize and its like here. */
const pythonInEtc = /^python[\d.]*$/;

export interface RuntimeMount {
  readonly from: string;
  readonly to: string;
}

export interface Identity {
  readonly uid: number;
  readonly hostname: string;
}

/** Shows a path of the host at the same place: a link as the link it is, so that it means the same inside. */
function showAsIs(path: string): readonly string[] {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [];
  if (found.isSymbolicLink()) return ["--link", `${path}:${readlinkSync(path)}`];
  return ["--ro-bind", `${path}:${path}`];
}

/** What is the same for all containers of this machine; looked up once. */
export function systemOptions(): readonly string[] {
  const pythons = readdirSync("/etc").filter((name) => pythonInEtc.test(name));
  const etc = [...shownInEtc, ...pythons].map((name) => join("/etc", name));
  return [...systemFolders, ...etc].flatMap(showAsIs);
}

/** Accounts, names and addresses as a container of its own has them. */
export function identityOptions({ uid, hostname }: Identity): readonly string[] {
  const files = {
    "/etc/passwd": `root:x:0:0:root:/root:/usr/sbin/nologin\naction:x:${uid}:${uid}:action:${workFolder}:/bin/sh\n`,
    "/etc/group": `root:x:0:\naction:x:${uid}:\n`,
    "/etc/hostname": `${hostname}\n`,
    "/etc/hosts": `127.0.0.1 localhost ${hostname}\n::1 localhost ip6-localhost ip6-loopback\n`,
    "/etc/nsswitch.conf":
      "passwd: files\ngroup: files\nhosts: files dns\nnetworks: files\nprotocols: files\nservices: files\n",
    // No network, so no name server either: the library asks 127.0.0.1 and is refused at once.
    "/etc/resolv.conf": "",
  };
  return Object.entries(files).flatMap(([path, text]) => ["--file", `${path}:${text}`]);
}

/** The interpreter as the container calls it: by its own path below /usr, else as a single file at /runtime/bin. */
export function interpreterInside(path: string): RuntimeMount {
  const real = realpathSync(path);
  return { from: real, to: real.startsWith("/usr/") ? real : `/runtime/bin/${basename(real)}` };
}

/**
 * The runtime's files at /runtime/FAMILY, what its runtime.json adds (relative to the repository), and the interpreter.
 * Gives the paths that do not exist as `missing`.
 */
export function runtimeOptions(
  repository: string,
  family: string,
  extra: readonly RuntimeMount[],
  interpreter: RuntimeMount,
): { readonly options: readonly string[]; readonly missing: readonly string[] } {
  const mounts = [{ from: `runtimes/${family}`, to: `/runtime/${family}` }, ...extra].map(({ from, to }) => ({
    from: resolve(repository, from),
    to,
  }));
  if (interpreter.from !== interpreter.to) mounts.push(interpreter);
  return {
    options: mounts.flatMap(({ from, to }) => ["--ro-bind", `${from}:${to}`]),
    missing: mounts.map(({ from }) => from).filter((from) => !existsSync(from)),
  };
}
