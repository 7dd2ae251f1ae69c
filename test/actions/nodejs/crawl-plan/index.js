/** An ES module: plans a crawl with bounded concurrency, out of packages that are ES modules only. */
import { setTimeout as sleep } from "node:timers/promises";
import { customAlphabet } from "nanoid";
import pLimit from "p-limit";
import pMap from "p-map";
import { score } from "./score.js";

const id = customAlphabet("abcdefghijkmnpqrstuvwxyz", 10);

export async function main({ pages, concurrency = 3 }) {
  let running = 0;
  let most = 0;
  const limit = pLimit(1);
  const log = [];
  const plan = await pMap(
    pages,
    async (page) => {
      most = Math.max(most, ++running);
      await sleep(5);
      await limit(() => log.push(page));
      running--;
      return { page, score: score(page) };
    },
    { concurrency },
  );
  return { plan, most, logged: log.length, id: id() };
}
