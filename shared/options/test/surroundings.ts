// Parameters for tests: flags, variables and files, all as values.
import type { CommandLine, OptionTable, Resolution, Surroundings } from "../src/index.ts";
import { resolveOptions } from "../src/index.ts";

export type Given = {
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly command?: CommandLine;
};

export function surroundings({ argv = [], env = {}, files = {}, command }: Given): Surroundings {
  const readFile = (path: string): string => {
    const content = files[path];
    if (content === undefined) throw Object.assign(new Error(`no such file: ${path}`), { code: "ENOENT" });
    return content;
  };
  return { argv, env, readFile, command };
}

/** Resolves the options of a container named `demo`, whose variables begin with DEMO_. */
export const resolve = <T extends OptionTable>(table: T, given: Given): Resolution<T> =>
  resolveOptions("demo", table, surroundings(given));
