// `shard-ambassador route` and `plan`: where keys belong, and what other shards would mean, without starting anything.
import { readFileSync } from "node:fs";

import { resolveOptions } from "@outrigger/options";
import { commonOptionsOf, defineCommand } from "@outrigger/runtime";

import { options } from "./options.ts";
import type { Values } from "./options.ts";
import { adviseOn } from "./placement/advice.ts";
import { planMove } from "./placement/plan.ts";
import type { Plan } from "./placement/plan.ts";
import { checkPools, poolsOf } from "./pools.ts";
import type { PoolSpec } from "./pools.ts";
import { checkValues, parseShard, placedOf, routeOf } from "./shards.ts";
import { adoptFile } from "./twemproxy/pools.ts";

export const ADMIN_PORT = 9911;

export const route = defineCommand(options, {
  summary:
    "Prints the name and the address of the shard that owns a key, with the shards that the options name. With several pools there is a line for each, which begins with its name.",
  words: ["key"],
  flags: {},
  async run({ options: values, words, stdio }) {
    if (values.discover !== undefined)
      throw new Error("--shards: expected a list, got --discover; the running ambassador tells by GET /api/v1/route");
    const pools = poolsOf(values);
    const lines = pools.map((pool) => {
      const { shard, address } = routeOf(pool.values, Buffer.from(words[0]!));
      return `${pools.length > 1 ? `${pool.name} ` : ""}${shard} ${address}\n`;
    });
    stdio.output().write(lines.join(""));
    return true;
  },
});

export const plan = defineCommand(options, {
  summary:
    "Prints what share of the keys would move from the old shards to the new ones. Each is a list as `--shards` has it, whose placement the options say, or a file: of options, or twemproxy's. Exits 0 if there is nothing to warn of, 1 otherwise.",
  words: ["old", "new"],
  flags: {},
  checksOptions: false,
  async run({ options: values, words, stdio }) {
    const [before, after] = words.map((word) => poolsOf(valuesOf(word, values))) as [PoolSpec[], PoolSpec[]];
    const pairs = pairsOf(before, after);
    const warnings = pairs.flatMap(([was, is]) => adviseOn(placedOf(was.values), placedOf(is.values)));
    const lines = pairs.flatMap(([was, is]) => [
      ...(pairs.length > 1 ? [`pool ${is.name}:`] : []),
      ...linesOf(planMove(placedOf(was.values), placedOf(is.values))),
    ]);
    stdio.output().write(`${[...lines, ...warnings.map((warning) => `warning: ${warning}`)].join("\n")}\n`);
    return warnings.length === 0;
  },
});

/** What other shards would mean for a pool with the placement as it is, or why they cannot be. */
export function planBetween(pools: readonly PoolSpec[], name: string, text: string): Record<string, unknown> {
  const { values } = pools.find((pool) => pool.name === name)!;
  const after = { ...values, shards: itemsOf(text) };
  const problems = checkValues(after, asNamed);
  if (problems.length > 0) return { problems };
  const [was, is] = [placedOf(values), placedOf(after)];
  return { ...planMove(was, is), warnings: adviseOn(was, is), problems };
}

/** Pools of the same name; where both sides have just one, they are the same. */
function pairsOf(before: readonly PoolSpec[], after: readonly PoolSpec[]): [PoolSpec, PoolSpec][] {
  if (before.length === 1 && after.length === 1) return [[before[0]!, after[0]!]];
  const pairs = after.flatMap((is): [PoolSpec, PoolSpec][] => {
    const was = before.find(({ name }) => name === is.name);
    return was === undefined ? [] : [[was, is]];
  });
  if (pairs.length === 0) throw new Error("expected pools of the same name in both files, got none");
  return pairs;
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`.padStart(7);

function linesOf({ moved, moves, load }: Plan): string[] {
  return [
    `${percent(moved)} of the keys move`,
    ...moves.map(({ from, to, share }) => `${percent(share)} from ${from} to ${to}`),
    ...load.map(({ shard, before, after }) => `${shard} owns ${percent(before).trim()}, then ${percent(after).trim()}`),
  ];
}

const itemsOf = (text: string): string[] =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");

/** The values that a word stands for; throws with all problems. */
function valuesOf(word: string, given: Values): Values {
  const items = itemsOf(word);
  const isList = items.every((item) => parseShard(item, given.distribution) !== undefined);
  return isList ? checked({ ...given, pools: undefined, shards: items }, asNamed) : fromFile(word);
}

function fromFile(path: string): Values {
  const table = { ...options, ...commonOptionsOf(ADMIN_PORT) };
  const { values, writtenAs, problems } = resolveOptions("shard-ambassador", table, {
    argv: ["--config", path],
    env: {},
    readFile: (name) => readFileSync(name, "utf8"),
    adoptFile,
  });
  if (problems.length > 0) throw new Error(problems.join("; "));
  return checked(values as Values, writtenAs as Record<keyof Values, string>);
}

function checked(values: Values, writtenAs: Readonly<Record<keyof Values, string>>): Values {
  const problems = checkPools(values, writtenAs);
  if (problems.length > 0) throw new Error(problems.join("; "));
  return values;
}

/** Options by their own names. */
const asNamed = Object.fromEntries(Object.keys(options).map((option) => [option, option])) as Record<
  keyof Values,
  string
>;
