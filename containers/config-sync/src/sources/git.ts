import { createHash } from "node:crypto";
// Files of a Git repository at a branch, a tag or a commit, through the git program. There is no working tree: the files are
// read out of the repository, so no hook, filter or attribute of it has anything to say.
import { mkdir, rm } from "node:fs/promises";
import { join, posix } from "node:path";

import { LimitError, readBounded } from "@outrigger/files";
import type { FileEntry, FileSet } from "@outrigger/files";
import { duration } from "@outrigger/options";

import { runForOutput } from "../command.ts";
import type { Environment } from "../deps.ts";
import { problem, value } from "../written.ts";
import type { Parsed } from "../written.ts";
import { parseSettings } from "./settings-text.ts";
import type { Source, SourceFactory, SourceSettings } from "./source.ts";

const SETTINGS = ["ref", "path", "depth", "username", "token", "ca", "ssh-key", "known-hosts", "timeout"] as const;
const SCHEMES = new Set(["https:", "http:", "ssh:", "git:", "file:"]);
const COMMIT = /^[0-9a-f]{40}$/;
/** A name that git cannot take for an option, nor for a range. */
const REF = /^[A-Za-z0-9_][\w./+-]*$/;
/** What can stand in a command that ssh is run by. */
const PLAIN_PATH = /^\/[\w./-]+$/;

type Git = {
  readonly url: string;
  readonly ref: string;
  readonly path: string;
  readonly depth: string;
  readonly settings: Readonly<Partial<Record<(typeof SETTINGS)[number], string>>>;
  readonly timeoutMs: number;
};

/** `git+https://host/repo.git?ref=main&path=conf`. */
export function parseGitSource(text: string, env: Environment): Parsed<SourceFactory> {
  const [address = "", ...rest] = text.slice("git+".length).split("?");
  const settings = parseSettings(rest.join("?"), SETTINGS);
  if (settings.problem !== undefined) return settings;
  const wrongUrl = problemOfUrl(address);
  if (wrongUrl !== undefined) return wrongUrl;
  const { ref = "HEAD", path = "", depth = "1", timeout = "2m" } = settings.value;
  const timeoutMs = duration({ positive: true }).schema.safeParse(timeout).data;
  if (timeoutMs === undefined) return problem(`timeout to be ${duration({ positive: true }).form}`, timeout);
  const wrong = problemOf(ref, depth, settings.value);
  if (wrong !== undefined) return wrong;
  const git = {
    url: address,
    ref,
    path: path.replaceAll(/^\/+|\/+$/g, ""),
    depth,
    settings: settings.value,
    timeoutMs,
  };
  return value((given) => createGitSource(git, env, given));
}

function problemOfUrl(address: string): { problem: string } | undefined {
  const form = "git+https://, git+ssh://, git+git:// or git+file:// without credentials in it";
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !SCHEMES.has(url.protocol)) return problem(form, `git+${address}`);
  // The user of ssh is no secret: it is mostly called git.
  const hasCredentials = url.password !== "" || (url.username !== "" && url.protocol !== "ssh:");
  return hasCredentials ? problem(form, "one with them") : undefined;
}

function problemOf(ref: string, depth: string, settings: Git["settings"]): { problem: string } | undefined {
  if (!REF.test(ref) || ref.includes("..")) return problem("the name of a branch or a tag, or a commit", ref);
  if (!/^\d{1,6}$/.test(depth)) return problem("depth to be a number, 0 for all", depth);
  for (const file of [settings["ssh-key"], settings["known-hosts"]]) {
    if (file !== undefined && !PLAIN_PATH.test(file)) return problem("an absolute path of plain characters", file);
  }
  return undefined;
}

/** After so many fetches the copy is begun anew, as it only grows. */
const MAX_FETCHES = 50;

function createGitSource(git: Git, env: Environment, { limits, stateFolder }: SourceSettings): Source {
  const repository = join(stateFolder, `..git_${createHash("sha256").update(git.url).digest("hex").slice(0, 16)}`);
  let known: { commit: string; files: FileSet } | undefined;
  let fetches = 0;
  const run = async (args: readonly string[], more: { input?: string; maxBytes?: number } = {}): Promise<Buffer> =>
    runForOutput(["git", "--git-dir", repository, ...args], {
      env: await environmentOf(git, env),
      timeoutMs: git.timeoutMs,
      maxBytes: MAX_TEXT_BYTES,
      ...more,
    });

  async function fetchCommit(): Promise<string> {
    if (known !== undefined && known.commit === (await remoteCommit(git, run))) return known.commit;
    if (fetches++ % MAX_FETCHES === 0) await beginAnew(repository, run);
    const depth = git.depth === "0" ? [] : [`--depth=${git.depth}`];
    await run([
      "fetch",
      "--quiet",
      "--no-tags",
      "--force",
      "--no-recurse-submodules",
      ...depth,
      "--",
      git.url,
      git.ref,
    ]);
    return (await run(["rev-parse", "--verify", "--quiet", "FETCH_HEAD^{commit}"])).toString().trim();
  }

  return {
    name: `git+${git.url}`,
    fetch: async () => {
      const commit = await fetchCommit();
      if (known?.commit !== commit) known = { commit, files: await readCommit(git, commit, { run, limits }) };
      return known.files;
    },
    close: () => Promise.resolve(),
  };
}

type Run = (args: readonly string[], more?: { input?: string; maxBytes?: number }) => Promise<Buffer>;

const MAX_TEXT_BYTES = 16 * 1024 ** 2;

async function beginAnew(repository: string, run: Run): Promise<void> {
  await rm(repository, { recursive: true, force: true });
  await mkdir(repository, { recursive: true, mode: 0o700 });
  await run(["init", "--quiet", "--bare", repository]);
}

