// The other end of the bare loop, in a process of its own: bare kafkajs with its defaults, which answers each message.
// Arguments: the broker, the topic to read, the topic to write, the bytes of an answer, `at-once` or `one-by-one` (it reads on when
// the broker has the answer). It ends with its input.

import { Kafka, Partitioners } from "kafkajs";

const [broker = "", from = "", to = "", replyBytes = "0", manner = ""] = process.argv.slice(2);
const idLength = 32;

const kafka = new Kafka({ brokers: [broker], logCreator: () => () => undefined });
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
const consumer = kafka.consumer({ groupId: from });

/** In the form of a result ack, so that reading it costs the same. */
function reply(id: string): string {
  const text = JSON.stringify({ response: { activationId: id, response: { statusCode: 0 }, filling: "" } });
  return text.replace('""', `"${"x".repeat(Math.max(0, Number(replyBytes) - text.length))}"`);
}

process.stdin.resume().once("end", () => process.exit(0));
await producer.connect();
await consumer.connect();
await consumer.subscribe({ topic: from, fromBeginning: true });
consumer.on(consumer.events.GROUP_JOIN, () => console.log("ready"));
await consumer.run({
  async eachMessage({ message }) {
    const id = message.value?.toString("latin1", 0, idLength) ?? "";
    const answered = producer.send({ topic: to, messages: [{ value: reply(id) }] });
    if (manner === "one-by-one") await answered;
    else answered.catch(fail);
  },
});

function fail(error: unknown): never {
  console.error(error);
  process.exit(1);
}
