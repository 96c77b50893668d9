// memcached by its text protocol: stats, stats settings, stats items and stats slabs, with memcached_exporter's names.
import { connect } from "node:net";

import { formatAddress, parseAddress } from "@outrigger/options";
import * as z from "@outrigger/options/zod";

import type { Labels } from "../../exposition/model.ts";
import type { Section } from "../../source.ts";
import { defineSource } from "../../source.ts";
import { decimalIn } from "../numbers.ts";
import type { Row } from "./names.ts";
import { SETTINGS, SLAB_ITEMS, SLABS, STATS } from "./names.ts";

const schema = z.strictObject({
  address: z
    .string()
    .default("127.0.0.1:11211")
    .refine((text) => parseAddress(text, "127.0.0.1") !== undefined, "host:port, [ipv6]:port or unix:/path"),
});

type Fields = ReadonlyMap<string, string>;
/** The answers to the four questions; `slabs` and `items` by class. */
export type Statistics = {
  readonly stats: Fields;
  readonly settings: Fields;
  readonly items: ReadonlyMap<string, Fields>;
  readonly slabs: ReadonlyMap<string, Fields>;
};

const QUESTIONS = ["stats", "stats settings", "stats items", "stats slabs"] as const;

/** Asks on a connection of its own, all at once; resolves with the lines of each answer. */
function ask(
  address: string,
  { signal, maxBodySize }: { signal: AbortSignal; maxBodySize: number },
): Promise<string[]> {
  const { promise, resolve, reject } = Promise.withResolvers<string[]>();
  const target = parseAddress(address, "127.0.0.1")!;
  const socket = connect(target);
  let received = "";
  const fail = (error: Error): void => reject(new Error(`${formatAddress(target)}: ${error.message}`));
  const abort = (): void => fail(new Error("aborted"));
  signal.addEventListener("abort", abort);
  socket.setEncoding("latin1");
  socket.on("data", (text: string) => {
    received += text;
    // A server without slabs answers ERROR to nothing that we ask; another server may.
    const answers = received.split(/^(?:END|ERROR|RESET|CLIENT_ERROR.*|SERVER_ERROR.*)\r\n/m);
    if (received.length > maxBodySize) fail(new Error(`expected at most ${maxBodySize} bytes, got more`));
    else if (answers.length > QUESTIONS.length) resolve(answers.slice(0, QUESTIONS.length));
  });
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("the server closed the connection")));
  socket.write(QUESTIONS.map((question) => `${question}\r\n`).join(""));
  return promise.finally(() => {
    signal.removeEventListener("abort", abort);
    socket.destroy();
  });
}

/** `STAT name value` lines; anything else is passed over. */
function fieldsIn(answer: string): Fields {
  return new Map(
    [...answer.matchAll(/^STAT (\S+) (.*?)\r?$/gm)].map(([, name, value]): [string, string] => [name!, value!]),
  );
}

/** `items:3:number` and `3:chunk_size`, by class. */
function byClass(fields: Fields): Map<string, Map<string, string>> {
  const classes = new Map<string, Map<string, string>>();
  for (const [name, value] of fields) {
    const match = /^(?:items:)?(\d+):(\w+)$/.exec(name);
    if (match === null) continue;
    const slab = classes.get(match[1]!) ?? new Map<string, string>();
    classes.set(match[1]!, slab.set(match[2]!, value));
  }
  return classes;
}

export function parseStatistics([stats = "", settings = "", items = "", slabs = ""]: readonly string[]): Statistics {
  const parsed = fieldsIn(stats);
  if (!parsed.has("version")) throw new Error("expected the statistics of memcached, got something else");
  return {
    stats: parsed,
    settings: fieldsIn(settings),
    items: byClass(fieldsIn(items)),
    slabs: byClass(fieldsIn(slabs)),
  };
}

const SWITCHES: Readonly<Record<string, string>> = { yes: "1", no: "0" };

