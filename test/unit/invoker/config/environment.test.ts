// Which values an environment sets, under which keys, and which way of setting one wins.

import { expect } from "chai";
import { variableOf } from "../../../../invoker/config/entries.ts";
import { type Environment, gatherSettings } from "../../../../invoker/config/environment.ts";
import { noticesOf } from "../../../../invoker/config/notices.ts";

function valuesOf(environment: Environment): { readonly [key: string]: string | null } {
  const { values, problems } = gatherSettings(environment);
  expect(problems).to.deep.equal([]);
  return Object.fromEntries([...values].map(([key, { text }]) => [key, text]));
}

describe("an environment", () => {
  const cases: readonly {
    readonly it: string;
    readonly environment: Environment;
    readonly sets: { readonly [key: string]: string };
  }[] = [
    {
      it: "turns camel case into kebab case, and leaves what begins with a capital",
      environment: {
        CONFIG_whisk_containerPool_userMemory: "1g",
        CONFIG_whisk_spi_LogStoreProvider: "x",
        CONFIG_whisk_couchdb_databases_WhiskAuth: "y",
        CONFIG_logback_log_level: "INFO",
      },
      sets: {
        "whisk.container-pool.user-memory": "1g",
        "whisk.spi.LogStoreProvider": "x",
        "whisk.couchdb.databases.WhiskAuth": "y",
        "logback.log.level": "INFO",
      },
    },
    {
      it: "skips empty values and names without a key",
      environment: { CONFIG_whisk_memory_max: "", CONFIG_whisk__memory_min: "1m", PORT: "" },
      sets: { "whisk.memory.min": "1m" },
    },
    {
      it: "follows $NAME to a variable that has a value, and takes it as it is where there is none",
      environment: {
        SECRET: "s3cret",
        CONFIG_whisk_couchdb_password: "$SECRET",
        CONFIG_whisk_couchdb_username: "$NOBODY",
      },
      sets: { "whisk.couchdb.password": "s3cret", "whisk.couchdb.username": "$NOBODY" },
    },
    {
      it: "numbers the items of a list, which replaces one of the text",
      environment: {
        OPENWHISK_CONFIG:
          "whisk.container-factory.container-args { dns-servers = [a, b, c], dns-search = [d] }",
        CONFIG_whisk_containerFactory_containerArgs_dnsServers_0: "1.1.1.1",
      },
      sets: {
        "whisk.container-factory.container-args.dns-servers.0": "1.1.1.1",
        "whisk.container-factory.container-args.dns-search.0": "d",
      },
    },
    {
      it: "lets variables win over the text, and the text over METRICS_ variables",
      environment: {
        METRICS_KAMON: "true",
        METRICS_KAMON_TAGS: "true",
        OPENWHISK_CONFIG: "whisk { metrics.kamon-enabled = off, memory { max = 1 g, min = 1 m } }",
        CONFIG_whisk_memory_max: "2g",
      },
      sets: {
        "whisk.metrics.kamon-enabled": "off",
        "whisk.metrics.kamon-tags-enabled": "true",
        "whisk.memory.max": "2g",
        "whisk.memory.min": "1 m",
      },
    },
    {
      it: "prefers the plain text to the encoded one",
      environment: {
        OPENWHISK_CONFIG: "a = plain",
        OPENWHISK_ENCODED_CONFIG: Buffer.from("a = encoded").toString("base64"),
      },
      sets: { a: "plain" },
    },
    {
      it: "knows the defaults and the environment in a reference of the text",
      environment: {
        LIMIT: "300m",
        OPENWHISK_ENCODED_CONFIG: Buffer.from(
          `include classpath("application.conf")\nwhisk.memory { max = \${whisk.memory.max}, std = \${?LIMIT} }`,
        ).toString("base64"),
      },
      sets: { "whisk.memory.max": "512m", "whisk.memory.std": "300m" },
    },
    {
      it: "has plain variables under their own names, and no others",
      environment: { PORT: "8080", KAFKA_HOSTS: "k:9092", HOME: "/root", PATH: "/bin" },
      sets: { PORT: "8080", KAFKA_HOSTS: "k:9092" },
    },
  ];
  for (const { it: name, environment, sets } of cases) {
    it(name, () => {
      const values = valuesOf(environment);
      for (const plain of ["OPENWHISK_CONFIG", "OPENWHISK_ENCODED_CONFIG"]) {
        expect(values[plain]).to.equal(environment[plain]);
      }
      const { OPENWHISK_CONFIG: _, OPENWHISK_ENCODED_CONFIG: __, ...others } = values;
      expect(others).to.deep.equal(sets);
    });
  }

  it("with a text that cannot be read says where", () => {
    const broken = "whisk {\n  memory.max = host:80\n}";
    const encoded = Buffer.from(broken).toString("base64");
    expect(gatherSettings({ OPENWHISK_CONFIG: broken }).problems.join()).to.match(
      /^OPENWHISK_CONFIG line 2: ':' may not stand/,
    );
    expect(gatherSettings({ OPENWHISK_ENCODED_CONFIG: encoded }).problems.join()).to.match(
      /^OPENWHISK_ENCODED_CONFIG line 2: /,
    );
    expect(gatherSettings({ OPENWHISK_ENCODED_CONFIG: broken }).problems.join()).to.match(/is not base64/);
  });

  it("can set each key by the variable that is named for it", () => {
    for (const key of ["whisk.container-pool.user-memory", "whisk.spi.LogStoreProvider", "PORT"]) {
      expect(valuesOf({ [variableOf(key)]: "x" })).to.deep.equal({ [key]: "x" });
    }
  });
});

