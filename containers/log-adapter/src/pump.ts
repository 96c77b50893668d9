// From one source of bytes to the outputs. What is on its way is bounded, so that an output that is slow slows down the
// reading; a position is only remembered once everything before it has arrived.
import { createLineCutter } from "@outrigger/tailing";
import type { OnLine, Sink } from "@outrigger/tailing";

import { createNormalizer } from "./normalizer.ts";
import type { NormalizerSettings } from "./normalizer.ts";
import type { Batch, Outputs } from "./outputs.ts";

/** Why a line did not come to be in a record that all outputs have taken. */
export const DROP_REASONS = ["blank", "rule", "sampled", "limited", "refused", "overflow"] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** The counts of one input. */
export type Counts = {
  read(lines: number): void;
  delivered(lines: number): void;
  dropped(lines: number, reason: DropReason): void;
};

export type PumpSettings = Omit<NormalizerSettings, "emit" | "drop" | "file"> & {
  readonly maxLine: number;
  readonly charset: string;
  readonly multilineTimeout: number;
  readonly countRecord: (format: string) => void;
  readonly outputs: Outputs;
};

/** How the source is. */
export type PumpSource = {
  readonly file?: string;
  readonly startAt?: number;
  /** Its first bytes, where it is not read from there. */
  readonly beginning?: Buffer;
  /** It cannot be read again: what an output does not take yet may be kept on disk. */
  readonly isVolatile?: boolean;
  /** It cannot wait: what there is no room for is dropped, and counted. */
  readonly isLossy?: boolean;
};

export type Pump = Sink & {
  /** Takes lines that are whole, as from a source that has no bytes between them. */
  pushLines(lines: readonly string[]): Promise<void>;
  /** Resolves when all that has been pushed so far has been taken by all outputs, or refused. */
  settled(): Promise<void>;
};

/** Batches that may be on their way at once. */
const WINDOW = 8;

/**
 * Pushing resolves when there is room for more; ending, when all has arrived. Records that wait for further lines wait on; a
 * tick delivers those that have waited long enough.
 */
export function createPump(settings: PumpSettings, counts: Counts, source: PumpSource = {}): Pump {
  const { file = "", startAt = 0, beginning, isVolatile = false, isLossy = false } = source;
  const { outputs } = settings;
  const delivery = createDelivery(outputs, counts, startAt);
  let texts: string[] = [];
  let lines = 0;
  let read = 0;
  const normalizer = createNormalizer({
    ...settings,
    file,
    emit: (reading, circumstances, count) => {
      outputs.encode(texts, reading, circumstances);
      lines += count;
      settings.countRecord(reading.format);
    },
    drop: counts.dropped,
  });
  const onLine: OnLine = (line, start, _, flags) => {
    read++;
    normalizer.push(line, start, flags);
  };
  const cutter = createLineCutter(settings.maxLine, onLine, {
    startAt,
    charset: settings.charset,
    ...(beginning === undefined ? {} : { beginning }),
  });
  return {
    push: (bytes) => {
      cutter.push(bytes);
      return deliver();
    },
    pushLines: (all) => {
      for (const line of all) onLine(line, 0, 0, []);
      return deliver();
    },
    tick: (now) => {
      normalizer.flush(now - settings.multilineTimeout);
      return deliver();
    },
    end: async (whole) => {
      if (whole) cutter.end();
      normalizer.flush();
      await deliver();
      await delivery.settled();
    },
    position: delivery.position,
    settled: delivery.settled,
  };

  async function deliver(): Promise<void> {
    if (read > 0) counts.read(read);
    read = 0;
    const position = Math.min(cutter.position(), normalizer.pendingStart());
    if (lines === 0) return delivery.pass(position);
    const batch: Batch = { texts, lines, isVolatile };
    texts = [];
    lines = 0;
    if (isLossy && !outputs.hasRoom(batch)) counts.dropped(batch.lines, "overflow");
    else await delivery.send(batch, position);
  }
}

type Delivery = {
  /** Resolves when more may come. */
  send(batch: Batch, position: number): Promise<void>;
  /** There is nothing to deliver before the position. */
  pass(position: number): void;
  position(): number;
  settled(): Promise<void>;
};

/** What is on its way to the outputs, in order: the position is that of what has arrived. */
function createDelivery(outputs: Outputs, counts: Counts, startAt: number): Delivery {
  const onTheWay: Promise<void>[] = [];
  let delivered = startAt;
  return {
    send: async (batch, position) => {
      const { accepted, done } = outputs.deliver(batch);
      const arrival = done.then((taken) => {
        if (taken) counts.delivered(batch.lines);
        else counts.dropped(batch.lines, "refused");
        delivered = position;
        void onTheWay.shift();
      });
      onTheWay.push(arrival);
      await accepted;
      if (onTheWay.length > WINDOW && !batch.isVolatile) await onTheWay[0];
    },
    pass: (position) => {
      // What is on its way moves it when it arrives.
      if (onTheWay.length === 0) delivered = position;
    },
    position: () => delivered,
    settled: () => Promise.all(onTheWay).then(() => undefined),
  };
}
