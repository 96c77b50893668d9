// Redis' log of slow commands, which can only be asked for. Each entry is a record with the entry's own time.
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { connectRedis } from "@outrigger/redis";
import type { RedisConnection, Reply } from "@outrigger/redis";

import { createLivePump } from "./input.ts";
import type { Input } from "./input.ts";
import { pollAgain } from "./polled.ts";

/** By this name the adapter knows its own commands in the log. */
const CLIENT = "outrigger-log-adapter";
const FIRST_COUNT = 128;
const MAX_COUNT = 1_000_000;
const MAX_REPLY = 64 * 1024 * 1024;

/** How far the log has been read: the server's run and the last entry of it. */
type Place = { readonly run: string; readonly last: number };

type Entry = { readonly id: number; readonly line: string; readonly isOwn: boolean };

export async function readSlowlog(input: Input): Promise<void> {
  const { context, ending } = input;
  const pump = createLivePump(input);
  let connection: RedisConnection | undefined;
  let place = await loadPlace(input);
  await pollAgain(input, context.options.slowlogInterval, async () => {
    try {
      connection ??= await open(input);
      const run = await runOf(connection);
      // A server that was started anew counts from the beginning.
      const last = run === place.run ? place.last : -1;
      const entries = await entriesAfter(connection, last);
      const missed = missedIn(entries, last);
      if (missed > 0) context.metrics.slowlogMissed.cell({}).add(missed);
      await pump.pushLines(entries.filter(({ isOwn }) => !isOwn).map(({ line }) => line));
      await pump.settled();
      place = { run, last: entries.at(-1)?.id ?? last };
      await savePlace(input, place);
    } catch (error) {
      connection?.close();
      connection = undefined;
      throw error;
    }
  });
  connection?.close();
  if (!ending.aborted) return;
  await pump.end();
}

async function open({ context, spec, ending }: Input): Promise<RedisConnection> {
  const { redisPassword, outputTimeout } = context.options;
  const connection = await connectRedis({
    address: spec.address!,
    timeoutMs: outputTimeout,
    maxReplyBytes: MAX_REPLY,
    signal: ending,
    ...(redisPassword === undefined ? {} : { password: redisPassword.reveal() }),
  });
  await connection.command("CLIENT", "SETNAME", CLIENT);
  return connection;
}

async function runOf(connection: RedisConnection): Promise<string> {
  const info = await connection.command("INFO", "server");
  return /run_id:(\w{1,64})/.exec(String(info))?.[1] ?? "";
}

/** All entries that are newer, the oldest first: as many are asked for as it takes to reach those that are known. */
async function entriesAfter(connection: RedisConnection, last: number): Promise<Entry[]> {
  for (let count = FIRST_COUNT; ; count *= 4) {
    const reply = await connection.command("SLOWLOG", "GET", count);
    const entries = (Array.isArray(reply) ? reply : []).map(entryOf).filter((entry) => entry !== undefined);
    const oldest = entries.at(-1);
    const isAll = oldest === undefined || entries.length < count || oldest.id <= last + 1;
    if (isAll || count >= MAX_COUNT) return entries.filter(({ id }) => id > last).toReversed();
  }
}

/** Entries that Redis has forgotten before they could be read. */
function missedIn(entries: readonly Entry[], last: number): number {
  const [first] = entries;
  return first === undefined || last < 0 ? 0 : Math.max(0, first.id - last - 1);
}

/** `[id, seconds, microseconds, [words], address, client name]`; the last two since Redis 4. */
function entryOf(reply: Reply): Entry | undefined {
  if (!Array.isArray(reply) || !Array.isArray(reply[3])) return undefined;
  const [id, seconds, micros, words, address, client] = reply;
  const line = JSON.stringify({
    time: Number(seconds),
    message: (words as Reply[]).map(String).join(" "),
    "db.system.name": "redis",
    "db.query.duration": Number(micros) / 1e6,
    "redis.slowlog.id": Number(id),
    "client.address": address === undefined ? undefined : String(address),
    "redis.client_name": client === undefined || client === "" ? undefined : String(client),
  });
  return { id: Number(id), line, isOwn: client === CLIENT };
}

const placePath = ({ context, spec }: Input): string | undefined =>
  context.options.stateDir === undefined
    ? undefined
    : join(
        context.options.stateDir,
        `slowlog-${createHash("sha256").update(spec.text).digest("hex").slice(0, 12)}.json`,
      );

async function loadPlace(input: Input): Promise<Place> {
  try {
    const { run, last } = JSON.parse(await readFile(placePath(input) ?? "", "utf8")) as Partial<Place>;
    return { run: String(run), last: Number(last) };
  } catch {
    return { run: "", last: -1 };
  }
}

async function savePlace(input: Input, place: Place): Promise<void> {
  const path = placePath(input);
  if (path === undefined) return;
  await mkdir(input.context.options.stateDir!, { recursive: true });
  await writeFile(`${path}.new`, JSON.stringify(place));
  await rename(`${path}.new`, path);
}
