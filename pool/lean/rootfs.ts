// What a lean container sees of the host, and what is made up for it: the launcher's options for its file system.

import { existsSync, lstatSync, readdirSync, readlinkSync, realpathSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { resolveInside } from "./image-path.ts";

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
  /** Of its interface to the outside; the loopback interface's where there is none. */
  readonly address?: string | undefined;
  /** The text of /etc/resolv.conf. Empty: the library asks 127.0.0.1 and is refused at once. */
  readonly resolver?: string | undefined;
}

/** Shows a path of a file system at the same place: a link as the link it is, so that it means the same inside. */
function showAsIs(root: string, path: string): readonly string[] {
  const source = join(root, path);
  const found = lstatSync(source, { throwIfNoEntry: false });
  if (found === undefined) return [];
  if (found.isSymbolicLink()) return ["--link", `${path}:${readlinkSync(source)}`];
  return ["--ro-bind", `${source}:${path}`];
}

/** What is the same for all containers of this machine; looked up once. */
export function systemOptions(): readonly string[] {
  const pythons = readdirSync("/etc").filter((name) => pythonInEtc.test(name));
  const etc = [...shownInEtc, ...pythons].map((name) => join("/etc", name));
  return [...systemFolders, ...etc].flatMap((path) => showAsIs("/", path));
}

/** Of the launcher's options: what of this machine is shown, as files and folders, at places that begin so. */
export function shownBelow(options: readonly string[], place: string): readonly string[] {
  return options
    .filter((_, at) => options[at - 1] === "--ro-bind")
    .map((one) => one.split(":"))
    .flatMap(([from = "", to = ""]) => (to.startsWith(place) ? [from] : []));
}

/** Below /usr; which of them there are differs from one distribution to the next. */
const libraryPlaces = ["lib", "lib64", "local/lib", "local/lib64"] as const;

/** Of what is shown at /usr, what a language has of libraries of its own: `lib/python3.11`, `local/lib/ruby`. Its interpreter reads and does not map them. */
export function librariesBelow(usr: string, family: string): readonly string[] {
  return libraryPlaces
    .filter((place) => hasFolder(usr, place))
    .map((place) => join(usr, place))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((path) => basename(path).startsWith(family))
    .sort();
}

/** In /etc, of each container its own. */
export const identityFiles = [
  "passwd",
  "group",
  "hostname",
  "hosts",
  "nsswitch.conf",
  "resolv.conf",
] as const;
/** Where they lie over an image, whose /etc has links to them. */
export const identityFolder = "/runtime/etc";

/** Accounts, names and addresses as a container of its own has them. */
export function identityOptions(
  { uid, hostname, address, resolver = "" }: Identity,
  folder = "/etc",
): readonly string[] {
  const local = address === undefined ? `127.0.0.1 localhost ${hostname}` : "127.0.0.1 localhost";
  const own = address === undefined ? "" : `${address} ${hostname}\n`;
  const files: { readonly [name in (typeof identityFiles)[number]]: string } = {
    passwd: `root:x:0:0:root:/root:/usr/sbin/nologin\naction:x:${uid}:${uid}:action:${workFolder}:/bin/sh\n`,
    group: `root:x:0:\naction:x:${uid}:\n`,
    hostname: `${hostname}\n`,
    hosts: `${local}\n::1 localhost ip6-localhost ip6-loopback\n${own}`,
    "nsswitch.conf":
      "passwd: files\ngroup: files\nhosts: files dns\nnetworks: files\nprotocols: files\nservices: files\n",
    "resolv.conf": resolver,
  };
  return Object.entries(files).flatMap(([name, text]) => ["--file", `${folder}/${name}:${text}`]);
}

/** Of an image, what is made up in every container, and what is not for actions. */
const neverOfImages = new Set(["dev", "proc", "run", "runtime", "sys", "tmp"]);

/**
 * What a container over an image sees of it: all, but for the places of its own. The packages beside the image's own program (in
 * its working folder) are found from the action's home, as actions find them in the image's container.
 */
export function imageOptions(root: string, imageWorkFolder: string): readonly string[] {
  const shown = (folder: string, hidden: ReadonlySet<string>): readonly string[] =>
    readdirSync(join(root, folder))
      // The launcher's options cannot say such a name.
      .filter((name) => !hidden.has(name) && !name.includes(":"))
      .flatMap((name) => showAsIs(root, join(folder, name)));
  const packages = join(imageWorkFolder, "node_modules");
  const beside = imageWorkFolder !== "/" && resolveInside(root, packages) !== undefined;
  return [
    ...shown("/", new Set([...neverOfImages, "home"])),
    ...(hasFolder(root, "home") ? shown("/home", new Set([basename(workFolder), "node_modules"])) : []),
    ...(beside ? ["--link", `/home/node_modules:${packages}`] : []),
  ];
}

/** Itself, not by a link, which would lead to this machine's. */
function hasFolder(root: string, name: string): boolean {
  return lstatSync(join(root, name), { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The interpreter as the container calls it: by its own path below /usr, else as a single file at /runtime/bin. */
export function interpreterInside(path: string): RuntimeMount {
  const real = realpathSync(path);
  return { from: real, to: real.startsWith("/usr/") ? real : `/runtime/bin/${basename(real)}` };
}

/**
 * The runtime's files at /runtime/FAMILY, what its runtime.json adds (relative to the repository), and the interpreter; without
 * one, over an image that has it, only what the runtime itself needs: the packages are the image's then.
 * Gives the paths that do not exist as `missing`.
 */
export function runtimeOptions(
  repository: string,
  family: string,
  extra: readonly RuntimeMount[],
  interpreter?: RuntimeMount,
): { readonly options: readonly string[]; readonly missing: readonly string[] } {
  const wanted = extra.filter(({ to }) => interpreter !== undefined || to.startsWith("/runtime/"));
  const mounts = [{ from: `runtimes/${family}`, to: `/runtime/${family}` }, ...wanted].map(
    ({ from, to }) => ({
      from: resolve(repository, from),
      to,
    }),
  );
  if (interpreter !== undefined && interpreter.from !== interpreter.to) mounts.push(interpreter);
  return {
    options: mounts.flatMap(({ from, to }) => ["--ro-bind", `${from}:${to}`]),
    missing: mounts.map(({ from }) => from).filter((from) => !existsSync(from)),
  };
}
