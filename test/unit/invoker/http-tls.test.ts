// The admin pages over HTTPS: the key store of stock's deployment, and which clients it lets in.

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect } from "node:tls";
import { promisify } from "node:util";
import { expect } from "chai";
import { type AdminServer, serveAdmin } from "../../../invoker/http.ts";
import { type AdminTls, AdminTlsError } from "../../../invoker/http-tls.ts";
import { StandIn } from "./stand-in.ts";

const run = promisify(execFile);
const keystorePassword = "sesame";

interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

describe("the admin pages over HTTPS", () => {
  let folder = "";
  const servers: AdminServer[] = [];
  const file = (name: string): string => join(folder, name);
  const openssl = (command: string): Promise<unknown> => run("openssl", command.split(" "), { cwd: folder });

  /** Signed by `issuer`, or by itself. */
  async function certify(name: string, issuer?: string): Promise<void> {
    const key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    const signer = issuer === undefined ? "" : ` -CA ${issuer}.crt -CAkey ${issuer}.key`;
    await openssl(`req -x509 ${key} -days 1 -subj /CN=${name} -keyout ${name}.key -out ${name}.crt${signer}`);
  }
  const certificate = async (name: string): Promise<Certificate> => ({
    cert: await readFile(file(`${name}.crt`)),
    key: await readFile(file(`${name}.key`)),
  });

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "rewhisk-tls-"));
    for (const name of ["invoker", "authority", "stranger"]) await certify(name);
    await certify("controller", "authority");
    const trusted = `-certfile authority.crt -passout pass:${keystorePassword}`;
    await openssl(`pkcs12 -export -in invoker.crt -inkey invoker.key -out store.p12 ${trusted}`);
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });
  after(() => rm(folder, { recursive: true }));

  const tls = (changed: Partial<AdminTls> = {}): AdminTls => ({
    ...{ keystorePath: file("store.p12"), keystorePassword, keystoreFlavor: "PKCS12" },
    ...{ clientAuth: true, ...changed },
  });
  async function serve(settings: AdminTls): Promise<AdminServer> {
    const server = await serveAdmin(new StandIn(), {
      ...{ host: "127.0.0.1", port: 0, username: "u", password: "p" },
      ...{ transactionHeader: "X-Request-ID", showsMetrics: false, tls: settings },
    });
    servers.push(server);
    return server;
  }
  /** What `/ping` answers, or why not. */
  async function ping(port: number, client?: Certificate | ConnectionOptions): Promise<string> {
    return await new Promise((resolve) => {
      const own = client ?? {};
      request({ host: "127.0.0.1", port, path: "/ping", rejectUnauthorized: false, agent: false, ...own })
        .on("response", (response) => response.on("data", (piece: Buffer) => resolve(piece.toString())))
        .on("error", () => resolve("refused"))
        .end();
    });
  }

  /** What a client gets to come back by, if it gets any. */
  async function ticket(
    port: number,
    version: "TLSv1.2" | "TLSv1.3",
    client?: Certificate,
  ): Promise<Buffer | undefined> {
    const versions = { minVersion: version, maxVersion: version };
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...versions, ...client });
    let session: Buffer | undefined;
    socket.on("session", (given) => {
      session = given;
    });
    socket.on("error", () => undefined);
    socket.resume().write("GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    await new Promise((resolve) => socket.on("close", resolve));
    return session;
  }

  it("let in who shows the certificate that all components share, or one that the key store's authority signed", async () => {
    const { port } = await serve(tls());
    expect(await ping(port, await certificate("invoker"))).to.equal("pong");
    expect(await ping(port, await certificate("controller"))).to.equal("pong");
  });

  it("let in nobody else", async () => {
    const { port } = await serve(tls());
    expect(await ping(port)).to.equal("refused");
    expect(await ping(port, await certificate("stranger"))).to.equal("refused");
  });

  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    it(`let those come back by a ticket of ${version} who have shown a certificate, and give nobody else one`, async () => {
      const { port } = await serve(tls());
      const session = await ticket(port, version, await certificate("controller"));
      expect(session).not.to.equal(undefined);
      if (session !== undefined) expect(await ping(port, { session, maxVersion: version })).to.equal("pong");
      // Node takes whoever comes back by a ticket for authorized, even without any certificate.
      expect(await ticket(port, version)).to.equal(undefined);
      expect(await ticket(port, version, await certificate("stranger"))).to.equal(undefined);
    });
  }

  it("let everybody in where no client certificate is asked for", async () => {
    const { port } = await serve(tls({ clientAuth: false }));
    expect(await ping(port)).to.equal("pong");
    expect(await ping(port, await certificate("stranger"))).to.equal("pong");
  });

  const useless: readonly (readonly [string, Partial<AdminTls>, AdminTlsError["code"], RegExp])[] = [
    ["whose password is another", { keystorePassword: "no" }, "unreadable", /keystore-password/],
    ["that is not there", { keystorePath: "/nowhere.p12" }, "unreadable", /\/nowhere\.p12/],
    ["of another flavor", { keystoreFlavor: "JKS" }, "flavor", /PKCS12/],
  ];
  for (const [what, changed, code, text] of useless) {
    it(`are not served with a key store ${what}`, async () => {
      const failure = await serve(tls(changed)).catch((error: unknown) => error);
      expect(failure).to.be.instanceOf(AdminTlsError).with.property("code", code);
      expect(failure).to.have.property("message").that.matches(text);
    });
  }
});
