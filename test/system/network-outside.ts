// The world outside of the machine, for tests: a web server, a name server, a cloud's metadata, servers that remember who came.
// Runs in a network namespace of its own (network-bench.ts).

import { createSocket, type RemoteInfo } from "node:dgram";
import { createServer as createWebServer } from "node:http";
import { createServer, type Socket } from "node:net";
import { connectTo } from "./network-connect.ts";
import { serve } from "./remote.ts";

const [address = "", metadata = ""] = process.argv.slice(2);

/** RFC 1035: the question as it came, and for every name one A record that points to this server. */
function answerTo(question: Buffer): Buffer {
  const header = Buffer.from(question.subarray(0, 12));
  header.writeUInt16BE(0x8180, 2);
  const endOfName = question.indexOf(0, 12) + 1;
  const asked = question.subarray(12, endOfName + 4);
  const isA = question.readUInt16BE(endOfName) === 1;
  header.writeUInt16BE(isA ? 1 : 0, 6);
  header.writeUInt32BE(0, 8);
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split(".").map(Number)]);
  return Buffer.concat([header, asked, ...(isA ? [record] : [])]);
}

const web = createWebServer((request, response) =>
  response.end(`${request.headers.host} seen from ${request.socket.remoteAddress}`),
);
const cloud = createWebServer((_request, response) => response.end("credentials"));
const names = createSocket("udp4");
names.on("message", (question, { port, address: from }) => names.send(answerTo(question), port, from));

/** Whoever came, in this order. */
const held: { socket: Socket; receivedBytes: number; end?: string }[] = [];
const holding = createServer((socket) => {
  const one: (typeof held)[number] = { socket, receivedBytes: 0 };
  held.push(one);
  socket.on("data", (piece: Buffer) => {
    one.receivedBytes += piece.length;
  });
  socket.on("error", ({ code }: NodeJS.ErrnoException) => {
    one.end = code ?? "";
  });
  socket.on("close", () => {
    one.end ??= "closed";
  });
});

const peers: RemoteInfo[] = [];
const datagrams = createSocket("udp4");
datagrams.on("message", (_text, peer) => void peers.push(peer));

await Promise.all([
  new Promise<void>((resolve) => web.listen(80, address, resolve)),
  new Promise<void>((resolve) => cloud.listen(80, metadata, resolve)),
  new Promise<void>((resolve) => holding.listen(7000, address, resolve)),
  new Promise<void>((resolve) => names.bind(53, address, resolve)),
  new Promise<void>((resolve) => datagrams.bind(7001, address, resolve)),
]);

await serve(
  {
    connect: connectTo,
    held: () => held.map(({ receivedBytes, end }) => ({ receivedBytes, end })),
    /** From now on its window stays closed: what it is sent piles up with the sender. */
    stopReading: (index: number) => void held[index]?.socket.pause(),
    goOnReading: (index: number) => void held[index]?.socket.resume(),
    write: (index: number, text: string) => held[index]?.socket.write(text) ?? false,
    peers: () => peers.map(({ port }) => port),
    /** To the port from which the peer of that number wrote. */
    sendDatagram: (index: number, text: string) =>
      new Promise<void>((resolve, reject) => {
        const { port, address: to } = peers[index] as RemoteInfo;
        datagrams.send(text, port, to, (error) => (error ? reject(error) : resolve()));
      }),
  },
  async () => {
    for (const { socket } of held) socket.destroy();
    for (const server of [web, cloud, holding, names, datagrams]) server.close();
    web.closeAllConnections();
  },
);
