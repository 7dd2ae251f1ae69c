// A cluster's settings as one value: each key's place in it, and everything that is wrong said at once.

import { expect } from "chai";
import type { ClusterSettings } from "../../../../invoker/config/cluster-settings.ts";
import { settingEntries, variableOf } from "../../../../invoker/config/entries.ts";
import type { Environment } from "../../../../invoker/config/environment.ts";
import {
  readClusterSettings,
  readUserEvents,
  SettingsError,
} from "../../../../invoker/config/read-cluster.ts";

/** No more than what is needed. */
const least: Environment = {
  KAFKA_HOSTS: "kafka0:9093, kafka1:9093",
  WHISK_API_HOST_NAME: "api.example",
  RUNTIMES_MANIFEST: "{}",
  CONFIG_whisk_couchdb_protocol: "http",
  CONFIG_whisk_couchdb_host: "couch",
  CONFIG_whisk_couchdb_port: "5984",
  CONFIG_whisk_couchdb_username: "invoker",
  CONFIG_whisk_couchdb_password: "s3cret",
  CONFIG_whisk_couchdb_databases_WhiskAuth: "subjects",
  CONFIG_whisk_couchdb_databases_WhiskEntity: "whisks",
  CONFIG_whisk_couchdb_databases_WhiskActivation: "activations",
};

function read(more: Environment = {}): ClusterSettings {
  return readClusterSettings({ ...least, ...more }).settings;
}

