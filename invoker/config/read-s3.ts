// Where the cluster keeps code, as `whisk.s3` says it: for stock a section of its S3 client's own settings, alpakka's or pekko's.

import type { S3Credentials, S3Settings } from "../store/attachments/s3.ts";
import type { Environment } from "./environment.ts";
import type { Notice } from "./notices.ts";
import { optional, type SettingReader } from "./reader.ts";
import { readBoolean } from "./units.ts";

type Section = { readonly [name: string]: string | undefined };

const sections = ["whisk.s3.alpakka", "whisk.s3.pekko-connectors"] as const;
const cloudFront = "whisk.s3.cloud-front-config";
const heeded = new Set([
  ...["endpoint-url", "path-style-access", "aws.region.provider", "aws.region.default-region"],
  ...["provider", "access-key-id", "secret-access-key", "token"].map((name) => `aws.credentials.${name}`),
]);
const proxies = ["proxy.host", "forward-proxy.host"];

/** Undefined only where there are problems. `environment` holds AWS's own variables; `notices` gets what has no effect on reading. */
export function readS3(
  reader: SettingReader,
  notices: Notice[],
  environment: Environment,
): S3Settings | undefined {
  const { problems } = reader;
  const problemsBefore = problems.length;
  const bucket = reader.optionalText("whisk.s3.bucket") ?? "";
  if (bucket === "") {
    problems.push("CONFIG_whisk_s3_bucket is not set, and is needed where attachments are in S3");
  }
  if (Object.keys(reader.block(`${cloudFront}.*`)).length > 0) {
    problems.push(
      `${cloudFront}: signed URLs of CloudFront are not made here, the bucket is read: leave it unset`,
    );
  }
  const section: Section = Object.assign({}, ...sections.map((name) => reader.block(`${name}.*`)));
  const used = sections.find((name) => Object.keys(reader.block(`${name}.*`)).length > 0) ?? sections[0];
  const refuse = (name: string, why: string): void => void problems.push(`${used}.${name}: ${why}`);
  for (const name of proxies.filter((one) => (section[one] ?? "") !== "")) {
    refuse(name, "S3 is reached without a proxy here: leave it unset");
  }
  for (const name of Object.keys(section).filter(
    (one) => !heeded.has(one) && !/^(forward-)?proxy\./.test(one),
  )) {
    const key = `${used}.${name}`;
    const text = "It changes nothing about how code is read here.";
    notices.push({ code: "not-applicable", setBy: reader.originOf(key) ?? key, key, text });
  }
  const endpoint = section["endpoint-url"];
  if (endpoint !== undefined && !isOrigin(endpoint.replace("{bucket}", "bucket"))) {
    refuse("endpoint-url", "it must be a URL without a path, such as http://minio:9000");
  }
  const pathStyle = readBoolean(section["path-style-access"] ?? "true");
  // A word of newer versions.
  const isForced = section["path-style-access"] === "force";
  if (pathStyle === undefined && !isForced) refuse("path-style-access", "it must be true or false");
  const credentials = readCredentials(section, environment, refuse);
  const region = readRegion(section, environment, refuse);
  if (problems.length > problemsBefore) return undefined;
  return {
    ...{ bucket, region, pathStyle: pathStyle ?? isForced },
    ...optional("prefix", reader.optionalText("whisk.s3.prefix")),
    ...optional("endpoint", endpoint),
    ...optional("credentials", credentials),
  };
}

function isOrigin(text: string): boolean {
  return /^https?:\/\/[^/]+\/?$/.test(text) && URL.canParse(text);
}

type Refuse = (name: string, why: string) => void;

/** Undefined: requests are not signed, or there is a problem. */
function readCredentials(
  section: Section,
  environment: Environment,
  refuse: Refuse,
): S3Credentials | undefined {
  const key = "aws.credentials.provider";
  const provider = section[key] ?? "default";
  const made = (accessKeyId = "", secretAccessKey = "", sessionToken = ""): S3Credentials | undefined =>
    accessKeyId === "" || secretAccessKey === ""
      ? undefined
      : { accessKeyId, secretAccessKey, ...(sessionToken !== "" && { sessionToken }) };
  if (provider === "anon") return undefined;
  if (provider === "static") {
    const given = (name: string): string | undefined => section[`aws.credentials.${name}`];
    const found = made(given("access-key-id"), given("secret-access-key"), given("token"));
    if (found === undefined) refuse(key, "static needs access-key-id and secret-access-key beside it");
    return found;
  }
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = environment;
  const found = made(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN);
  if (provider !== "default") refuse(key, "it must be static, anon or default");
  else if (found === undefined) {
    refuse(key, "default is read from variables alone here: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  }
  return found;
}

function readRegion(section: Section, environment: Environment, refuse: Refuse): string {
  const key = "aws.region.provider";
  const provider = section[key] ?? "default";
  if (provider === "static") {
    const region = section["aws.region.default-region"] ?? "";
    if (region === "") refuse(key, "static needs default-region beside it");
    return region;
  }
  const region = environment.AWS_REGION ?? "";
  if (provider !== "default") refuse(key, "it must be static or default");
  else if (region === "") refuse(key, "default is read from the environment alone here: set AWS_REGION");
  return region;
}
