// What keeps an invoker from starting is found before anybody is asked or told anything, by a start and by --check alike.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { expect } from "chai";
import { projectFolder } from "../../../invoker/config/entries.ts";

const run = promisify(execFile);

describe("the program of an invoker", function () {
  this.timeout(120_000);
  let folder = "";
  /** In the place of Kafka and the database. */
  let service: Server;
  let connections = 0;
  const file = (name: string): string => join(folder, name);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "rewhisk-check-"));
    const openssl = (command: string) => run("openssl", command.split(" "), { cwd: folder });
    await openssl("req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=invoker -keyout key -out certificate");
    await openssl("pkcs12 -export -in certificate -inkey key -out store.p12 -passout pass:sesame");
    await openssl("pkcs12 -export -in certificate -nokeys -out keyless.p12 -passout pass:sesame");
    service = createServer((socket) => {
      connections++;
      socket.destroy();
    }).listen(0, "127.0.0.1");
    await once(service, "listening");
  });
  after(async () => {
    service.close();
    await rm(folder, { recursive: true });
  });

  /** Exit code, and what it says. */
  async function started(
    more: { readonly [name: string]: string },
    ...args: string[]
  ): Promise<[unknown, string]> {
    const { port } = service.address() as AddressInfo;
    const program = spawn(
      process.execPath,
      [join(projectFolder(), "invoker", "start.mjs"), "--id", "0", ...args],
      {
        env: {
          PATH: process.env.PATH,
          ...{ KAFKA_HOSTS: `127.0.0.1:${port}`, WHISK_API_HOST_NAME: "127.0.0.1", RUNTIMES_MANIFEST: "{}" },
          ...{ CONFIG_whisk_couchdb_protocol: "http", CONFIG_whisk_couchdb_host: "127.0.0.1" },
          ...{ CONFIG_whisk_couchdb_port: String(port), CONFIG_whisk_couchdb_username: "u" },
          ...{ CONFIG_whisk_couchdb_password: "p", CONFIG_whisk_couchdb_databases_WhiskAuth: "s" },
          CONFIG_whisk_couchdb_databases_WhiskEntity: "w",
          CONFIG_whisk_couchdb_databases_WhiskActivation: "a",
          CONFIG_rewhisk_spool_folder: file("spool"),
          CONFIG_rewhisk_network: "none",
          CONFIG_rewhisk_images_folder: file("images"),
          ...{
            CONFIG_whisk_invoker_protocol: "https",
            CONFIG_whisk_invoker_https_keystorePassword: "sesame",
          },
          ...more,
        },
        stdio: ["ignore", "ignore", "pipe"],
        timeout: 60_000,
      },
    );
    const [said, [code]] = await Promise.all([text(program.stderr), once(program, "exit")]);
    return [code, said];
  }

  for (const [what, name, password, wanted] of [
    ["is not there", "none.p12", "sesame", /ENOENT/],
    ["has another password", "store.p12", "open", /mac verify failure/],
    ["has no key", "keyless.p12", "sesame", /private key/],
  ] as const)
    for (const [when, args] of [
      ["at its start", []],
      ["with --check", ["--check"]],
    ] as const)
      it(`refuses ${when} a key store that ${what}`, async () => {
        const path = file(name);
        const [code, said] = await started(
          {
            CONFIG_whisk_invoker_https_keystorePath: path,
            CONFIG_whisk_invoker_https_keystorePassword: password,
          },
          ...args,
        );
        const lines = said.split("\n").filter((line) => line.includes(path));
        expect(lines, said).to.have.length(1);
        expect(lines[0]).to.match(wanted);
        expect(lines[0]).to.match(
          /^the key store .*: check whisk\.invoker\.https\.keystore-path and keystore-password$/,
        );
        expect([code, connections]).to.deep.equal([2, 0]);
      });

  /** With a key store that can be opened. */
  const checked = (more: { readonly [name: string]: string }): Promise<[unknown, string]> =>
    started({ CONFIG_whisk_invoker_https_keystorePath: file("store.p12"), ...more }, "--check");

  async function listening(server: Server): Promise<string> {
    await once(server.listen(0, "0.0.0.0"), "listening");
    return String((server.address() as AddressInfo).port);
  }

  it("refuses with --check a port that somebody else has", async () => {
    const other = createServer((socket) => socket.on("error", () => undefined).end("220 ready\r\n"));
    try {
      const port = await listening(other);
      const [code, said] = await checked({ PORT: port });
      expect(said).to.match(
        new RegExp(
          `^the admin pages cannot be served at \\S+:${port} \\(.*EADDRINUSE.*\\): set PORT to a free one$`,
          "m",
        ),
      );
      expect([code, connections]).to.deep.equal([2, 0]);
    } finally {
      other.close();
    }
  });

  it("takes with --check a port that an invoker has: it may be the one to be replaced", async () => {
    const pong = (request: IncomingMessage, response: ServerResponse): void => {
      response.end(request.url === "/ping" ? "pong" : "");
    };
    const [key, cert] = [readFileSync(file("key")), readFileSync(file("certificate"))];
    for (const server of [createHttpServer(pong), createTlsServer({ key, cert }, pong)]) {
      try {
        const [, said] = await checked({ PORT: await listening(server) });
        expect(said).not.to.contain("admin pages");
      } finally {
        server.close();
      }
    }
  });

  it("refuses with --check a folder for records that cannot be made, and makes none that can", async () => {
    const before = readdirSync(folder);
    const spool = join(file("key"), "spool");
    const [code, said] = await checked({ CONFIG_rewhisk_spool_folder: spool, PORT: "0" });
    expect(said).to.contain(
      `The folder ${spool}/invoker0, where records wait for the database, cannot be used: `,
    );
    expect(code).to.equal(2);
    const [, fine] = await checked({ CONFIG_rewhisk_spool_folder: file("deep/spool"), PORT: "0" });
    expect(fine).not.to.contain("records wait");
    expect(readdirSync(folder)).to.have.members(before);
  });

  it("says with --check all that is wrong with the settings", async () => {
    const args = "CONFIG_whisk_containerFactory_containerArgs_extraArgs";
    const [code, said] = await started(
      {
        CONFIG_whisk_invoker_https_keystorePath: file("store.p12"),
        CONFIG_rewhisk_images_layout: folder,
        [`${args}_pidsLimit_0`]: "many",
      },
      "--check",
    );
    expect(said.trimEnd().split("\n")).to.have.members([
      `CONFIG_rewhisk_images_layout is '${folder}': it has no index.json; name the folder of an OCI layout`,
      `${args}_pidsLimit_0 is 'many': --pids-limit takes a whole number`,
    ]);
    expect([code, connections]).to.deep.equal([2, 0]);
  });
});
