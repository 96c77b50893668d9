// AWS Signature Version 4 of requests without a body: what says who asks, and that nobody has changed it.
import { createHash, createHmac } from "node:crypto";

export type Credentials = {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly sessionToken?: string | undefined;
};

const EMPTY_SHA256 = createHash("sha256").digest("hex");

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

/** Percent-encodes all but RFC 3986's unreserved characters. */
export const encode = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/** The header fields that a GET of this URL has to carry, `more` among them. */
export function signedHeaders(
  url: URL,
  credentials: Credentials,
  { region, at, more = {} }: { region: string; at: Date; more?: Readonly<Record<string, string>> },
): Record<string, string> {
  const time = at.toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
  const { accessKey, secretKey, sessionToken } = credentials;
  const headers: Record<string, string> = {
    ...more,
    "x-amz-content-sha256": EMPTY_SHA256,
    "x-amz-date": time,
    ...(sessionToken === undefined ? {} : { "x-amz-security-token": sessionToken }),
  };
  const signed = Object.entries({ ...headers, host: url.host }).sort(([a], [b]) => (a < b ? -1 : 1));
  const names = signed.map(([name]) => name).join(";");
  const query = [...url.searchParams]
    .map(([name, text]) => `${encode(name)}=${encode(text)}`)
    .sort()
    .join("&");
  const lines = signed.map(([name, text]) => `${name}:${text.trim()}\n`).join("");
  const canonical = ["GET", url.pathname, query, lines, names, EMPTY_SHA256].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
  const key = scope.split("/").reduce<string | Buffer>((key, part) => hmac(key, part), `AWS4${secretKey}`);
  const signature = hmac(key, toSign).toString("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKey}/${scope},SignedHeaders=${names},Signature=${signature}`;
  return { ...headers, authorization };
}