describe("what operators hear of their settings", () => {
  const noticesFor = (environment: Environment): readonly string[] =>
    noticesOf(gatherSettings(environment).values).map(({ code, setBy, text }) => `${code} ${setBy}: ${text}`);

  it("is nothing of those that are honoured", () => {
    const environment = {
      PORT: "1",
      CONFIG_whisk_kafka_common_saslMechanism: "PLAIN",
      CONFIG_whisk_containerFactory_containerArgs_dnsServers_0: "1.1.1.1",
      CONFIG_whisk_containerFactory_containerArgs_extraArgs_env_0: "A=1",
      CONFIG_rewhisk_rewind: "always",
    };
    expect(noticesFor(environment)).to.deep.equal([]);
  });

  const heard: readonly (readonly [Environment, string])[] = [
    [
      { CONFIG_whisk_kakfa_topics_invoker_segmentBytes: "1" },
      "not-applicable CONFIG_whisk_kakfa_topics_invoker_segmentBytes: A misspelling in OpenWhisk's playbook, without effect in stock either. Set whisk.kafka instead.",
    ],
    [
      { CONFIG_whisk_containerPool_akkaClient: "true" },
      "not-applicable CONFIG_whisk_containerPool_akkaClient: The older name of whisk.container-pool.pekko-client: stock's choice between two HTTP clients; there is one.",
    ],
    [
      { CONFIG_whisk_containerPool_pekkoClient: "true" },
      "not-applicable CONFIG_whisk_containerPool_pekkoClient: Stock's choice between two HTTP clients; there is one.",
    ],
    [
      { OPENWHISK_CONFIG: "akka.http.client.parsing.max-chunk-size = 50m" },
      "not-applicable OPENWHISK_CONFIG line 1: Of the library that stock is built with.",
    ],
    [
      { JAVA_OPTS: "-Xmx2g" },
      "not-applicable JAVA_OPTS: Options of a Java virtual machine; there is none. Authorities to trust for CouchDB go into rewhisk.couchdb.ca.",
    ],
    [
      { CONFIG_whisk_loadbalancer_timeoutFactor: "3" },
      "not-applicable CONFIG_whisk_loadbalancer_timeoutFactor: A matter of the controller.",
    ],
    [
      { CONFIG_whisk_containerPool_userMemmory: "1g" },
      "unknown CONFIG_whisk_containerPool_userMemmory: No such key is known; whisk.container-pool.user-memory is.",
    ],
    [{ CONFIG_my_own_extension: "s3cret" }, "unknown CONFIG_my_own_extension: No such key is known."],
  ];
  for (const [environment, text] of heard) {
    it(`is '${text}'`, () => {
      expect(noticesFor(environment)).to.deep.equal([text]);
    });
  }
});
