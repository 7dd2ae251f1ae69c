// CouchDB behind TLS: whose certificates are trusted, and that a stranger gets nothing.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { readClusterSettings } from "../../invoker/config/read-cluster.ts";
import type { CouchSettings } from "../../invoker/store/couchdb/open.ts";
import { openStores } from "./couch.ts";

describe("a CouchDB with a certificate of its own", () => {
  let folder: string;
  let ca: string;
  let server: Server;
  let asked = 0;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-tls-"));
    const [keyFile, certificateFile] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
    const subject = ["-subj", "/CN=couch", "-addext", "subjectAltName=IP:127.0.0.1"];
    const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    execFileSync(
      "openssl",
      [...request, ...subject, "-keyout", keyFile, "-out", certificateFile, "-days", "1"],
      {
        stdio: "ignore",
      },
    );
    ca = readFileSync(certificateFile, "utf8");
    server = createServer({ key: readFileSync(keyFile), cert: ca }, (_request, response) => {
      asked++;
      response.end("{}");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
  });

  async function codes(tls: NonNullable<CouchSettings["tls"]>): Promise<readonly string[]> {
    asked = 0;
    const { port } = server.address() as AddressInfo;
    const stores = await openStores(port, join(folder, "spool"), { protocol: "https", tls });
    const problems = await stores.check();
    await stores.close(0);
    return problems.map(({ code, message }) => `${code}: ${message}`);
  }

  it("is trusted by who was given it", async () => {
    expect(await codes({ ca })).to.deep.equal([]);
    expect(asked).to.equal(3);
  });

  it("is not trusted by others, and is sent no password", async () => {
    const [problem] = await codes({});
    expect(problem).to.match(/^unreachable: .*self-signed certificate/);
    expect(asked).to.equal(0);
  });

  it("is trusted by an invoker whose operator names the file", async () => {
    const environment = {
      ...{ KAFKA_HOSTS: "127.0.0.1:9092", WHISK_API_HOST_NAME: "api.example", RUNTIMES_MANIFEST: "{}" },
      ...{ CONFIG_whisk_couchdb_protocol: "https", CONFIG_whisk_couchdb_host: "127.0.0.1" },
      ...{ CONFIG_whisk_couchdb_port: "1", CONFIG_whisk_couchdb_username: "a" },
      ...{ CONFIG_whisk_couchdb_password: "b", CONFIG_whisk_couchdb_databases_WhiskAuth: "s" },
      ...{
        CONFIG_whisk_couchdb_databases_WhiskEntity: "w",
        CONFIG_whisk_couchdb_databases_WhiskActivation: "a",
      },
    };
    const tlsOf = (more: object) => readClusterSettings({ ...environment, ...more }).settings.couchdb.tls;
    const named = tlsOf({ CONFIG_rewhisk_couchdb_ca: join(folder, "certificate.pem") });
    expect(await codes(named ?? {})).to.deep.equal([]);
    expect(tlsOf({})).to.equal(undefined);
  });

  it("is taken for good by who trusts everybody", async () => {
    expect(await codes({ rejectUnauthorized: false })).to.deep.equal([]);
  });
});
