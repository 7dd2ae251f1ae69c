// The bus over Kafka with TLS and SASL, from OpenWhisk's own keys, and what it says of files and passwords that do not fit.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type KafkaBlock, KafkaBusError, readKafkaSettings } from "../../invoker/bus/kafka.ts";
import { within } from "../within.ts";
import { Authority, asPkcs12 } from "./certificates.ts";
import { KafkaSetting } from "./kafka-setting.ts";

const patienceMs = 60_000;

/** Sends and reads one message. */
async function roundTrip(setting: KafkaSetting, common: KafkaBlock, hosts?: string): Promise<void> {
  const topic = await setting.topic();
  const { bus } = setting.open(8, { common }, hosts);
  await bus.send(topic, "x");
  const seen: string[] = [];
  const subscription = bus.subscribe(topic, (message) => {
    seen.push(message);
  });
  await within(patienceMs, () => seen.length === 1 || undefined);
  await subscription.stop();
}

/** What a bus says that cannot get through. */
async function refusal(setting: KafkaSetting, common: KafkaBlock, hosts?: string): Promise<string> {
  const { bus } = setting.open(8, { common }, hosts);
  const settings = { partitions: 1, replicationFactor: 1, config: {} };
  const error = await bus.ensureTopic("never", settings).catch((caught: unknown) => caught);
  expect(error).to.be.instanceOf(KafkaBusError).and.include({ code: "topic" });
  return (error as Error).message;
}

describe("the bus over Kafka with TLS", function () {
  this.timeout(120_000);
  let setting: KafkaSetting;
  let folder: string;
  let ours: Authority;
  let client: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-tls-"));
    ours = new Authority(folder, "ours");
    const broker = ours.issue("broker");
    client = ours.issue("client");
    setting = await KafkaSetting.start({
      protocol: "SSL",
      properties: {
        ...{ "ssl.keystore.type": "PEM", "ssl.keystore.location": broker },
        ...{
          "ssl.truststore.type": "PEM",
          "ssl.truststore.location": ours.file,
          "ssl.client.auth": "required",
        },
      },
    });
  });
  after(async () => {
    await setting.close();
    rmSync(folder, { recursive: true });
  });

  const withStores = (keystore: string, truststore: string): KafkaBlock => ({
    "security-protocol": "SSL",
    "ssl-keystore-location": keystore,
    "ssl-truststore-location": truststore,
  });

  it("gets through with a certificate of its own, and does not check the host's name unless told to", () =>
    roundTrip(setting, withStores(client, ours.file)));

  it("takes a PKCS#12 file with its password", () => {
    const common = {
      ...withStores(asPkcs12(client, "secret"), ours.file),
      "ssl-keystore-password": "secret",
    };
    return roundTrip(setting, common);
  });

  it("checks the host's name when told to", async () => {
    const common = { ...withStores(client, ours.file), "ssl-endpoint-identification-algorithm": "https" };
    await roundTrip(setting, common);
    const byName = setting.broker.bootstrap.replace("127.0.0.1", "localhost");
    expect(await refusal(setting, common, byName)).to.match(/altnames/i);
    await roundTrip(setting, withStores(client, ours.file), byName);
  });

  it("is refused without a certificate, and refuses an authority it does not know", async () => {
    const { "ssl-keystore-location": _, ...without } = withStores(client, ours.file);
    await refusal(setting, without);
    const theirs = new Authority(folder, "theirs");
    expect(await refusal(setting, withStores(client, theirs.file))).to.match(/certificate/i);
    await refusal(setting, withStores(theirs.issue("stranger"), ours.file));
  });

  it("is refused in plain text", async () => {
    await refusal(setting, { "request-timeout-ms": 1_000 });
  });

  it("takes JKS files, which OpenWhisk's playbooks make", () => {
    const [keys, trust] = [join(folder, "client.jks"), join(folder, "trust.jks")];
    importKey(asPkcs12(client, "secret"), keys);
    importTrust(ours.file, trust, "JKS");
    const passwords = { "ssl-keystore-password": "secret", "ssl-truststore-password": "secret" };
    return roundTrip(setting, { ...withStores(keys, trust), ...passwords });
  });

  it("says what is wrong with a store that it cannot read", () => {
    const read = (common: KafkaBlock): string =>
      readKafkaSettings({ hosts: "127.0.0.1:1", common, producer: {}, consumer: {} }).problems.join("\n");
    const pkcs12 = asPkcs12(client, "secret");
    const [keys, trust, trustPkcs12] = [
      join(folder, "keys.jks"),
      join(folder, "t.jks"),
      join(folder, "t.p12"),
    ];
    importKey(pkcs12, keys);
    importTrust(ours.file, trust, "JKS");
    importTrust(ours.file, trustPkcs12, "PKCS12");
    const right = { "ssl-keystore-password": "secret" };
    const wrong = { "ssl-keystore-password": "wrong!" };
    expect(read(withStores(client, trustPkcs12))).to.contain(`openssl pkcs12 -nokeys -in ${trustPkcs12} >`);
    for (const file of [pkcs12, keys]) {
      expect(read(withStores(file, ours.file))).to.contain("needs ssl-keystore-password");
      expect(read({ ...withStores(file, ours.file), ...wrong })).to.match(
        /mac verify failure|password is wrong/i,
      );
      expect(read({ ...withStores(file, ours.file), ...right })).to.equal("");
    }
    const wrongKey = { ...right, "ssl-key-password": "wrong!" };
    expect(read({ ...withStores(keys, ours.file), ...wrongKey })).to.contain("password of the key is wrong");
    expect(read({ ...withStores(trust, ours.file), ...right })).to.contain("holds no private key");
    const wrongTrust = { ...withStores(client, trust), "ssl-truststore-password": "wrong!" };
    expect(read(wrongTrust)).to.contain("ssl-truststore-location").and.contain("password is wrong");
    expect(read(withStores(join(folder, "nothing"), ours.file)))
      .to.contain("ssl-keystore-location")
      .and.contain("ENOENT");
    expect(read(withStores(client, trust))).to.equal("");
  });
});

