// From one source of bytes to the outputs: what is read is written before more is read, so that memory stays bounded, an
// output that is slow slows down the reading, and a position is only remembered once everything before it has arrived.
import { createLineCutter } from "@outrigger/tailing";
import type { Sink } from "@outrigger/tailing";

import { createNormalizer } from "./normalizer.ts";
import type { NormalizerSettings } from "./normalizer.ts";

/** The counts of one input. */
export type Counts = { read(lines: number): void; delivered(lines: number): void; dropped(lines: number): void };

export type PumpSettings = Omit<NormalizerSettings, "emit" | "dropBlank" | "file"> & {
  readonly maxLine: number;
  readonly multilineTimeout: number;
  readonly countRecord: (format: string) => void;
  /** Resolves when all outputs have taken it. */
  readonly deliver: (text: string) => Promise<void>;
};

/**
 * What it is given has been delivered when the promise resolves, except for records that wait for further lines; a tick
 * delivers those that have waited long enough.
 */
export function createPump(settings: PumpSettings, counts: Counts, { file = "", startAt = 0 } = {}): Sink {
  let batch = "";
  let batchLines = 0;
  let read = 0;
  const normalizer = createNormalizer({
    ...settings,
    file,
    emit: (text, lines, format) => {
      batch += text;
      batchLines += lines;
      settings.countRecord(format);
    },
    dropBlank: (lines) => counts.dropped(lines),
  });
  const cutter = createLineCutter(
    settings.maxLine,
    (line, start, _, flags) => {
      read++;
      normalizer.push(line, start, flags);
    },
    startAt,
  );
  let delivered = startAt;
  return {
    push: (bytes) => {
      cutter.push(bytes);
      return deliver();
    },
    tick: (now) => {
      normalizer.flush(now - settings.multilineTimeout);
      return deliver();
    },
    end: (whole) => {
      if (whole) cutter.end();
      normalizer.flush();
      return deliver();
    },
    position: () => delivered,
  };

  async function deliver(): Promise<void> {
    if (read > 0) counts.read(read);
    read = 0;
    const position = Math.min(cutter.position(), normalizer.pendingStart());
    if (batch !== "") {
      const [text, lines] = [batch, batchLines];
      batch = "";
      batchLines = 0;
      await settings.deliver(text);
      counts.delivered(lines);
    }
    delivered = position;
  }
}
