// Whether a body is the one that was meant: by a digest that is known beforehand or lies beside it, or by a signature.
import { createHash, createPublicKey, verify } from "node:crypto";

import { readBounded } from "@outrigger/files";

import { fetchUrl, shownUrl } from "../http.ts";
import type { RequestSettings, Response } from "../http.ts";
import { problem, value } from "../written.ts";
import type { Parsed } from "../written.ts";

export type Trust = {
  /** The body's SHA-256 in hexadecimal digits. */
  readonly sha256?: string;
  /** What is put behind the path to get a file that begins with the SHA-256, such as `.sha256`. */
  readonly digest?: string;
  /** What is put behind the path to get an Ed25519 signature of the body, raw or in base64. */
  readonly signature?: string;
  /** A file with the public key, as PEM. */
  readonly key?: string;
};

/** Throws if the body is not the one that was meant. */
export type Check = (response: Response, settings: RequestSettings) => Promise<void>;

const MAX_BYTES = 16 * 1024;

export function parseTrust({ sha256, digest, signature, key }: Trust): Parsed<Trust> {
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256))
    return problem("sha256= with 64 hexadecimal digits", sha256);
  if ((signature === undefined) !== (key === undefined)) return problem("signature and key together", "one of them");
  return value({
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(digest === undefined ? {} : { digest }),
    ...(signature === undefined ? {} : { signature }),
    ...(key === undefined ? {} : { key }),
  });
}

export const createCheck =
  (url: URL, { sha256, digest, signature, key }: Trust): Check =>
  async ({ body }, settings) => {
    const actual = createHash("sha256").update(body).digest("hex");
    const beside = (suffix: string): Promise<Buffer> => fetchBeside(url, suffix, settings);
    const expected =
      digest === undefined ? sha256 : (await beside(digest)).toString("latin1").trim().slice(0, 64).toLowerCase();
    for (const wanted of [sha256, expected]) {
      if (wanted !== undefined && wanted !== actual)
        throw new Error(`${shownUrl(url)}: expected SHA-256 ${wanted}, got ${actual}`);
    }
    if (signature === undefined || key === undefined) return;
    const publicKey = createPublicKey(await readBounded(key, MAX_BYTES));
    if (!verify(null, body, publicKey, signatureOf(await beside(signature))))
      throw new Error(`${shownUrl(url)}: expected a body signed with the key of ${key}, got another one`);
  };

async function fetchBeside(url: URL, suffix: string, settings: RequestSettings): Promise<Buffer> {
  const target = new URL(url);
  target.pathname += suffix;
  const { status, body } = await fetchUrl(target, { ...settings, maxBytes: MAX_BYTES });
  if (status !== 200) throw new Error(`${shownUrl(target)}: expected status 200, got ${status}`);
  return body;
}

/** An Ed25519 signature has 64 bytes; what is longer is its base64. */
const signatureOf = (body: Buffer): Buffer =>
  body.length === 64 ? body : Buffer.from(body.toString("latin1"), "base64");