function importTrust(certificate: string, keystore: string, type: string): void {
  const options = ["-keystore", keystore, "-storetype", type, "-storepass", "secret", "-noprompt"];
  execFileSync("keytool", ["-importcert", "-alias", "ca", "-file", certificate, ...options], {
    stdio: "pipe",
  });
}

/** A JKS file with the key of a PKCS#12 file, the password of both being `secret`. */
function importKey(pkcs12: string, keystore: string): void {
  const source = ["-srckeystore", pkcs12, "-srcstorepass", "secret"];
  const options = [
    "-destkeystore",
    keystore,
    "-deststoretype",
    "JKS",
    "-deststorepass",
    "secret",
    "-noprompt",
  ];
  execFileSync("keytool", ["-importkeystore", ...source, ...options], { stdio: "pipe" });
}

describe("the bus over Kafka with SASL", function () {
  this.timeout(120_000);
  let setting: KafkaSetting;
  const login = "org.apache.kafka.common.security";

  before(async () => {
    setting = await KafkaSetting.start({
      protocol: "SASL_PLAINTEXT",
      properties: {
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
        "listener.name.client.plain.sasl.jaas.config": `${login}.plain.PlainLoginModule required user_ann="pl4in";`,
        "listener.name.client.scram-sha-256.sasl.jaas.config": `${login}.scram.ScramLoginModule required;`,
        "listener.name.client.scram-sha-512.sasl.jaas.config": `${login}.scram.ScramLoginModule required;`,
      },
      format: ["256", "512"].flatMap((bits) => [
        "--add-scram",
        `SCRAM-SHA-${bits}=[name=ann,password=scr4m]`,
      ]),
    });
  });
  after(() => setting.close());

  const withLogin = (mechanism: string, password: string): KafkaBlock => ({
    "security-protocol": "SASL_PLAINTEXT",
    "sasl-mechanism": mechanism,
    "sasl-jaas-config": `${login}.LoginModule required username="ann" password="${password}";`,
  });

  for (const [mechanism, password] of [
    ["PLAIN", "pl4in"],
    ["SCRAM-SHA-256", "scr4m"],
    ["SCRAM-SHA-512", "scr4m"],
  ] as const) {
    it(`gets through with ${mechanism}, and is refused with a wrong password`, async () => {
      await roundTrip(setting, withLogin(mechanism, password));
      expect(await refusal(setting, withLogin(mechanism, "wrong"))).to.match(/authentication|credentials/i);
    });
  }
});