/** What the ref is at the server; a commit is what it is. Tags that have an object of their own are followed. */
async function remoteCommit({ url, ref }: Git, run: Run): Promise<string | undefined> {
  if (COMMIT.test(ref)) return ref;
  const lines = (await run(["ls-remote", "--quiet", "--", url, ref, `${ref}^{}`])).toString().split("\n");
  const found = new Map(lines.map((line) => [line.split("\t")[1] ?? "", line.split("\t")[0]!]));
  for (const name of [ref, `refs/tags/${ref}^{}`, `refs/tags/${ref}`, `refs/heads/${ref}`]) {
    if (found.has(name)) return found.get(name);
  }
  return undefined;
}

type Listed = { readonly mode: string; readonly hash: string; readonly path: string };

async function readCommit(
  git: Git,
  commit: string,
  { run, limits }: { run: Run; limits: SourceSettings["limits"] },
): Promise<FileSet> {
  const below = git.path === "" ? [] : ["--", `${git.path}/`];
  const listed = (await run(["ls-tree", "-r", "-z", "--long", "--full-tree", commit, ...below])).toString();
  const entries: Listed[] = [];
  let bytes = 0;
  for (const record of listed.split("\0")) {
    const [, mode, type, hash, size, path] = /^(\d+) (\w+) ([0-9a-f]+) +(\S+)\t(.*)$/s.exec(record) ?? [];
    // A submodule is a commit, not a file: it is another repository's business.
    if (type !== "blob") continue;
    entries.push({ mode: mode!, hash: hash!, path: path! });
    bytes += Number(size);
    if (bytes > limits.maxBytes)
      throw new LimitError(`git: expected at most ${limits.maxBytes} bytes, got more`, "bytes");
    if (entries.length > limits.maxFiles)
      throw new LimitError(`git: expected at most ${limits.maxFiles} files, got more`, "files");
  }
  return filesOf(git, entries, await readBlobs(entries, bytes, run));
}

/** The contents by hash, all by one process. */
async function readBlobs(entries: readonly Listed[], bytes: number, run: Run): Promise<Map<string, Buffer>> {
  const hashes = [...new Set(entries.map(({ hash }) => hash))];
  const output = await run(["cat-file", "--batch"], {
    input: `${hashes.join("\n")}\n`,
    maxBytes: bytes + hashes.length * 100 + 100,
  });
  const blobs = new Map<string, Buffer>();
  for (let at = 0; at < output.length;) {
    const end = output.indexOf(10, at);
    const [hash = "", type, size] = output.toString("latin1", at, end).split(" ");
    if (type !== "blob") throw new Error(`git: expected the content of ${hash}, got ${type ?? "nothing"}`);
    blobs.set(hash, output.subarray(end + 1, end + 1 + Number(size)));
    at = end + 1 + Number(size) + 1;
  }
  return blobs;
}

function filesOf(git: Git, entries: readonly Listed[], blobs: ReadonlyMap<string, Buffer>): FileSet {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  const prefix = git.path === "" ? "" : `${git.path}/`;
  const files = new Map<string, FileEntry>();
  for (const entry of entries) {
    const { mode, hash, path } = followLink(entry, byPath, blobs);
    const content = blobs.get(hash);
    if (content === undefined) throw new Error(`git: expected the content of ${path}, got none`);
    files.set(entry.path.slice(prefix.length), mode === "100755" ? { content, executable: true } : { content });
  }
  return files;
}

const LINK = "120000";

/** A link to a file of the same commit, below the same path, is that file; every other one is refused. */
function followLink(entry: Listed, byPath: ReadonlyMap<string, Listed>, blobs: ReadonlyMap<string, Buffer>): Listed {
  if (entry.mode !== LINK) return entry;
  const target = blobs.get(entry.hash)?.toString() ?? "";
  const found = byPath.get(posix.join(posix.dirname(entry.path), target));
  if (target.startsWith("/") || found === undefined || found.mode === LINK)
    throw new Error(`git: ${entry.path}: expected a link to a file that is published, too, got one to ${target}`);
  return found;
}

const MAX_CREDENTIALS_BYTES = 16 * 1024;

/** Nothing of the machine's or the user's settings, no questions, no program but git and ssh. */
async function environmentOf({ settings }: Git, { PATH }: Environment): Promise<Record<string, string>> {
  const config: [string, string][] = [
    ["core.hooksPath", "/dev/null"],
    ["protocol.ext.allow", "never"],
    // Credentials are for whom they were given.
    ["http.followRedirects", "false"],
    ["gc.auto", "0"],
  ];
  const { token, username = "git", ca, "ssh-key": key, "known-hosts": hosts } = settings;
  if (ca !== undefined) config.push(["http.sslCAInfo", ca]);
  if (token !== undefined) {
    const password = (await readBounded(token, MAX_CREDENTIALS_BYTES)).toString().trim();
    config.push([
      "http.extraHeader",
      `Authorization: Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`,
    ]);
  }
  const ssh = [
    "ssh",
    "-F",
    "/dev/null",
    "-o",
    "BatchMode=yes",
    "-o",
    "StrictHostKeyChecking=yes",
    "-o",
    "IdentitiesOnly=yes",
  ];
  if (hosts !== undefined) ssh.push("-o", `UserKnownHostsFile=${hosts}`);
  if (key !== undefined) ssh.push("-i", key);
  return {
    PATH: PATH ?? "/usr/bin:/bin",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_SSH_COMMAND: ssh.join(" "),
    LC_ALL: "C",
    GIT_CONFIG_COUNT: String(config.length),
    ...Object.fromEntries(
      config.flatMap(([name, text], at) => [
        [`GIT_CONFIG_KEY_${at}`, name],
        [`GIT_CONFIG_VALUE_${at}`, text],
      ]),
    ),
  };
}
