// Objects of a bucket that speaks S3: listed, and those whose ETag is another one got.
import { LimitError, readBounded } from "@outrigger/files";
import type { FileEntry, FileSet } from "@outrigger/files";

import { fetchUrl } from "../../http.ts";
import { parseUrl, problem, value } from "../../written.ts";
import type { Parsed } from "../../written.ts";
import { parseSettings } from "../settings-text.ts";
import type { Source, SourceFactory, SourceSettings } from "../source.ts";
import { encode, signedHeaders } from "./signature.ts";
import type { Credentials } from "./signature.ts";

const SETTINGS = ["endpoint", "region", "access-key", "secret-key", "session-token", "ca"] as const;
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

type Bucket = {
  readonly name: string;
  /** What the paths of objects begin with. */
  readonly root: URL;
  readonly prefix: string;
  readonly region: string;
  readonly caFile: string | undefined;
  /** Files with the access key, the secret key and the session token. */
  readonly files:
    | { readonly access: string; readonly secret: string; readonly session: string | undefined }
    | undefined;
};

/** `s3://bucket/prefix?endpoint=https://...`. */
export function parseS3Source(text: string): Parsed<SourceFactory> {
  const [address = "", ...rest] = text.slice("s3://".length).split("?");
  const [name = "", ...path] = address.split("/");
  if (!text.startsWith("s3://") || !BUCKET.test(name)) return problem("s3://bucket/prefix", text);
  const settings = parseSettings(rest.join("?"), SETTINGS);
  if (settings.problem !== undefined) return settings;
  const { endpoint, region = "us-east-1", ca } = settings.value;
  const server = parseUrl(endpoint ?? `https://s3.${region}.amazonaws.com`);
  if (server.problem !== undefined) return server;
  const files = parseFiles(settings.value);
  if (files.problem !== undefined) return files;
  const folder = path.join("/").replaceAll(/^\/+|\/+$/g, "");
  const bucket: Bucket = {
    name: folder === "" ? `s3://${name}` : `s3://${name}/${folder}`,
    root: new URL(`/${name}/`, server.value),
    prefix: folder === "" ? "" : `${folder}/`,
    region,
    caFile: ca,
    files: files.value,
  };
  return value((given) => createS3Source(bucket, given));
}

type Written = Readonly<Partial<Record<(typeof SETTINGS)[number], string>>>;

function parseFiles({
  "access-key": access,
  "secret-key": secret,
  "session-token": session,
}: Written): Parsed<Bucket["files"]> {
  if (access === undefined && secret === undefined) return value(undefined);
  if (access !== undefined && secret !== undefined) return value({ access, secret, session });
  return problem("access-key and secret-key together", "one of them");
}

const TIMEOUT_MS = 30_000;
const MAX_LIST_BYTES = 4 * 1024 ** 2;
const MAX_CREDENTIALS_BYTES = 16 * 1024;
/** Objects that are got at a time. */
const AT_A_TIME = 8;

type Listed = { readonly key: string; readonly etag: string; readonly size: number };

function createS3Source(bucket: Bucket, { limits }: SourceSettings): Source {
  const ended = new AbortController();
  let known = new Map<string, { readonly etag: string; readonly entry: FileEntry }>();
  return {
    name: bucket.name,
    fetch: async (): Promise<FileSet> => {
      const listed = await list(bucket, limits, ended.signal);
      const next: typeof known = new Map();
      const waiting = [...listed];
      const work = async (): Promise<void> => {
        for (let object = waiting.pop(); object !== undefined; object = waiting.pop()) {
          const { key, etag, size } = object;
          const before = known.get(key);
          const isSame = before?.etag === etag && etag !== "";
          next.set(
            key,
            isSame ? before : { etag, entry: { content: await getObject(bucket, key, size, ended.signal) } },
          );
        }
      };
      await Promise.all(Array.from({ length: AT_A_TIME }, work));
      known = next;
      return new Map(listed.map(({ key }) => [key.slice(bucket.prefix.length), next.get(key)!.entry]));
    },
    close: async () => ended.abort(),
  };
}

