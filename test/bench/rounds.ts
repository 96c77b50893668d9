// Measuring several subjects in turns (A B C, B C A, C A B ...), so that what else the machine does hits all of them.

export type Sample = Readonly<Record<string, number>>;

/** What came of one subject: a sample for every round, or why there is none. */
export type Outcome = { readonly samples: readonly Sample[] } | { readonly missing: string };

export type Turns<T> = {
  readonly subjects: ReadonlyMap<string, T>;
  readonly rounds: number;
  /** One more round beforehand that does not count: compilers and pools warm up. */
  readonly warmUp: boolean;
  readonly measure: (subject: T) => Promise<Sample>;
  readonly progress: (line: string) => void;
};

const show = (sample: Sample): string =>
  Object.entries(sample)
    .map(([key, value]) => `${key} ${value.toPrecision(4)}`)
    .join(", ");

/** Measures each subject once a round. A subject that fails takes no further part, and its outcome says why. */
export async function measureInTurns<T>(turns: Turns<T>): Promise<Map<string, Outcome>> {
  const names = [...turns.subjects.keys()];
  const samples = new Map<string, Sample[]>(names.map((name) => [name, []]));
  const failures = new Map<string, string>();
  for (let round = turns.warmUp ? -1 : 0; round < turns.rounds; round++) {
    const first = Math.max(round, 0) % Math.max(names.length, 1);
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      if (failures.has(name)) continue;
      try {
        const sample = await turns.measure(turns.subjects.get(name)!);
        if (round >= 0) samples.get(name)!.push(sample);
        turns.progress(`  ${round < 0 ? "warm-up" : `round ${round + 1}`}  ${name}: ${show(sample)}`);
      } catch (error) {
        failures.set(name, `failed: ${error instanceof Error ? error.message : String(error)}`);
        turns.progress(`  ${name} ${failures.get(name)}`);
      }
    }
  }
  return new Map(
    names.map((name) => {
      const missing = failures.get(name);
      return [name, missing === undefined ? { samples: samples.get(name)! } : { missing }];
    }),
  );
}
