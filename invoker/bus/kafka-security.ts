// TLS and SASL for Kafka from the Java client's settings: PEM, PKCS#12 and JKS files, PLAIN and SCRAM.

import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { type ConnectionOptions, createSecureContext } from "node:tls";
import type { SASLOptions } from "kafkajs";
import { isJks, readJks } from "./kafka-jks.ts";
import type { KafkaProperties } from "./kafka-settings.ts";

export interface KafkaSecurity {
  readonly tls?: ConnectionOptions;
  readonly sasl?: SASLOptions;
}

type Store = "truststore" | "keystore";

const protocols = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"];

/** Reads the files named. Adds to `problems`, one line each with its remedy, and the names it knows to `used`. */
export function readSecurity(
  properties: KafkaProperties,
  problems: string[],
  used: Set<string>,
): KafkaSecurity {
  const get = (name: string): string | undefined => {
    used.add(name);
    return properties[name] === "" ? undefined : properties[name];
  };
  const protocol = get("security.protocol")?.toUpperCase() ?? "PLAINTEXT";
  if (!protocols.includes(protocol)) {
    problems.push(
      `whisk.kafka.common.security-protocol is "${protocol}": give one of ${protocols.join(", ")}`,
    );
  }
  const tls = readTls(get, problems);
  const sasl = readSasl(get, protocol, problems);
  return {
    ...(protocol.endsWith("SSL") ? { tls } : {}),
    ...(protocol.startsWith("SASL_") && sasl !== undefined ? { sasl } : {}),
  };
}

type Get = (name: string) => string | undefined;

function readTls(get: Get, problems: string[]): ConnectionOptions {
  const checksHost = get("ssl.endpoint.identification.algorithm") !== undefined;
  const attempt = (store: Store): ConnectionOptions => {
    try {
      return store === "truststore" ? readTruststore(get) : readKeystore(get);
    } catch (error) {
      problems.push(`whisk.kafka.common.ssl-${store}-location: ${(error as Error).message}`);
      return {};
    }
  };
  // Both read in any case: their names are known then, whatever the protocol is.
  const stores = { ...attempt("truststore"), ...attempt("keystore") };
  return { ...stores, ...(checksHost ? {} : { checkServerIdentity: () => undefined }) };
}

function readTruststore(get: Get): ConnectionOptions {
  const password = get("ssl.truststore.password");
  get("ssl.truststore.type");
  const text = get("ssl.truststore.certificates");
  const path = get("ssl.truststore.location");
  if (path === undefined) return text === undefined ? {} : { ca: text };
  const bytes = readFileSync(path);
  if (isJks(bytes)) return { ca: [...readJks(bytes, password).trusted] };
  if (!isPem(bytes)) {
    throw new Error(
      `${path} is neither a PEM nor a JKS file. Remedy: openssl pkcs12 -nokeys -in ${path} > ${path}.pem, and give ${path}.pem without a password`,
    );
  }
  if (password !== undefined) throw new Error(`${path} is a PEM file, which has no password: leave it out`);
  new X509Certificate(bytes);
  return { ca: bytes };
}

function readKeystore(get: Get): ConnectionOptions {
  const storePassword = get("ssl.keystore.password");
  const passphrase = get("ssl.key.password") ?? storePassword;
  get("ssl.keystore.type");
  const key = get("ssl.keystore.key");
  const cert = get("ssl.keystore.certificate.chain");
  const path = get("ssl.keystore.location");
  const secret = passphrase === undefined ? {} : { passphrase };
  if (path === undefined)
    return key === undefined || cert === undefined ? {} : checked({ key, cert, ...secret });
  const bytes = readFileSync(path);
  if (isPem(bytes)) return checked({ key: bytes, cert: bytes, ...secret });
  if (storePassword === undefined) throw new Error(`${path} needs ssl-keystore-password`);
  if (!isJks(bytes)) return checked({ pfx: bytes, passphrase: storePassword });
  const { identity } = readJks(bytes, storePassword, passphrase);
  if (identity === undefined) throw new Error(`${path} holds no private key`);
  return checked(identity);
}

/** Throws where the key, its password or the certificate cannot be read. */
function checked(options: ConnectionOptions): ConnectionOptions {
  createSecureContext(options);
  return options;
}

function isPem(bytes: Buffer): boolean {
  return bytes.includes("-----BEGIN ");
}

const mechanisms: { readonly [name: string]: "plain" | "scram-sha-256" | "scram-sha-512" | undefined } = {
  PLAIN: "plain",
  "SCRAM-SHA-256": "scram-sha-256",
  "SCRAM-SHA-512": "scram-sha-512",
};

function readSasl(get: Get, protocol: string, problems: string[]): SASLOptions | undefined {
  const name = get("sasl.mechanism") ?? "GSSAPI";
  const jaas = get("sasl.jaas.config") ?? "";
  if (!protocol.startsWith("SASL_")) return undefined;
  const mechanism = mechanisms[name.toUpperCase()];
  if (mechanism === undefined) {
    problems.push(
      `whisk.kafka.common.sasl-mechanism is ${name}: give one of ${Object.keys(mechanisms).join(", ")}`,
    );
    return undefined;
  }
  const username = jaasOption(jaas, "username");
  const password = jaasOption(jaas, "password");
  if (username === undefined || password === undefined) {
    problems.push(
      'whisk.kafka.common.sasl-jaas-config has no username or password: give … required username="…" password="…";',
    );
    return undefined;
  }
  // A union of mechanisms in kafkajs' types, the same shape in each.
  return { mechanism, username, password } as SASLOptions;
}

/** The value of an option in a JAAS line, quoted or not. */
function jaasOption(jaas: string, name: string): string | undefined {
  const [, quoted, bare] =
    new RegExp(`\\b${name}\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;"]+))`).exec(jaas) ?? [];
  return quoted?.replaceAll(/\\(.)/g, "$1") ?? bare;
}
