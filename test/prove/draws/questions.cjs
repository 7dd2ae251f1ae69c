// The numbers of questions to name servers, by which an answer is known to be one.
const dgram = require("node:dgram");
const dns = require("node:dns");
const { promisify } = require("node:util");

/** `ask(port)` makes questions of the server at that port; their numbers. */
async function numbersOfQuestions(ask) {
  const numbers = [];
  const server = dgram.createSocket("udp4").on("message", (question, { port, address }) => {
    numbers.push(question.readUInt16BE());
    // There is no such name.
    question.writeUInt16BE(0x8183, 2);
    server.send(question, port, address);
  });
  await new Promise((resolve) => server.bind(0, "127.0.0.1", resolve));
  await Promise.allSettled(ask(server.address().port));
  server.close();
  return numbers.join();
}

const names = ["a", "b", "c", "d"].map((name) => `${name}.test`);

function askByResolver(port) {
  const resolver = new dns.promises.Resolver();
  resolver.setServers([`127.0.0.1:${port}`]);
  return names.map((name) => resolver.resolve4(name));
}

/** By the one that all share. setServers() of the module itself would put a new one in its place. */
function askByModule(port) {
  const { ChannelWrap } = process.binding("cares_wrap");
  const { getServers } = ChannelWrap.prototype;
  ChannelWrap.prototype.getServers = function redirect() {
    this.setServers([[4, "127.0.0.1", port]]);
    return getServers.call(this);
  };
  dns.getServers();
  return names.map((name) => promisify(dns.resolve4)(name));
}

async function draw() {
  return {
    "by a resolver": await numbersOfQuestions(askByResolver),
    "by the resolver that all share": await numbersOfQuestions(askByModule),
  };
}

module.exports = { draw };
