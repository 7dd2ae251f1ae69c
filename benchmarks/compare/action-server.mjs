// An action proxy of stock's kind for Node, in the image of the endpoint that stands for stock: runs source text in its own process.

import { createServer } from "node:http";
import { createRequire } from "node:module";

const sentinel = "XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX\n";
const port = 8080;
const require = createRequire("/action/main.js");
let main;

function init({ code, main: name = "main", env = {} }) {
  Object.assign(process.env, env);
  main = new Function("require", "module", "exports", `${code}\nreturn ${name};`)(require, {}, {});
  return { ok: true };
}

async function run({ value }) {
  const result = await main(value);
  for (const stream of [process.stdout, process.stderr]) stream.write(sentinel);
  return result;
}

async function answer(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const message = JSON.parse(Buffer.concat(pieces).toString());
  return request.url === "/init" ? init(message.value) : await run(message);
}

/** With its length, by which stock knows where an answer ends. */
function send(response, status, content) {
  const body = Buffer.from(JSON.stringify(content));
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": body.length }).end(body);
}

createServer((request, response) => {
  answer(request).then(
    (result) => send(response, 200, result),
    (error) => send(response, 502, { error: String(error) }),
  );
}).listen(port, "0.0.0.0");
