// A cluster's invoker whose actions' code is in S3: settings as stock's, a real server of that protocol.

import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { expect } from "chai";
import { ClusterSetting, nodeKind } from "./cluster-setting.ts";
import { type S3Server, s3Keys, s3Region, startS3 } from "./s3-server.ts";

const limitMs = 120_000;
const code = "function main({ n }) { return { n: n + 1 }; }";
const section = "CONFIG_whisk_s3_alpakka";

describe("an invoker with attachments in S3", function () {
  this.timeout(limitMs);
  let cluster: ClusterSetting;
  let server: S3Server;

  before(async () => {
    cluster = await ClusterSetting.start();
    server = await startS3(join(cluster.folder, "s3"));
    await server.put("code");
    await cluster.invoker({
      ...{ name: "s3", id: 0 },
      variables: {
        CONFIG_whisk_spi_AttachmentStoreProvider:
          "org.apache.openwhisk.core.database.s3.S3AttachmentStoreProvider",
        CONFIG_whisk_s3_bucket: "code",
        CONFIG_whisk_s3_prefix: "west",
        [`${section}_endpointUrl`]: server.url,
        [`${section}_aws_credentials_provider`]: "static",
        [`${section}_aws_credentials_accessKeyId`]: s3Keys.accessKeyId,
        [`${section}_aws_credentials_secretAccessKey`]: s3Keys.secretAccessKey,
        [`${section}_aws_region_provider`]: "static",
        [`${section}_aws_region_defaultRegion`]: s3Region,
      },
    });
    await cluster.areSeenAs(["up"]);
  });
  after(async () => {
    await server.stop();
    await cluster.close();
  });

  /** The action as a controller with S3AttachmentStore leaves it, but for its code. Gives the name of that. */
  async function put(action: string): Promise<string> {
    await cluster.controller.put(action, { exec: { kind: nodeKind, code } });
    const { username, password, origin } = new URL(cluster.databaseUrl);
    const headers = {
      authorization: `Basic ${Buffer.from(decodeURIComponent(`${username}:${password}`)).toString("base64")}`,
      "content-type": "application/json",
    };
    const url = `${origin}/whisk_local_whisks/${encodeURIComponent(`guest/${action}`)}`;
    const document = (await (await fetch(url, { headers })).json()) as { exec: { code: unknown } };
    const name = randomUUID();
    document.exec.code = { attachmentName: `s3:${name}`, attachmentType: "text/plain; charset=UTF-8" };
    const { ok, status } = await fetch(url, { method: "PUT", headers, body: JSON.stringify(document) });
    if (!ok) throw new Error(`PUT ${url}: ${status}`);
    return name;
  }

  /** The record of one activation. */
  async function activate(action: string): Promise<{ readonly response: object }> {
    const message = cluster.message(action, { content: { n: 1 } });
    await cluster.kafka.open().bus.send("invoker0", JSON.stringify(message));
    return await cluster.controller.record(message.activationId);
  }

  it("runs an action whose code is there", async () => {
    const name = await put("far");
    await server.put("code", `west/whiskentity/guest/far/${name}`, Buffer.from(code));
    expect((await activate("far")).response).to.deep.include({ status: "success", result: { n: 2 } });
  });

  it("says of code that is not there any more what stock says", async () => {
    await put("gone");
    expect((await activate("gone")).response).to.deep.include({
      status: "application error",
      result: { error: "Action could not be found or may have been deleted." },
    });
  });
});
