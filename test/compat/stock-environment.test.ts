// The environment that OpenWhisk's playbook gives to its invoker starts ours as it is: the settings it makes, and what is said of it.

import { expect } from "chai";
import { readClusterSettings } from "../../invoker/config/read-cluster.ts";
import { readInstanceArguments } from "../../invoker/instance-arguments.ts";
import { Manifest } from "../../invoker/manifest.ts";
import { rendered, versions, withoutEffect } from "./stock-environment.ts";

describe("the playbook's invoker", () => {
  it("is the one with the playbook's index", () => {
    expect(readInstanceArguments(rendered("2.0.0").args)).to.deep.include({ id: 0, uniqueName: "0" });
  });

  for (const version of versions) {
    describe(`of ${version}`, () => {
      const { settings, notices } = readClusterSettings(rendered(version).environment);

      it("has the settings that its environment says", () => {
        const { invoker, kafka, couchdb, docker, http, images } = settings;
        expect(invoker.pool).to.deep.include({ userMemoryMB: 2048, idleMs: 600_000, rewind: "always" });
        expect(invoker).to.deep.include({
          memoryMB: { min: 128, max: 512, std: 256 },
          concurrency: { min: 1, max: 500, std: 1 },
          logLevel: "info",
          topicPrefix: "",
        });
        expect(invoker).to.deep.include({
          tags: [],
          dedicatedNamespaces: [],
          userEvents: undefined,
          logStore: "record",
          argumentKeys: {},
        });
        expect(kafka.connection.brokers).to.deep.equal(["172.17.0.1:9093"]);
        expect(kafka.connection.tls).to.equal(undefined);
        expect(kafka.topics.invoker).to.deep.equal({
          partitions: 1,
          replicationFactor: 1,
          config: {
            "segment.bytes": "536870912",
            "retention.bytes": "104857600",
            "retention.ms": "300000",
            "max.message.bytes": "1054644",
          },
        });
        expect(settings.zookeeperHosts).to.equal("172.17.0.1:2181");
        expect(couchdb).to.deep.include({
          ...{ protocol: "http", host: "172.17.0.1", port: 5984 },
          username: "whisk_local_invoker0",
          password: "some_invoker_passw0rd",
          databases: {
            subjects: "whisk_local_subjects",
            whisks: "whisk_local_whisks",
            activations: "whisk_local_activations",
          },
        });
        expect(docker).to.deep.include({
          network: "bridge",
          dnsServers: [],
          environment: { __OW_API_HOST: "https://172.17.0.1", __OW_ALLOW_CONCURRENT: "True" },
          parallelRuns: 10,
          pauseGraceMs: 10_000,
          userCpus: undefined,
        });
        expect(http).to.deep.equal({
          host: "0.0.0.0",
          port: 8080,
          username: "invoker.user",
          password: "invoker.pass",
          transactionHeader: "X-Request-ID",
          showsMetrics: false,
          tls: {
            keystorePath: "/conf/invoker-openwhisk-keystore.p12",
            keystorePassword: "openwhisk",
            keystoreFlavor: "PKCS12",
            clientAuth: true,
          },
        });
        expect(images).to.deep.equal({
          runtimesRegistry: "",
          userImagesRegistry: "",
          bypassPullForLocalImages: true,
          localImagePrefix: "whisk",
        });
        expect(settings.apiHost).to.equal("https://172.17.0.1");
      });

      it("knows the kinds of its manifest, and their images", () => {
        const manifest = new Manifest(settings.manifest, settings.images);
        const usual = manifest.kinds.resolve("nodejs:default");
        const newest = version === "2.0.0" ? "20" : "12";
        expect(usual?.kind).to.equal(`nodejs:${newest}`);
        expect(usual && manifest.imageOf(usual).name).to.equal(`openwhisk/action-nodejs-v${newest}:nightly`);
        expect(usual?.stemCells.map(({ count, memoryMB }) => [count, memoryMB])).to.deep.equal([[2, 256]]);
        expect(settings.invoker.defaultKinds.nodejs).to.equal(usual?.kind);
        expect(manifest.userImage("openwhisk/dockerskeleton:nightly")?.pull).to.equal(false);
      });

      it("hears once of each variable without effect, and of none that nobody knows", () => {
        expect(notices.filter(({ code }) => code === "unknown")).to.deep.equal([]);
        expect(notices.map(({ setBy }) => setBy)).to.have.members(withoutEffect[version]);
      });
    });
  }
});
