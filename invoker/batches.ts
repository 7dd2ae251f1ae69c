// How much of what waits goes together.

/** How many from the front fit into so many bytes; at least one, if there is any. */
export function countWithin<Item>(
  limitBytes: number,
  items: readonly Item[],
  bytesOf: (item: Item) => number,
): number {
  let sum = 0;
  const count = items.findIndex((item, i) => {
    sum += bytesOf(item);
    return i > 0 && sum > limitBytes;
  });
  return count === -1 ? items.length : count;
}
