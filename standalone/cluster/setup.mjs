// What a cluster on this machine needs beyond rewhisk itself: Java, and the jars of Kafka with ZooKeeper from Maven Central.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureSystemPackages, isCommand, root, run, step } from "../setup.mjs";

const pom = join(root, "standalone", "cluster", "pom.xml");
const folder = join(root, "build", "kafka");
const stamp = join(folder, "pom.xml");

const needs = [
  { what: "Java", debianPackage: "default-jre-headless", isThere: () => isCommand("java") },
  { what: "Maven", debianPackage: "maven", isThere: () => isCommand("mvn") },
];

/** Does nothing where all is there already. Throws SetupError. @param {(line: string) => void} say */
export async function prepareCluster(say) {
  const hasJars = existsSync(stamp) && readFileSync(stamp, "utf8") === readFileSync(pom, "utf8");
  await ensureSystemPackages(say, hasJars ? needs.slice(0, 1) : needs);
  if (hasJars) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await step(say, "Fetching Kafka's jars (mvn)", () =>
    run("mvn", [
      ...["--quiet", "--batch-mode", "--no-transfer-progress", "--file", pom],
      ...[
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
        `-DoutputDirectory=${join(folder, "lib")}`,
      ],
    ]),
  );
  writeFileSync(stamp, readFileSync(pom));
}