function problems(environment: Environment): readonly string[] {
  try {
    readClusterSettings(environment);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

const core = "org.apache.openwhisk.core";
const s3: Environment = {
  CONFIG_whisk_spi_AttachmentStoreProvider: `${core}.database.s3.S3AttachmentStoreProvider`,
  CONFIG_whisk_s3_bucket: "code",
};

describe("a cluster's settings", () => {
  it("are stock's defaults where nothing is said", () => {
    const settings = read();
    expect(settings.invoker.pool.userMemoryMB).to.equal(1024);
    expect(settings.invoker).to.deep.include({
      memoryMB: { min: 128, max: 512, std: 256 },
      timeoutMs: { min: 100, max: 300_000, std: 60_000 },
      payloadBytes: 2 ** 20,
      storeBlocking: "STORE_ALWAYS",
      logLevel: "info",
    });
    expect(settings.kafka.largestMessageBytes).to.equal(1_054_644);
    expect(settings.kafka.connection.brokers).to.deep.equal(["kafka0:9093", "kafka1:9093"]);
    expect(settings.kafka.connection.producer.maxRequestBytes).to.equal(1_054_644);
    expect(settings.kafka.topics.invoker).to.deep.equal({
      partitions: 1,
      replicationFactor: 1,
      config: {
        "segment.bytes": "536870912",
        "retention.bytes": "1073741824",
        "retention.ms": "172800000",
        "max.message.bytes": "1054644",
      },
    });
    expect(settings.kafka.topics.health.config).to.not.have.property("max.message.bytes");
    expect(settings.couchdb).to.deep.include({
      ...{ protocol: "http", host: "couch", port: 5984, blockedPollMs: 300_000 },
      databases: { subjects: "subjects", whisks: "whisks", activations: "activations" },
    });
    expect(settings.http).to.deep.include({ port: 8080, tls: undefined, showsMetrics: false });
    expect(settings.apiHost).to.equal("https://api.example");
    expect(settings.invoker.userEvents).to.equal(undefined);
    expect(settings.invoker.loggedErrors).to.deep.equal({
      application: false,
      developer: false,
      whisk: true,
    });
    expect(readClusterSettings(least).notices).to.deep.equal([]);
  });

  const places: readonly (readonly [string, Environment, (settings: ClusterSettings) => unknown, unknown])[] =
    [
      [
        "user memory",
        { CONFIG_whisk_containerPool_userMemory: "2048m" },
        (s) => s.invoker.pool.userMemoryMB,
        2048,
      ],
      [
        "how containers are made and used",
        {
          CONFIG_rewhisk_rewind: "fresh",
          CONFIG_rewhisk_boots: "true",
          CONFIG_rewhisk_libraries: "python:3=numpy",
        },
        ({ invoker: { pool } }) => [pool.rewind, pool.boots, pool.libraries],
        ["fresh", true, [{ kind: "python:3", modules: ["numpy"], count: 1, memoryMB: 256 }]],
      ],
      [
        "how containers are made and used, where nothing is said",
        {},
        ({ invoker: { pool } }) => [pool.rewind, pool.boots, pool.libraries],
        ["always", false, []],
      ],
      [
        "templates that outlive it",
        { CONFIG_rewhisk_storedTemplates: "true" },
        (s) => s.storesTemplates,
        true,
      ],
      ["no such templates, where nothing is said", {}, (s) => s.storesTemplates, false],
      ["disk for unpacked archives", { CONFIG_rewhisk_codeStore_size: "2048m" }, (s) => s.codeStoreMB, 2048],
      ["disk for unpacked archives, where nothing is said", {}, (s) => s.codeStoreMB, 0],
      [
        "decimal memory",
        { CONFIG_whisk_containerPool_userMemory: "2GB" },
        (s) => s.invoker.pool.userMemoryMB,
        1907,
      ],
      [
        "a larger payload makes larger messages",
        { CONFIG_whisk_activation_payload_max: "5 m" },
        (s) => [s.invoker.payloadBytes, s.kafka.topics.completed.config["max.message.bytes"]],
        [5_242_880, "5248948"],
      ],
      [
        "partitions",
        { CONFIG_whisk_kafka_topics_invoker_partitions: "3", CONFIG_whisk_kafka_replicationFactor: "2" },
        (s) => {
          const { config, ...plan } = s.kafka.topics.invoker;
          return [plan, Object.keys(config)];
        },
        [
          { partitions: 3, replicationFactor: 2 },
          ["segment.bytes", "retention.bytes", "retention.ms", "max.message.bytes"],
        ],
      ],
      [
        "key stores of a cluster without TLS",
        { CONFIG_whisk_kafka_common_sslTruststoreLocation: "/conf/nobody.jks" },
        (s) => s.kafka.connection.tls,
        undefined,
      ],
      [
        "SASL",
        {
          CONFIG_whisk_kafka_common_securityProtocol: "SASL_PLAINTEXT",
          CONFIG_whisk_kafka_common_saslMechanism: "PLAIN",
          CONFIG_whisk_kafka_common_saslJaasConfig: 'x.PlainLoginModule required username="u" password="p";',
        },
        (s) => s.kafka.connection.sasl,
        { mechanism: "plain", username: "u", password: "p" },
      ],
      [
        "tags and namespaces",
        { CONFIG_whisk_invoker_resource_tags: " 'a,b' ", CONFIG_whisk_invoker_dedicated_namespaces: " '' " },
        (s) => [s.invoker.tags, s.invoker.dedicatedNamespaces],
        [["a", "b"], []],
      ],
      [
        "limits of namespaces",
        {
          CONFIG_whisk_namespaceDefaultLimit_memory_max: "256m",
          CONFIG_whisk_namespaceDefaultLimit_timeLimit_min: "1 s",
          CONFIG_whisk_namespaceDefaultLimit_activation_payload_max: "100k",
        },
        (s) => s.invoker.namespaceDefaults,
        {
          memoryMB: { max: 256 },
          timeoutMs: { min: 1000 },
          logsMB: {},
          concurrency: {},
          payloadBytes: 102_400,
        },
      ],
      [
        "keys of parameters",
        { "CONFIG_whisk_parameterStorage_aes-128": Buffer.alloc(16, 7).toString("base64") },
        (s) => s.invoker.argumentKeys,
        { "aes-128": Buffer.alloc(16, 7) },
      ],
      [
        "user events",
        { CONFIG_whisk_userEvents_enabled: "true", CONFIG_whisk_kafka_topics_userEvent_prefix: "u-" },
        (s) => s.invoker.userEvents,
        { topicPrefix: "u-" },
      ],
      [
        "tracing",
        {
          CONFIG_whisk_tracing_component: "Invoker0",
          CONFIG_whisk_tracing_zipkin_url: "http://zipkin:9411",
          CONFIG_whisk_tracing_zipkin_sampleRate: "0.01",
        },
        (s) => s.tracing,
        { component: "Invoker0", url: "http://zipkin:9411", sampleRate: 0.01 },
      ],
      ["tracing without Zipkin", { CONFIG_whisk_tracing_component: "x" }, (s) => s.tracing, undefined],
      [
        "attachments in S3",
        {
          ...s3,
          CONFIG_whisk_s3_prefix: "west",
          CONFIG_whisk_s3_alpakka_aws_credentials_provider: "static",
          CONFIG_whisk_s3_alpakka_aws_credentials_accessKeyId: "id",
          CONFIG_whisk_s3_alpakka_aws_credentials_secretAccessKey: "s3cret",
          CONFIG_whisk_s3_alpakka_aws_region_provider: "static",
          CONFIG_whisk_s3_alpakka_aws_region_defaultRegion: "us-west-2",
          CONFIG_whisk_s3_alpakka_endpointUrl: "http://minio:9000",
        },
        (s) => s.couchdb.s3,
        {
          ...{ bucket: "code", prefix: "west", region: "us-west-2", endpoint: "http://minio:9000" },
          ...{ pathStyle: true, credentials: { accessKeyId: "id", secretAccessKey: "s3cret" } },
        },
      ],
      [
        "attachments in S3, as newer versions and a whole file say it, and AWS's own variables",
        {
          ...{ ...s3, AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "s3cret", AWS_SESSION_TOKEN: "t" },
          AWS_REGION: "eu-west-1",
          OPENWHISK_CONFIG: `include classpath("s3-reference.conf")
            whisk.s3.pekko-connectors { path-style-access = false, proxy { host = "", port = 8000 }, aws.region.provider = default }`,
        },
        (s) => s.couchdb.s3,
        {
          ...{ bucket: "code", region: "eu-west-1", pathStyle: false },
          credentials: { accessKeyId: "id", secretAccessKey: "s3cret", sessionToken: "t" },
        },
      ],
      [
        "attachments in S3 for everybody",
        { ...s3, CONFIG_whisk_s3_alpakka_aws_credentials_provider: "anon", AWS_REGION: "eu-west-1" },
        (s) => s.couchdb.s3,
        { bucket: "code", region: "eu-west-1", pathStyle: true },
      ],
      ["a bucket that is not asked for", { CONFIG_whisk_s3_bucket: "code" }, (s) => s.couchdb.s3, undefined],
      [
        "the older store switch",
        { CONFIG_whisk_activation_disableStoreResult: "true" },
        (s) => s.invoker.storeBlocking,
        "STORE_FAILURES",
      ],
      [
        "the older store switch beside a level that cannot be read",
        {
          CONFIG_whisk_activation_disableStoreResult: "true",
          CONFIG_whisk_activation_storeBlockingResultLevel: "SOME",
        },
        (s) => s.invoker.storeBlocking,
        "STORE_FAILURES",
      ],
      [
        "no older store switch in a cluster later than 1.0.0",
        {
          CONFIG_whisk_activation_disableStoreResult: "true",
          CONFIG_whisk_spi_InvokerProvider: `${core}.invoker.InvokerReactive`,
        },
        (s) => s.invoker.storeBlocking,
        "STORE_ALWAYS",
      ],
      [
        "levels of stored records in small letters",
        {
          CONFIG_whisk_activation_storeBlockingResultLevel: "store_failures",
          CONFIG_whisk_activation_storeNonBlockingResultLevel: "store_failures",
        },
        (s) => [s.invoker.storeBlocking, s.invoker.storeNonBlocking],
        ["STORE_FAILURES", "STORE_FAILURES"],
      ],
      [
        "the newer one beside it",
        {
          CONFIG_whisk_activation_disableStoreResult: "true",
          CONFIG_whisk_activation_storeBlockingResultLevel: "STORE_ALWAYS",
        },
        (s) => s.invoker.storeBlocking,
        "STORE_ALWAYS",
      ],
      [
        "environment and options of containers",
        {
          CONFIG_whisk_containerFactory_containerArgs_extraEnvVars_0: "__OW_ALLOW_CONCURRENT=True",
          CONFIG_whisk_containerFactory_containerArgs_extraEnvVars_1: "OWN",
          OWN: "the invoker's own",
          CONFIG_whisk_containerFactory_containerArgs_extraEnvVars_10: "A=b=c",
          OPENWHISK_CONFIG:
            'whisk.container-factory.container-args.extra-args { label = [x, y], ulimit = ["nofile=9"] }',
        },
        (s) => [s.docker.environment, s.docker.extraArgs],
        [
          { __OW_API_HOST: "https://api.example", __OW_ALLOW_CONCURRENT: "True", OWN: "", A: "b=c" },
          { label: ["x", "y"], ulimit: ["nofile=9"] },
        ],
      ],
      [
        "name servers, an empty one left out",
        {
          CONFIG_whisk_containerFactory_containerArgs_dnsServers_0: "8.8.8.8",
          CONFIG_whisk_containerFactory_containerArgs_dnsServers_1: "8.8.4.4",
        },
        (s) => s.docker.dnsServers,
        ["8.8.8.8", "8.8.4.4"],
      ],
      [
        "any number of runs, and no time-out",
        { CONFIG_whisk_docker_client_parallelRuns: "0", CONFIG_whisk_docker_client_timeouts_pull: "Inf" },
        (s) => [s.docker.parallelRuns, s.docker.timeouts.pullMs],
        [0, Number.POSITIVE_INFINITY],
      ],
      [
        "checks of containers that are made ahead, at stock's period",
        { CONFIG_whisk_containerProxy_actionHealthCheck_enabled: "true" },
        (s) => s.docker.vigil,
        { everyMs: 3000, failsMax: 3 },
      ],
      ["no such checks", {}, (s) => s.docker.vigil, undefined],
      [
        "HTTPS",
        {
          CONFIG_whisk_invoker_protocol: "https",
          CONFIG_whisk_invoker_https_keystorePath: "/conf/k.p12",
          CONFIG_whisk_invoker_https_clientAuth: "true",
        },
        (s) => s.http.tls,
        { keystorePath: "/conf/k.p12", keystorePassword: "", keystoreFlavor: "PKCS12", clientAuth: true },
      ],
      [
        "metrics",
        { METRICS_KAMON: "true", OPENWHISK_CONFIG: "whisk.metrics.prometheus-enabled = true" },
        (s) => s.http.showsMetrics,
        true,
      ],
      [
        "logs collected by somebody else",
        { CONFIG_whisk_spi_LogStoreProvider: `${core}.containerpool.logging.LogDriverLogStoreProvider` },
        (s) => s.invoker.logStore,
        "none",
      ],
      [
        "logs in files too",
        {
          CONFIG_whisk_spi_LogStoreProvider: `${core}.containerpool.logging.DockerToActivationFileLogStoreProvider`,
        },
        (s) => s.invoker.logStore,
        "record-and-file",
      ],
      ...Object.entries({ WARN: "warn", info: "info", ALL: "trace", Trace: "trace", off: "silent" }).map(
        ([text, level]) =>
          [
            `the log's level ${text}`,
            { CONFIG_logback_log_level: text },
            (s: ClusterSettings) => s.invoker.logLevel,
            level,
          ] as const,
      ),
      [
        "default kinds",
        {
          RUNTIMES_MANIFEST: JSON.stringify({
            runtimes: { nodejs: [{ kind: "nodejs:22", image: { name: "n" } }] },
          }),
        },
        (s) => s.invoker.defaultKinds,
        { nodejs: "nodejs:22" },
      ],
    ];
  for (const [name, environment, place, wanted] of places) {
    it(`hold: ${name}`, () => {
      expect(place(read(environment))).to.deep.equal(wanted);
    });
  }

  const malformed: readonly (readonly [string, string, RegExp])[] = [
    ["CONFIG_whisk_containerPool_userMemory", "2 gigs", / is '2 gigs': it must be a size, such as 2048m$/],
    ["CONFIG_whisk_containerPool_userMemory", "0", /must be at least 1MB$/],
    [
      "CONFIG_whisk_containerPool_userMemory",
      "127m",
      /user-memory: 127 MB have no room for any action, the smallest has 128 MB \(whisk\.memory\.min\)$/,
    ],
    [
      "CONFIG_whisk_containerFactory_containerArgs_extraArgs_publish_0",
      "80:80",
      /^CONFIG_\S+_extraArgs_publish_0: --publish cannot be given to Docker's API; leave it out$/,
    ],
    [
      "CONFIG_whisk_containerFactory_containerArgs_extraArgs_pidsLimit_0",
      "many",
      /^CONFIG_\S+_extraArgs_pidsLimit_0 is 'many': --pids-limit takes a whole number$/,
    ],
    [
      "OPENWHISK_CONFIG",
      'whisk.container-factory.container-args.extra-args.ulimit = ["nproc=5", "nofile"]',
      /^OPENWHISK_CONFIG line 1, whisk\.\S+\.extra-args\.ulimit\.1 is 'nofile': --ulimit takes a name and its limits/,
    ],
    [
      "CONFIG_rewhisk_images_layout",
      "/nowhere",
      /^CONFIG_rewhisk_images_layout is '\/nowhere': it has no index\.json; name the folder of an OCI layout$/,
    ],
    ["CONFIG_logback_log_level", "loud", /must be ALL or TRACE or /],
    ["CONFIG_whisk_containerPool_concurrentPeekFactor", "0", /must be above 0$/],
    ["CONFIG_whisk_containerPool_concurrentPeekFactor", "1.1", /must be at most 1$/],
    ["CONFIG_whisk_timeLimit_max", "5", /must be a duration with its unit, such as 10 seconds$/],
    ["CONFIG_whisk_timeLimit_max", "Inf", /must be finite$/],
    ["CONFIG_whisk_blacklist_pollInterval", "30 d", /must be at most 2147483647ms$/],
    ["CONFIG_whisk_memory_min", "512k", /must be at least 1MB$/],
    [
      "CONFIG_whisk_transactions_header",
      "X Request",
      / is 'X Request': it must be the name of an HTTP header$/,
    ],
    ["CONFIG_whisk_memory_max", "100m", /whisk\.memory: min 128 is above max 100$/],
    ["CONFIG_whisk_userEvents_enabled", "maybe", /must be true or false$/],
    ["CONFIG_whisk_docker_client_parallelRuns", "ten", /must be a whole number$/],
    ["CONFIG_whisk_docker_client_parallelRuns", "1.5", /must be a whole number$/],
    ["CONFIG_whisk_kafka_replicationFactor", "x", /must be a whole number$/],
    ["CONFIG_whisk_invoker_protocol", "ftp", /must be http or https$/],
    ["CONFIG_whisk_invoker_protocol", "https", /keystorePath is not set: give the key store/],
    [
      "CONFIG_whisk_activation_storeBlockingResultLevel",
      "SOME",
      /must be STORE_ALWAYS or STORE_FAILURES or /,
    ],
    ["CONFIG_whisk_parameterStorage_current", "rot13", /must be off or noop or aes-128 or aes-256$/],
    ["CONFIG_whisk_parameterStorage_aes-256", "c2hvcnQ=", /^CONFIG_\S+: it must be 32 bytes in base64$/],
    ["CONFIG_whisk_kafka_topics_invoker_partitions", "none", /whole number from 1 on$/],
    [
      "CONFIG_rewhisk_couchdb_ca",
      "/nowhere/ca.pem",
      /is '\/nowhere\/ca\.pem': it must be a PEM file that can be read \(ENOENT/,
    ],
    ["CONFIG_rewhisk_couchdb_ca", "package.json", /is 'package\.json': there is no certificate in that file/],
    ["CONFIG_whisk_couchdb_port", "70000", /must be at most 65535$/],
    [
      "CONFIG_whisk_tracing_zipkin_url",
      "http://zipkin:9411",
      /needs whisk\.tracing\.zipkin\.sample-rate beside it$/,
    ],
    ["CONFIG_whisk_tracing_zipkin_sampleRate", "0.5", /needs whisk\.tracing\.zipkin\.url beside it$/],
    ["CONFIG_whisk_tracing_zipkin_sampleRate", "2", /must be at most 1$/],
    ["KAFKA_HOSTS", "kafka0", /KAFKA_HOSTS has "kafka0": give host:port/],
    ["KAFKA_HOSTS", "h:99999", /^KAFKA_HOSTS has "h:99999": give host:port, with a port from 1 to 65535$/],
    ["KAFKA_HOSTS", "h:0", /has "h:0"/],
    ["PORT", "x", /^PORT is 'x': it must be a whole number$/],
    ["RUNTIMES_MANIFEST", "{", /^RUNTIMES_MANIFEST, it is no JSON/],
    [
      "CONFIG_whisk_spi_InvokerProvider",
      `${core}.invoker.FPCInvokerReactive`,
      /scheduler's mode is not supported.*set org\.apache\.openwhisk\.core\.invoker\.InvokerReactive here/,
    ],
    [
      "CONFIG_whisk_spi_ContainerFactoryProvider",
      `${core}.containerpool.kubernetes.KubernetesContainerFactoryProvider`,
      /made here or by Docker: leave it unset$/,
    ],
    [
      "CONFIG_whisk_spi_ActivationStoreProvider",
      `${core}.database.elasticsearch.ElasticSearchActivationStoreProvider`,
      /kept in CouchDB: leave it unset$/,
    ],
    [
      "CONFIG_whisk_spi_LogStoreProvider",
      "com.example.Mine",
      /class is not known here, .*leave it unset, or set org\S+DockerToActivationLogStoreProvider or /,
    ],
  ];
  for (const [variable, text, wanted] of malformed) {
    it(`are refused with ${variable}=${text}`, () => {
      const found = problems({ ...least, [variable]: text });
      expect(found).to.have.length(1);
      expect(found[0]).to.match(wanted);
    });
  }

  const args = "CONFIG_whisk_containerFactory_containerArgs";
  const misplaced: readonly (readonly [Environment, RegExp])[] = [
    [
      { [`${args}_dnsServers`]: "8.8.8.8" },
      /^CONFIG_\S+_dnsServers: \S+dns-servers is a list: number its items, as in CONFIG_\S+_dnsServers_0$/,
    ],
    // A variable is a text, whatever it looks like: stock makes no list of it either.
    [{ [`${args}_dnsServers`]: '["8.8.8.8","1.1.1.1"]' }, /dns-servers is a list: number its items/],
    [{ [`${args}_dnsSearch_first`]: "a" }, /dns-search is a list: number its items/],
    [{ [`${args}_extraEnvVars`]: "A=s3cret" }, /extra-env-vars is a list: number its items/],
    [
      { [`${args}_extraEnvVars`]: "A=s3cret", [`${args}_extraEnvVars_0`]: "B=c" },
      /_extraEnvVars: \S+ is a list/,
    ],
    [
      { [`${args}_extraArgs`]: '{"env":["x"]}' },
      /has a list for each name: set CONFIG_\S+_extraArgs_<name>_0/,
    ],
    [{ [`${args}_extraArgs_env`]: "x" }, /has a list for each name/],
    [
      { CONFIG_whisk_containerPool: "x" },
      /^CONFIG_whisk_containerPool: whisk\.container-pool is a section: set what is in it, such as whisk\.container-pool\.\S+$/,
    ],
    [{ CONFIG_whisk_couchdb: "s3cret" }, /^CONFIG_whisk_couchdb: whisk\.couchdb is a section/],
    [{ CONFIG_whisk_kafka_common: "x" }, /whisk\.kafka\.common is a section/],
    [
      { OPENWHISK_CONFIG: "\nwhisk.spi = x" },
      /^OPENWHISK_CONFIG line 2, whisk\.spi: whisk\.spi is a section/,
    ],
    [
      { CONFIG_whisk_memory_max: "1g", CONFIG_whisk_memory_max_std: "1g" },
      /^CONFIG_whisk_memory_max_std: whisk\.memory\.max is a single value, and nothing can be below it$/,
    ],
    [{ OPENWHISK_CONFIG: "whisk.memory.max = [1g]" }, /whisk\.memory\.max is a single value/],
  ];
  for (const [environment, wanted] of misplaced) {
    it(`are refused with ${JSON.stringify(environment)}, which would be lost`, () => {
      const found = problems({ ...least, ...environment });
      expect(found).to.have.length(1);
      expect(found[0]).to.match(wanted).and.not.contain("s3cret");
    });
  }

  for (const url of ["zipkin:9411", "ftp://zipkin", "zipkin"]) {
    it(`are refused with ${url} for Zipkin`, () => {
      const rate = { CONFIG_whisk_tracing_zipkin_sampleRate: "1" };
      expect(problems({ ...least, ...rate, CONFIG_whisk_tracing_zipkin_url: url })).to.deep.equal([
        `CONFIG_whisk_tracing_zipkin_url is '${url}': it must be a URL such as http://zipkin:9411`,
      ]);
    });
  }

  const known = { AWS_REGION: "eu-west-1", AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "s3cret" };
  const anywhere = "CONFIG_whisk_s3_alpakka";
  for (const [what, environment, wanted] of [
    ["no bucket", { CONFIG_whisk_s3_bucket: "" }, /^CONFIG_whisk_s3_bucket is not set/],
    ["no region", { AWS_REGION: "" }, /^whisk\.s3\.alpakka\.aws\.region\.provider: .* set AWS_REGION$/],
    ["no key", { AWS_SECRET_ACCESS_KEY: "" }, /set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY$/],
    ["half a static key", { [`${anywhere}_aws_credentials_provider`]: "static" }, /needs access-key-id and/],
    [
      "an unknown way to keys",
      { [`${anywhere}_aws_credentials_provider`]: "vault" },
      /static, anon or default$/,
    ],
    [
      "half a static region",
      { [`${anywhere}_aws_region_provider`]: "static" },
      /needs default-region beside it$/,
    ],
    ["an unknown way to a region", { [`${anywhere}_aws_region_provider`]: "sky" }, /static or default$/],
    ["a proxy", { [`${anywhere}_proxy_host`]: "proxy" }, /proxy\.host: S3 is reached without a proxy here/],
    [
      "a newer proxy",
      { CONFIG_whisk_s3_pekkoConnectors_forwardProxy_host: "p" },
      /pekko-connectors\.forward-proxy/,
    ],
    [
      "an endpoint without a scheme",
      { [`${anywhere}_endpointUrl`]: "minio:9000" },
      /endpoint-url: it must be a URL/,
    ],
    [
      "an endpoint with a path",
      { [`${anywhere}_endpointUrl`]: "http://a/b" },
      /endpoint-url: it must be a URL/,
    ],
    ["an unclear style", { [`${anywhere}_pathStyleAccess`]: "maybe" }, /must be true or false$/],
    [
      "CloudFront",
      { CONFIG_whisk_s3_cloudFrontConfig_privateKey: "s3cret" },
      /signed URLs of CloudFront are not made/,
    ],
  ] as const) {
    it(`are refused with ${what} for S3, and no secret is said`, () => {
      const found = problems({ ...least, ...s3, ...known, ...environment });
      expect(found).to.have.length(1);
      expect(found[0]).to.match(wanted).and.not.contain("s3cret");
    });
  }

  it("say once what changes nothing about reading from S3", () => {
    const { notices } = readClusterSettings({
      ...least,
      ...s3,
      ...known,
      CONFIG_whisk_s3_alpakka_buffer: "disk",
    });
    expect(notices.map(({ key, setBy }) => [key, setBy])).to.deep.equal([
      ["whisk.s3.alpakka.buffer", "CONFIG_whisk_s3_alpakka_buffer"],
    ]);
  });

  const refusedClasses: readonly (readonly [key: string, why: RegExp, ...classes: readonly string[]])[] = [
    [
      "ArtifactStoreProvider",
      /kept in CouchDB: leave it unset$/,
      "database.cosmosdb.CosmosDBArtifactStoreProvider",
      "database.mongodb.MongoDBArtifactStoreProvider",
      "database.memory.MemoryArtifactStoreProvider",
    ],
    [
      "ActivationStoreProvider",
      /kept in CouchDB: leave it unset$/,
      "database.ArtifactWithFileStorageActivationStoreProvider",
      "database.elasticsearch.ElasticSearchActivationStoreProvider",
    ],
    [
      "AttachmentStoreProvider",
      /attachments in CouchDB: leave it unset$/,
      "database.memory.MemoryAttachmentStoreProvider",
      "database.azblob.AzureBlobAttachmentStoreProvider",
    ],
    [
      "ContainerFactoryProvider",
      /made here or by Docker: leave it unset$/,
      "containerpool.yarn.YARNContainerFactoryProvider",
    ],
  ];
  for (const [key, why, ...classes] of refusedClasses) {
    for (const name of classes) {
      it(`are refused with stock's ${name}, and the reason`, () => {
        const [found, ...more] = problems({ ...least, [`CONFIG_whisk_spi_${key}`]: `${core}.${name}` });
        expect(found).to.match(why).and.contain(`${core}.${name}`);
        expect(more).to.deep.equal([]);
      });
    }
  }

  it("come with what lean containers have nothing like, and where that is set", () => {
    const { notices } = readClusterSettings({
      ...least,
      CONFIG_whisk_containerPool_userCpus: "2",
      CONFIG_whisk_containerFactory_containerArgs_extraArgs_cpus_0: "1",
      CONFIG_whisk_containerFactory_containerArgs_extraArgs_env_0: "A=1",
    });
    expect(notices.map(({ code, setBy }) => `${code} ${setBy}`)).to.deep.equal([
      "not-applicable CONFIG_whisk_containerFactory_containerArgs_extraArgs_cpus_0",
      "not-applicable CONFIG_whisk_containerPool_userCpus",
    ]);
  });

  it("come with what Kafka's client here cannot do, and where that is set", () => {
    const variable = "CONFIG_whisk_kafka_consumer_maxPollRecords";
    const { notices } = readClusterSettings({ ...least, [variable]: "7" });
    expect(notices.map(({ code, setBy, key }) => [code, setBy, key])).to.deep.equal([
      ["not-applicable", variable, "whisk.kafka.consumer.max-poll-records"],
    ]);
  });

  it("come with the setting of stored records that does not count", () => {
    const heard = (environment: Environment): readonly string[] =>
      readClusterSettings({ ...least, ...environment }).notices.map(({ setBy, text }) => `${setBy}: ${text}`);
    const CONFIG_whisk_activation_disableStoreResult = "true";
    const level = "CONFIG_whisk_activation_storeBlockingResultLevel";
    expect(heard({ CONFIG_whisk_activation_disableStoreResult })).to.deep.equal([]);
    expect(heard({ CONFIG_whisk_activation_disableStoreResult, [level]: "SOME" }).join()).to.match(
      /^CONFIG_\S+ResultLevel: It is no level: whisk\.activation\.disable-store-result counts/,
    );
    expect(heard({ CONFIG_whisk_activation_disableStoreResult, [level]: "STORE_ALWAYS" }).join()).to.match(
      /^CONFIG_\S+disableStoreResult: Of OpenWhisk 1\.0\.0/,
    );
  });

  it("are refused with everything that is wrong, each with its variable, and no secret", () => {
    const found = problems({
      CONFIG_whisk_containerPool_userMemory: "much",
      OPENWHISK_CONFIG: "a = 1\nwhisk.memory.std = 1x",
      "CONFIG_whisk_parameterStorage_aes-128": "s3cret",
    });
    const needed = [...settingEntries().values()].filter(({ required }) => required === true);
    expect(needed).to.have.length(11);
    for (const { key } of needed) {
      expect(
        found.filter((line) => line.startsWith(`${variableOf(key)} is not set`)),
        key,
      ).to.have.length(1);
    }
    expect(found).to.include(
      "OPENWHISK_CONFIG line 2, whisk.memory.std is '1x': it must be a size, such as 2048m",
    );
    expect(found).to.have.length(needed.length + 3);
    expect(found.join()).to.not.include("s3cret");
  });
});

describe("where a controller's user events go", () => {
  it("is read alone, whatever else of an invoker's environment is missing", () => {
    expect(readUserEvents({})).to.equal(undefined);
    expect(readUserEvents({ CONFIG_whisk_userEvents_enabled: "false" })).to.equal(undefined);
    const on = { CONFIG_whisk_userEvents_enabled: "true" };
    expect(readUserEvents(on)).to.deep.equal({ topicPrefix: "" });
    const prefix = { CONFIG_whisk_kafka_topics_userEvent_prefix: "u-" };
    expect(readUserEvents({ ...on, ...prefix })).to.deep.equal({ topicPrefix: "u-" });
  });

  it("is refused where it is malformed", () => {
    expect(() => readUserEvents({ CONFIG_whisk_userEvents_enabled: "maybe" })).to.throw(
      SettingsError,
      "CONFIG_whisk_userEvents_enabled",
    );
  });
});
