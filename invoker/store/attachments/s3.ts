// Code that the cluster keeps in S3, or in what speaks S3's protocol. It is read only: controllers write it.

import { setTimeout as sleep } from "node:timers/promises";
import { AwsV4Signer } from "aws4fetch";
import { Agent } from "undici";
import { reasonOf } from "../couchdb/events.ts";
import { type DatabaseMeter, metered, noMeter } from "../couchdb/meter.ts";
import { ActionFetchError, type AttachmentStore } from "../stores.ts";

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of a session. */
  readonly sessionToken?: string;
}

export interface S3Settings {
  readonly bucket: string;
  /** Of all keys; absent: none. */
  readonly prefix?: string;
  readonly region: string;
  /** In place of Amazon's. `{bucket}` in its host stands for the bucket's name. */
  readonly endpoint?: string;
  /** The bucket is the first part of the path, and not of the host. */
  readonly pathStyle: boolean;
  /** Absent: requests are not signed. */
  readonly credentials?: S3Credentials;
}

/** What may pass is waited for between these, longer each time. */
const attempts = 4;
const firstPauseMs = 200;
const connectionsAtMost = 32;
const patienceMs = 30_000;
/** Stock's word for actions. */
const folder = "whiskentity";

/** What came of one request, where that is no code. `passes`: another one may have it. */
class S3Error extends Error {
  readonly code: "missing" | "passes" | "lasts";
  constructor(code: S3Error["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "S3Error";
    this.code = code;
  }
}

export class S3Attachments implements AttachmentStore {
  readonly scheme = "s3";
  readonly #settings: S3Settings;
  readonly #meter: DatabaseMeter;
  readonly #agent = new Agent({ connections: connectionsAtMost, connect: { timeout: patienceMs } });

  constructor(settings: S3Settings, meter: DatabaseMeter = noMeter) {
    this.#settings = settings;
    this.#meter = meter;
  }

  async read(id: string, name: string): Promise<Buffer> {
    const url = urlOf(this.#settings, id, name);
    try {
      const isFailure = (error: unknown): boolean => !(error instanceof S3Error && error.code === "missing");
      return await metered(this.#meter, "getDocumentAttachment", () => this.#again(url), isFailure);
    } catch (error) {
      const code = error instanceof S3Error && error.code === "missing" ? "not-found" : "unavailable";
      throw new ActionFetchError(code, `${id}: its code could not be fetched: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  }

  /** Ends all requests that are under way. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #again(url: URL): Promise<Buffer> {
    const signal = AbortSignal.timeout(patienceMs);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#get(url, signal);
      } catch (error) {
        const isPassing = error instanceof S3Error && error.code === "passes";
        if (!isPassing || signal.aborted || attempt === attempts) throw error;
        await sleep(firstPauseMs * 2 ** (attempt - 1), undefined, { ref: false });
      }
    }
  }

  async #get(url: URL, signal: AbortSignal): Promise<Buffer> {
    let status: number;
    let bytes: Buffer;
    try {
      const answer = await this.#agent.request({
        ...{ origin: url.origin, path: url.pathname, method: "GET", signal },
        headers: await this.#headers(url),
      });
      status = answer.statusCode;
      bytes = Buffer.from(await answer.body.arrayBuffer());
    } catch (error) {
      throw new S3Error("passes", `GET ${url.href} had no answer: ${reasonOf(error)}`, { cause: error });
    }
    if (status === 200) return bytes;
    const said = bytes.toString("utf8", 0, 1000);
    const [, reason = ""] = /<Code>(\w+)<\/Code>/.exec(said) ?? [];
    // As in stock: a bucket that is not there is no missing code.
    const code = reason === "NoSuchKey" ? "missing" : status >= 500 ? "passes" : "lasts";
    const [, message = said] = /<Message>(.*?)<\/Message>/s.exec(said) ?? [];
    throw new S3Error(code, `GET ${url.href}: ${status} ${reason} ${message}`);
  }

  /** Signed for this moment. */
  async #headers(url: URL): Promise<{ readonly [name: string]: string }> {
    const { credentials, region } = this.#settings;
    if (credentials === undefined) return {};
    const signer = new AwsV4Signer({ ...credentials, url: url.href, method: "GET", service: "s3", region });
    const { headers } = await signer.sign();
    return Object.fromEntries(headers);
  }
}

/** Of the object that is the attachment `name` of the action `id`. */
export function urlOf(settings: S3Settings, id: string, name: string): URL {
  const { bucket, prefix, pathStyle } = settings;
  const parts = [...(pathStyle ? [bucket] : []), ...(prefix === undefined ? [] : [prefix]), folder, id, name];
  return new URL(`${originOf(settings)}/${pathOf(parts.join("/"))}`);
}

function originOf({ bucket, region, endpoint, pathStyle }: S3Settings): string {
  const amazon = `https://s3.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
  const given = (endpoint ?? amazon).replace("{bucket}", bucket).replace(/\/+$/, "");
  const isNamed = pathStyle || endpoint?.includes("{bucket}") === true;
  return isNamed ? given : given.replace("://", `://${bucket}.`);
}

/** Each part as signatures have it: all but letters, digits and `-._~` in hex. */
function pathOf(key: string): string {
  const hex = (letter: string): string => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`;
  return key
    .split("/")
    .map((part) => encodeURIComponent(part).replaceAll(/[!'()*]/g, hex))
    .join("/");
}