function addRows(
  section: Section,
  rows: readonly Row[],
  fields: Fields,
  { labels, of }: { labels: Labels; of: string },
): void {
  for (const [field, name, type] of rows) {
    const text = fields.get(field);
    const value = decimalIn(SWITCHES[text ?? ""] ?? text);
    const help = `${of} ${field} of memcached.`;
    if (value !== undefined) section.point({ name, type, help }, value, labels, `${of}: ${field}`);
  }
}

const OPERATIONS = ["get", "delete", "incr", "decr", "cas", "touch"];
const count = (fields: Fields, name: string): number => decimalIn(fields.get(name)) ?? 0;
/** What was set by `set` itself: cas is counted with it. */
const setsOf = (fields: Fields): number =>
  count(fields, "cmd_set") -
  ["cas_hits", "cas_misses", "cas_badval"].reduce((sum, name) => sum + count(fields, name), 0);

function addCommands(
  section: Section,
  fields: Fields,
  { name, labels, statuses }: { name: string; labels: Labels; statuses: readonly string[] },
): void {
  const add = (command: string, status: string, value: number | undefined, origin: string): void => {
    const help = "Total number of all requests broken down by command (get, set, etc.) and status.";
    if (value === undefined) return;
    section.point({ name, type: "counter", help }, value, [...labels, "command", command, "status", status], origin);
  };
  for (const operation of OPERATIONS) {
    for (const status of statuses) {
      const field = `${operation}_${status}`;
      add(operation, status === "hits" ? "hit" : "miss", decimalIn(fields.get(field)), field);
    }
  }
  add("cas", "badval", decimalIn(fields.get("cas_badval")), "cas_badval");
  if (fields.has("cmd_set")) add("set", "hit", Math.max(0, setsOf(fields)), "cmd_set less those of cas");
  if (labels.length === 0) add("flush", "hit", decimalIn(fields.get("cmd_flush")), "cmd_flush");
}

const LRUS = ["hot", "warm", "cold", "temp"];

export function addStatistics(section: Section, { stats, settings, items, slabs }: Statistics): void {
  const version = { name: "memcached_version", type: "gauge", help: "The version of this memcached server." } as const;
  section.point(version, 1, ["version", stats.get("version") ?? ""], "stats: version");
  addRows(section, STATS, stats, { labels: [], of: "stats" });
  addRows(section, SETTINGS, settings, { labels: [], of: "stats settings" });
  addCommands(section, stats, { name: "memcached_commands_total", labels: [], statuses: ["hits", "misses"] });
  for (const [slab, fields] of items) {
    addRows(section, SLAB_ITEMS, fields, { labels: ["slab", slab], of: "stats items" });
    for (const lru of LRUS) {
      const hits = decimalIn(fields.get(`hits_to_${lru}`));
      const labels = ["slab", slab, "lru", lru === "temp" ? "temporary" : lru];
      const family = {
        name: "memcached_slab_lru_hits_total",
        type: "counter",
        help: "Number of get hits by LRU.",
      } as const;
      if (hits !== undefined) section.point(family, hits, labels, `stats items: hits_to_${lru}`);
    }
  }
  for (const [slab, fields] of slabs) {
    const labels = ["slab", slab];
    addRows(section, SLABS, fields, { labels, of: "stats slabs" });
    addCommands(section, fields, { name: "memcached_slab_commands_total", labels, statuses: ["hits"] });
  }
}

export const memcached = defineSource<z.infer<typeof schema>>({
  type: "memcached",
  prefix: "memcached",
  schema,
  targetKey: "address",
  explain: async (_, sample, section) => {
    addStatistics(section, parseStatistics(sample.split(/^END\r?\n/m)));
    return [];
  },
  create: ({ address }, { maxBodySize }) => ({
    collect: async (section, { signal }) =>
      addStatistics(section, parseStatistics(await ask(address, { signal, maxBodySize }))),
  }),
});
