// A server that answers as CouchDB does, in a process of its own: its settings are the first line of its input, and it ends
// with it. It prints its port once it is ready.

import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import expressPouchDB from "express-pouchdb";
import nano from "nano";
import PouchDB from "pouchdb";
import { designDocuments } from "../store/design-documents.ts";
import type { DatabaseSettings } from "./database.ts";

/** Lets nobody in without name and password. */
function guarded(listener: RequestListener, { username, password }: DatabaseSettings): RequestListener {
  const expected = authorization(username, password);
  return (request, response) => {
    if (request.headers.authorization !== expected) {
      response.writeHead(401, { "content-type": "application/json" });
      response.end('{"error":"unauthorized","reason":"Name or password is incorrect."}\n');
      return;
    }
    // As CouchDB does, and Express does not: a plus sign in a path is a space.
    const [path = "", ...query] = (request.url ?? "").split("?");
    request.url = [path.replaceAll("+", "%20"), ...query].join("?");
    listener(request, response);
  };
}

function authorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** The databases with their design documents, those that are not there yet. */
async function createDatabases(url: string, settings: DatabaseSettings): Promise<void> {
  const headers = { authorization: authorization(settings.username, settings.password) };
  const server = nano({ url, headers });
  for (const [name, documents] of Object.entries(designDocuments)) {
    const database = `${settings.prefix}${name}`;
    await server.db.create(database).catch(unless(412));
    for (const document of documents) {
      await server.use(database).insert(document, document._id).catch(unless(409));
    }
  }
}

/** Passes over the answer that says it is there already. */
function unless(statusCode: number): (error: { readonly statusCode?: number }) => void {
  return (error) => {
    if (error.statusCode !== statusCode) throw error;
  };
}

/** Longer than clients keep a connection that they do not use: they close first, and none sends into one that is closed. */
const keepAliveMs = 65_000;

async function serve(settings: DatabaseSettings): Promise<void> {
  const stored = PouchDB.defaults({ prefix: `${settings.folder}/` });
  const listener = expressPouchDB(stored, { mode: "minimumForPouchDB" });
  const server = createServer(guarded(listener, settings));
  server.keepAliveTimeout = keepAliveMs;
  const { host = "127.0.0.1" } = settings;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(settings.port, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  await createDatabases(`http://${host}:${port}`, settings);
  console.log(`port ${port}`);
}

const lines = createInterface({ input: process.stdin });
lines.once("line", (line) => {
  serve(JSON.parse(line) as DatabaseSettings).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
lines.once("close", () => process.exit(0));
