// A real server of S3's protocol that keeps objects in a folder and checks each signature (S3Proxy), for tests.

import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AwsClient } from "aws4fetch";
import { projectFolder } from "../../invoker/config/entries.ts";
import { freePort, type JavaServer, startJava } from "../../standalone/cluster/java.ts";

export const s3Keys = { accessKeyId: "TESTKEY", secretAccessKey: "test/secret+key" };
export const s3Region = "us-west-2";

export interface S3Server extends JavaServer {
  readonly url: string;
  /** Makes a bucket, or with a key an object in it. */
  put(bucket: string, key?: string, bytes?: Buffer): Promise<void>;
}

/** Resolves when it answers. Throws ClusterStartError. */
export async function startS3(folder: string): Promise<S3Server> {
  const data = join(folder, "objects");
  mkdirSync(data, { recursive: true });
  const jars = join(projectFolder(), "build", "s3proxy");
  const [jar = ""] = readdirSync(jars);
  const url = `http://127.0.0.1:${await freePort()}`;
  const file = join(folder, "s3proxy.conf");
  const settings = {
    "s3proxy.endpoint": url,
    "s3proxy.authorization": "aws-v4",
    "s3proxy.identity": s3Keys.accessKeyId,
    "s3proxy.credential": s3Keys.secretAccessKey,
    "jclouds.provider": "filesystem-nio2",
    "jclouds.filesystem.basedir": data,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(file, lines.join(""));
  const client = new AwsClient({ ...s3Keys, service: "s3", region: s3Region, retries: 0 });
  const server = await startJava(
    "org.gaul.s3proxy.Main",
    ["--properties", file],
    join(folder, "s3proxy.log"),
    async () => (await client.fetch(`${url}/`)).ok,
    join(jars, jar),
  );
  return {
    ...{ ...server, url },
    async put(bucket, key, bytes = Buffer.alloc(0)) {
      const path = [bucket, ...(key === undefined ? [] : key.split("/"))].map(escaped).join("/");
      const { ok, status } = await client.fetch(`${url}/${path}`, { method: "PUT", body: bytes });
      if (!ok) throw new Error(`PUT ${path}: ${status}`);
    },
  };
}

/** Every byte in hex that S3's signatures have in hex. */
function escaped(part: string): string {
  const letters = Array.from(Buffer.from(part), (byte) => {
    const letter = String.fromCharCode(byte);
    return /[A-Za-z0-9._~-]/.test(letter) ? letter : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  });
  return letters.join("");
}
