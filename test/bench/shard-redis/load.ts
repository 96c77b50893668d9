// Load by redis-benchmark: so many commands over so many connections, and how long they took.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

export type Load = { readonly port: number; readonly commands: number; readonly pipeline: number };

const CONNECTIONS = 50;
const KEYS = 100_000;
const TIMEOUT_MS = 120_000;

/** Commands a second, from the last line of `redis-benchmark --csv`. Throws if there is none. */
export function rateIn(csv: string): number {
  const rate = Number(/^"[^"]*","(?<rate>[\d.]+)"/.exec(csv.trim().split("\n").at(-1)!)?.groups?.["rate"]);
  if (rate > 0) return rate;
  throw new Error(`redis-benchmark: expected a rate, got ${csv.slice(0, 200)}`);
}

/** Sends one command over and over, with `__rand_int__` in it replaced; gives how many were answered a second. */
export async function runLoad(program: string, { port, commands, pipeline }: Load, command: string[]): Promise<number> {
  const flags = { p: port, c: CONNECTIONS, n: commands, P: pipeline, r: KEYS };
  const args = Object.entries(flags).flatMap(([name, value]) => [`-${name}`, String(value)]);
  const { stdout } = await promisify(execFile)(program, [...args, "--csv", ...command], { timeout: TIMEOUT_MS });
  return rateIn(stdout);
}
