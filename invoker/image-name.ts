// Names of container images, as the manifest and users write them.

/** An image with what was said of it; a part that is absent is filled in, an empty one means none. */
export interface ImageName {
  readonly registry?: string;
  readonly prefix?: string;
  readonly name: string;
  readonly tag?: string;
}

const component = "[a-z0-9]+(?:(?:__|[._]|-+)[a-z0-9]+)*";
const label = "[A-Za-z0-9-]+";
/** `[registry/][path/]name[:tag][@digest]`; what begins with a dotted name or one with a port is a registry. */
const reference = new RegExp(
  `^(?:(${label}(?:\\.${label})+(?::\\d+)?|${label}:\\d+)/)?((?:${component}/)*)(${component})` +
    "(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@[A-Za-z][A-Za-z0-9]*(?:[+._-][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$",
);

/** Undefined for a text that names no image. A digest is dropped, as stock does. */
export function parseImageName(text: string): ImageName | undefined {
  const [, registry, path = "", name, tag] = reference.exec(text) ?? [];
  if (name === undefined) return undefined;
  return {
    ...(registry === undefined ? {} : { registry }),
    ...(path === "" ? {} : { prefix: path.slice(0, -1) }),
    name,
    ...(tag === undefined ? {} : { tag }),
  };
}

/** `[registry/][prefix/]name[:tag]`, with this registry for an image that says nothing of one. */
export function fullImageName({ registry, prefix, name, tag }: ImageName, usualRegistry: string): string {
  const host = registry ?? usualRegistry;
  const parts = [host.replace(/\/$/, ""), prefix ?? "", name].filter((part) => part !== "");
  return `${parts.join("/")}${tag ? `:${tag}` : ""}`;
}

/** Without a tag it is the latest. */
export function isSameImage(left: ImageName, right: ImageName): boolean {
  const { registry, prefix, name, tag = "latest" } = left;
  return (
    name === right.name &&
    registry === right.registry &&
    prefix === right.prefix &&
    tag === (right.tag ?? "latest")
  );
}
