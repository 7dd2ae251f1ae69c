// IPv4 subnets as numbers: reading, writing, and finding one that nobody uses.

/** `first` is the lowest address as a number, `size` a power of two. */
export interface Subnet {
  readonly first: number;
  readonly size: number;
}

/** As many containers as there are user ids by default. */
const usualSize = 4096;
/** Private ranges that few networks use, and the range that is kept for measurements: in this order. */
const usualRanges = ["10.224.0.0/12", "172.28.0.0/14", "198.18.0.0/15"] as const;

/** Undefined where the text is no IPv4 address. */
export function parseAddress(text: string): number | undefined {
  const parts = /^\d{1,3}(\.\d{1,3}){3}$/.test(text) ? text.split(".").map(Number) : [];
  if (parts.length !== 4 || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((address, part) => address * 256 + part, 0);
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((bits) => (address >>> bits) & 255).join(".");
}

/** `a.b.c.d/n`, or an address alone. Undefined where the text is neither, or has bits beyond its prefix. */
export function parseSubnet(text: string): Subnet | undefined {
  const [address = "", prefix = "32", ...rest] = text.split("/");
  const first = parseAddress(address);
  const size = 2 ** (32 - Number(prefix));
  const isPrefix = /^\d{1,2}$/.test(prefix) && Number(prefix) <= 32;
  if (first === undefined || !isPrefix || rest.length > 0 || first % size !== 0) return undefined;
  return { first, size };
}

export function formatSubnet({ first, size }: Subnet): string {
  return `${formatAddress(first)}/${32 - Math.log2(size)}`;
}

export function overlap(one: Subnet, other: Subnet): boolean {
  return one.first < other.first + other.size && other.first < one.first + one.size;
}

/**
 * Subnets that touch none of `taken`, best first. `start` (any number) lets two that look at the same time begin at different
 * places.
 */
export function freeSubnets(taken: readonly Subnet[], start: number): readonly Subnet[] {
  return usualRanges.flatMap((text) => {
    const range = parseSubnet(text) as Subnet;
    const count = range.size / usualSize;
    return Array.from({ length: count }, (_, i) => ({
      first: range.first + ((start + i) % count) * usualSize,
      size: usualSize,
    })).filter((one) => !taken.some((other) => overlap(one, other)));
  });
}
