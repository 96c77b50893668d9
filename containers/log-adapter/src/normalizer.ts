// One stream of lines into records: unwraps what a container runtime has put around them and joins what belongs together.
// A record waits for the next line, or for a time, to know that it is whole.
import type { DetectionSettings } from "./detect.ts";
import { unwrap } from "./formats/wrapper.ts";
import { createJoiner } from "./joiner.ts";
import type { Joiner } from "./joiner.ts";
import type { Circumstances } from "./model.ts";
import type { Verdict } from "./processing/rules.ts";
import type { Reading } from "./reading.ts";
import type { TimeSettings } from "./timestamp.ts";

export type NormalizerSettings = TimeSettings &
  DetectionSettings & {
    /** The file that the lines are from, or nothing. */
    readonly file: string;
    /** Characters that one record may be joined to. */
    readonly maxRecord: number;
    readonly keepOriginal: boolean;
    /** Receives a record, of so many lines; the reading is used again afterwards. */
    emit(reading: Reading, circumstances: Circumstances, lines: number): void;
    /** Changes the record as the user has asked for, and says whether it passes. */
    process(reading: Reading): Verdict;
    /** Is told of lines that come to be in no record. */
    drop(lines: number, reason: "blank" | Exclude<Verdict, "pass">): void;
  };

export type Normalizer = {
  push(line: string, start: number, flags: readonly string[]): void;
  /** Writes what waits, if it has waited since before `ms`. */
  flush(ms?: number): void;
  /** Where the first line begins that is not in a written record; Infinity where all are. */
  pendingStart(): number;
};

/** Streams in one file: none, or those of a container's log. */
const MAX_STREAMS = 16;

export function createNormalizer(settings: NormalizerSettings): Normalizer {
  const streams = new Map<string, Joiner>();
  const plain = createJoiner(settings, "");
  streams.set("", plain);
  return {
    push: (line, start, flags) => {
      const inner = unwrap(line);
      if (inner === undefined) return plain.push(line, start, flags);
      streamOf(inner.iostream).pushPart(inner.text, start, flags, inner);
    },
    flush: (ms = Number.POSITIVE_INFINITY) => {
      for (const joiner of streams.values()) joiner.flush(ms);
    },
    pendingStart: () => Math.min(...[...streams.values()].map((joiner) => joiner.pendingStart())),
  };

  function streamOf(name: string): Joiner {
    const known = streams.get(name);
    if (known !== undefined) return known;
    const joiner = createJoiner(settings, streams.size < MAX_STREAMS ? name : "");
    if (streams.size < MAX_STREAMS) streams.set(name, joiner);
    return joiner;
  }
}
