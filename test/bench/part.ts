// What a part of the benchmark is: a folder here whose part.ts exports `part`.

export type Settings = {
  readonly rounds: number;
  /** A smoke run: everything once and short. The numbers mean nothing. */
  readonly quick: boolean;
  /** Names of subjects and works to keep; all where undefined. */
  readonly only: ReadonlySet<string> | undefined;
  /** A temporary folder that is removed afterwards. */
  readonly folder: string;
  readonly progress: (line: string) => void;
};

export type Part = {
  readonly title: string;
  /** How it is measured, in three lines. */
  readonly method: readonly string[];
  /** The names that `--only` understands. */
  readonly names: readonly string[];
  /** Measures, and returns the result as Markdown. */
  run(settings: Settings): Promise<string>;
};

/** Whether `--only` keeps this one of `names`: it does if it names it, or none of them. */
export function keeps(only: ReadonlySet<string> | undefined, name: string, names: readonly string[]): boolean {
  return only === undefined || only.has(name) || !names.some((other) => only.has(other));
}
