// Where what is read of a file goes. A sink decides when it has taken something for good.
import { createLineCutter } from "./lines.ts";

export type Sink = {
  /** Takes bytes, which are overwritten afterwards; resolves when more may come. */
  push(bytes: Buffer): Promise<void>;
  /** Is called after each look at the file, with the time of the look in milliseconds. */
  tick(now: number): Promise<void>;
  /** No more will come here; with `whole`, what has no line feed is a line as well. */
  end(whole: boolean): Promise<void>;
  /** Where to go on after a restart: all before it has been taken for good. */
  position(): number;
};

/** A sink for whoever is done with a line as soon as it has been given: each line, and how it came in `flags`. */
export function createLineSink(
  onLine: (line: string, flags: readonly string[]) => void,
  { startAt = 0, maxLine = 64 * 1024 } = {},
): Sink {
  const cutter = createLineCutter(maxLine, (line, _start, _end, flags) => onLine(line, flags), { startAt });
  return {
    push: async (bytes) => cutter.push(bytes),
    tick: async () => undefined,
    end: async (whole) => {
      if (whole) cutter.end();
    },
    position: cutter.position,
  };
}