async function get(
  bucket: Bucket,
  url: URL,
  { maxBytes, signal }: { maxBytes: number; signal: AbortSignal },
): Promise<Buffer> {
  const credentials = await credentialsOf(bucket);
  const headers =
    credentials === undefined ? {} : signedHeaders(url, credentials, { region: bucket.region, at: new Date() });
  const { caFile } = bucket;
  const { status, body } = await fetchUrl(url, { headers, timeoutMs: TIMEOUT_MS, maxBytes, caFile, signal });
  if (status === 200) return body;
  const [, code] = /<Code>([^<]*)<\/Code>/.exec(body.toString()) ?? [];
  throw new Error(`${bucket.name}: expected status 200, got ${status} ${code ?? ""}`.trimEnd());
}

async function credentialsOf({ files }: Bucket): Promise<Credentials | undefined> {
  if (files === undefined) return undefined;
  const read = async (path: string): Promise<string> =>
    (await readBounded(path, MAX_CREDENTIALS_BYTES)).toString().trim();
  return {
    accessKey: await read(files.access),
    secretKey: await read(files.secret),
    sessionToken: files.session === undefined ? undefined : await read(files.session),
  };
}

/** Its size is what the list has said: what is larger now belongs to the next round. */
function getObject(bucket: Bucket, key: string, size: number, signal: AbortSignal): Promise<Buffer> {
  const url = new URL(bucket.root);
  url.pathname += key.split("/").map(encode).join("/");
  return get(bucket, url, { maxBytes: Math.max(size, 1), signal });
}

async function list(
  bucket: Bucket,
  { maxFiles, maxBytes }: SourceSettings["limits"],
  signal: AbortSignal,
): Promise<Listed[]> {
  const found: Listed[] = [];
  let bytes = 0;
  for (let token: string | undefined = ""; token !== undefined;) {
    const url = new URL(bucket.root.href.replace(/\/$/, ""));
    url.searchParams.set("list-type", "2");
    url.searchParams.set("prefix", bucket.prefix);
    if (token !== "") url.searchParams.set("continuation-token", token);
    // A space is %20 in what is signed; the URL's own + would be another query.
    url.search = url.search.replaceAll("+", "%20");
    const page = (await get(bucket, url, { maxBytes: MAX_LIST_BYTES, signal })).toString();
    for (const object of objectsIn(page)) {
      found.push(object);
      bytes += object.size;
      if (found.length > maxFiles)
        throw new LimitError(`${bucket.name}: expected at most ${maxFiles} objects, got more`, "files");
      if (bytes > maxBytes)
        throw new LimitError(`${bucket.name}: expected at most ${maxBytes} bytes, got more`, "bytes");
    }
    token = /<IsTruncated>true<\/IsTruncated>/.test(page) ? textIn(page, "NextContinuationToken") : undefined;
  }
  return found;
}

/** What a page of a list says of its objects; folders, which end with a slash, are none. */
export function objectsIn(page: string): Listed[] {
  if (!/<ListBucketResult[\s>]/.test(page)) throw new Error("s3: expected a list of objects, got something else");
  return [...page.matchAll(/<Contents>(.*?)<\/Contents>/gs)]
    .map(([, object = ""]) => ({
      key: textIn(object, "Key") ?? "",
      etag: textIn(object, "ETag") ?? "",
      size: Number(textIn(object, "Size") ?? Number.NaN),
    }))
    .filter(({ key }) => !key.endsWith("/"))
    .map((object) => {
      if (object.key !== "" && Number.isSafeInteger(object.size)) return object;
      throw new Error("s3: expected objects with a key and a size, got one without");
    });
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function textIn(xml: string, name: string): string | undefined {
  const start = xml.indexOf(`<${name}>`);
  const end = xml.indexOf(`</${name}>`, start);
  if (start === -1 || end === -1) return undefined;
  return xml
    .slice(start + name.length + 2, end)
    .replaceAll(
      /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi,
      (written, hex?: string, decimal?: string, named?: string) => {
        if (named !== undefined) return ENTITIES[named] ?? written;
        const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
        return code <= 0x10ffff ? String.fromCodePoint(code) : written;
      },
    );
}
