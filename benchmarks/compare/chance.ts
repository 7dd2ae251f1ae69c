// Numbers that look like chance and are the same for the same seed: both sides of a comparison get the same work.

/** From 0 up to 1, by the generator mulberry32 of Tommy Ettinger (public domain): good enough to choose actions by. */
export function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Which of `count` things comes when: the second half as often as the first, the third a third as often, and so on (Zipf). */
export function unevenly(count: number, length: number, random: () => number): readonly number[] {
  const shares: number[] = [];
  let sum = 0;
  for (let rank = 1; rank <= count; rank++) {
    sum += 1 / rank;
    shares.push(sum);
  }
  return Array.from({ length }, () => {
    const drawn = random() * sum;
    return shares.findIndex((share) => drawn < share);
  });
}

/** Text that no compression makes much smaller, in lines. */
export function noise(bytes: number, random: () => number): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
  const text = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i++) text[i] = letters.charCodeAt(Math.floor(random() * letters.length));
  return Buffer.from(text).toString("latin1");
}
