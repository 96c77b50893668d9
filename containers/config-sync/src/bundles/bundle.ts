// Many files in one body. Whatever is in it, unpacking takes no more memory than the limits say, and no path leads out.
import { promisify } from "node:util";
import { gunzip as gunzipCallback } from "node:zlib";

import { LimitError, pathProblem } from "@outrigger/files";
import type { FileEntry, FileSet, TreeLimits } from "@outrigger/files";

import { readJsonMap } from "./json-map.ts";
import { readTar } from "./tar.ts";
import { readZip } from "./zip.ts";

export const FORMATS = ["file", "json-map", "tar", "zip"] as const;
export type BundleFormat = (typeof FORMATS)[number];

/** One file of a bundle, as it comes. */
export type Entry = FileEntry & { readonly path: string };

const gunzip = promisify(gunzipCallback);
/** What a tar adds to each file: a header and padding, and as much again for names that are long. */
const TAR_OVERHEAD = 4096;

/** The files of a body; `name` is that of the file that it is, if it is one. Throws what is wrong with it. */
export async function unpack(
  format: BundleFormat,
  body: Buffer,
  { name, limits }: { name: string; limits: TreeLimits },
): Promise<FileSet> {
  if (format === "file") return new Map([[name, { content: body }]]);
  return collect(await entriesOf(format, body, limits), limits);
}

async function entriesOf(
  format: Exclude<BundleFormat, "file">,
  body: Buffer,
  limits: TreeLimits,
): Promise<Iterable<Entry>> {
  if (format === "json-map") return readJsonMap(body);
  if (format === "zip") return readZip(body, limits);
  const isCompressed = body[0] === 0x1f && body[1] === 0x8b;
  return readTar(isCompressed ? await decompress(body, limits.maxBytes + limits.maxFiles * TAR_OVERHEAD) : body);
}

/** Throws a LimitError when there is more in it than `maxBytes`. */
export async function decompress(body: Buffer, maxBytes: number): Promise<Buffer> {
  try {
    return await gunzip(body, { maxOutputLength: maxBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE")
      throw new LimitError(`bundle: expected at most ${maxBytes} bytes, got more`, "bytes");
    throw new Error(`bundle: expected gzip, got ${(error as Error).message}`, { cause: error });
  }
}

function collect(entries: Iterable<Entry>, { maxFiles, maxBytes }: TreeLimits): FileSet {
  const files = new Map<string, FileEntry>();
  let bytes = 0;
  for (const { path, content, executable } of entries) {
    const problem = pathProblem(path);
    if (problem !== undefined) throw new Error(`bundle: ${problem}`);
    bytes += content.length;
    if (bytes > maxBytes) throw new LimitError(`bundle: expected at most ${maxBytes} bytes, got more`, "bytes");
    files.set(path, executable === true ? { content, executable } : { content });
    if (files.size > maxFiles) throw new LimitError(`bundle: expected at most ${maxFiles} files, got more`, "files");
  }
  return files;
}
