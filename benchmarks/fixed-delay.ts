// A program: what a comparison needs to see of an OpenWhisk, whose every activation is answered after the same time. Its parent is
// sent the port.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** As long as rewhisk takes for a warm action over HTTP. */
const delayMs = 3;
const about = { description: "OpenWhisk, of which there is but the time it takes", api_paths: ["/api/v1"] };
const activation = {
  activationId: "0".repeat(32),
  response: { status: "success", statusCode: 0, success: true, result: { greeting: "ÿ€😀" } },
  ...{ namespace: "guest", name: "tiny", version: "0.0.1", subject: "guest", publish: false, logs: [] },
  ...{ start: 1_700_000_000_000, end: 1_700_000_000_002, duration: 2 },
  annotations: [
    { key: "path", value: "guest/tiny" },
    { key: "waitTime", value: 1 },
  ],
};

const server = createServer((request, response) => {
  const { method, url } = request;
  const answer = method === "POST" ? activation : url === "/api/v1/namespaces" ? ["guest"] : about;
  const send = (): void => {
    response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
  };
  request.resume().on("end", method === "POST" ? () => setTimeout(send, delayMs) : send);
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => process.exit());
