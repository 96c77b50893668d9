// `shard-ambassador route` and `plan`: where keys belong, and what other shards would mean, without starting anything.
import { readFileSync } from "node:fs";

import { resolveOptions } from "@outrigger/options";
import { commonOptionsOf, defineCommand } from "@outrigger/runtime";

import { options } from "./options.ts";
import type { Values } from "./options.ts";
import { adviseOn } from "./placement/advice.ts";
import { planMove } from "./placement/plan.ts";
import type { Plan } from "./placement/plan.ts";
import { checkValues, parseShard, placedOf, routeOf } from "./shards.ts";

export const ADMIN_PORT = 9911;

export const route = defineCommand(options, {
  summary: "Prints the name and the address of the shard that owns a key, with the shards that the options name.",
  words: ["key"],
  flags: {},
  async run({ options: values, words, stdio }) {
    const { shard, address } = routeOf(values, Buffer.from(words[0]!));
    stdio.output().write(`${shard} ${address}\n`);
    return true;
  },
});

export const plan = defineCommand(options, {
  summary:
    "Prints what share of the keys would move from the shards that the options name to the new ones: a list as `--shards` has it, or a file of options. Exits 0 if there is nothing to warn of, 1 otherwise.",
  words: ["new"],
  flags: {},
  async run({ options: values, words, stdio }) {
    const before = placedOf(values);
    const after = placedOf(valuesOf(words[0]!, values));
    const warnings = adviseOn(before, after);
    stdio.output().write(`${[...linesOf(planMove(before, after)), ...warnings.map(warningLine)].join("\n")}\n`);
    return warnings.length === 0;
  },
});

const warningLine = (warning: string): string => `warning: ${warning}`;
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`.padStart(7);

function linesOf({ moved, moves, load }: Plan): string[] {
  return [
    `${percent(moved)} of the keys move`,
    ...moves.map(({ from, to, share }) => `${percent(share)} from ${from} to ${to}`),
    ...load.map(({ shard, before, after }) => `${shard} owns ${percent(before).trim()}, then ${percent(after).trim()}`),
  ];
}

/** The values that a word stands for; throws with all problems. */
function valuesOf(word: string, given: Values): Values {
  const items = word.split(",").map((item) => item.trim());
  const isList = items.every((item) => parseShard(item, given.distribution) !== undefined);
  return isList ? checked({ ...given, shards: items }) : fromFile(word);
}

function fromFile(path: string): Values {
  const table = { ...options, ...commonOptionsOf(ADMIN_PORT) };
  const readFile = (name: string): string => readFileSync(name, "utf8");
  const { values, writtenAs, problems } = resolveOptions("shard-ambassador", table, {
    argv: ["--config", path],
    env: {},
    readFile,
  });
  if (problems.length > 0) throw new Error(problems.join("; "));
  return checked(values as Values, writtenAs as Record<keyof Values, string>);
}

function checked(values: Values, writtenAs?: Readonly<Record<keyof Values, string>>): Values {
  const names = Object.fromEntries(Object.keys(options).map((option) => [option, option]));
  const problems = checkValues(values, writtenAs ?? (names as Record<keyof Values, string>));
  if (problems.length > 0) throw new Error(problems.join("; "));
  return values;
}
