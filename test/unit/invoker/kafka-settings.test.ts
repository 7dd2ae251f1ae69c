// Stock's settings of Kafka as this bus reads them: what it takes over, what it refuses, and what means nothing here.

import { expect } from "chai";
import { judge } from "../../../invoker/bus/kafka-errors.ts";
import { type KafkaBlock, readKafkaSettings } from "../../../invoker/bus/kafka-settings.ts";

const nothing = { hosts: "kafka0:9092", common: {}, producer: {}, consumer: {} };
const login = 'x.ScramLoginModule required username="a\\"b" password=plain;';

describe("the settings of Kafka", () => {
  it("are OpenWhisk's own by default", () => {
    const { settings, problems, notApplicable } = readKafkaSettings(nothing);
    expect({ problems, notApplicable }).to.deep.equal({ problems: [], notApplicable: [] });
    expect(settings?.producer).to.include({
      acks: 1,
      requestMs: 30_000,
      metadataMaxAgeMs: 15_000,
      maxRequestBytes: 1_048_576,
    });
    expect(settings?.consumer).to.include({
      sessionMs: 30_000,
      heartbeatMs: 10_000,
      rebalanceMs: 1_800_000,
      fetchMaxWaitMs: 500,
    });
    expect(settings).not.to.have.any.keys("tls", "sasl");
  });

  it("take what holds for all from the common block, and what is said of one side from its own", () => {
    const { settings } = readKafkaSettings({
      ...nothing,
      common: { "metadata-max-age-ms": 1, "session-timeout-ms": "20000" },
      producer: { acks: "all", "metadata-max-age-ms": "2" },
      consumer: { "session-timeout-ms": "", "heartbeat-interval-ms": 500 },
    });
    expect(settings?.producer).to.include({ acks: -1, metadataMaxAgeMs: 2 });
    expect(settings?.consumer).to.include({ metadataMaxAgeMs: 1, sessionMs: 20_000, heartbeatMs: 500 });
  });

  it("name several brokers, and every one that is none", () => {
    const { settings } = readKafkaSettings({ ...nothing, hosts: " a:1, [::1]:2 ,c.d:3" });
    expect(settings?.brokers).to.deep.equal(["a:1", "[::1]:2", "c.d:3"]);
    const { problems } = readKafkaSettings({ ...nothing, hosts: "a,b:2,:3" });
    expect(problems).to.have.length(2);
    expect(readKafkaSettings({ ...nothing, hosts: " " }).problems).to.have.length(1);
  });

  it("are all told of at once where they are wrong", () => {
    const { settings, problems } = readKafkaSettings({
      hosts: "",
      common: { "security-protocol": "TLS" },
      producer: { acks: "2", "request-timeout-ms": "soon" },
      consumer: { "heartbeat-interval-ms": 30_000 },
    });
    expect(settings).to.equal(undefined);
    for (const word of [
      "KAFKA_HOSTS",
      "security-protocol",
      "acks",
      "request.timeout.ms",
      "heartbeat-interval-ms",
    ]) {
      expect(
        problems.filter((problem) => problem.includes(word)),
        word,
      ).to.have.length(1);
    }
  });

  it("say of what means nothing here why", () => {
    const common: KafkaBlock = {
      "interceptor-classes": "x",
      "ssl-protocol": "",
      "security-protocol": "PLAINTEXT",
    };
    const consumer: KafkaBlock = {
      "enable-auto-commit": false,
      "auto-offset-reset": "latest",
      "fetch-min-bytes": 1,
    };
    const { notApplicable } = readKafkaSettings({ ...nothing, common, consumer });
    const keys = ["whisk.kafka.common.interceptor-classes", "whisk.kafka.consumer.auto-offset-reset"];
    expect(notApplicable.map(({ key }) => key)).to.deep.equal(keys);
    expect(notApplicable[1]?.reason).to.contain("earliest");
  });

  it("read a login out of a JAAS line", () => {
    const common = {
      "security-protocol": "SASL_SSL",
      "sasl-mechanism": "SCRAM-SHA-512",
      "sasl-jaas-config": login,
    };
    const { settings } = readKafkaSettings({ ...nothing, common });
    expect(settings?.sasl).to.deep.equal({ mechanism: "scram-sha-512", username: 'a"b', password: "plain" });
    expect(settings?.tls).to.be.an("object");
    const without = readKafkaSettings({
      ...nothing,
      common: { ...common, "sasl-jaas-config": "x required;" },
    });
    expect(without.problems.join()).to.contain("sasl-jaas-config");
    const kerberos = readKafkaSettings({ ...nothing, common: { ...common, "sasl-mechanism": "GSSAPI" } });
    expect(kerberos.problems.join()).to.contain("GSSAPI");
  });
});

describe("an error of Kafka", () => {
  const ofType = (type: string): Error => Object.assign(new Error(type), { type });

  for (const [type, verdict] of [
    ["MESSAGE_TOO_LARGE", "too-large"],
    ["RECORD_LIST_TOO_LARGE", "too-large"],
    ["NOT_ENOUGH_REPLICAS_AFTER_APPEND", "taken"],
    ["REQUEST_TIMED_OUT", "taken"],
    ["TOPIC_AUTHORIZATION_FAILED", "refused"],
    ["UNKNOWN_TOPIC_OR_PARTITION", "missing"],
    ["NOT_LEADER_FOR_PARTITION", "again"],
  ] as const) {
    it(`${type} means "${verdict}", however deep it is wrapped`, () => {
      const wrapped = new Error("outer", { cause: new Error("inner", { cause: ofType(type) }) });
      expect([judge(ofType(type)), judge(wrapped)]).to.deep.equal([verdict, verdict]);
    });
  }

  it("without an answer of the broker means that it is tried again", () => {
    expect(judge(new Error("connect ECONNREFUSED"))).to.equal("again");
    expect(judge("no error at all")).to.equal("again");
  });
});
