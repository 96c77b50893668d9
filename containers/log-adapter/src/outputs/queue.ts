// What waits for one output: in memory up to a limit, then on disk, and then whoever brings more has to wait.
import { setTimeout as delay } from "node:timers/promises";

import type { DiskBuffer } from "./disk-buffer.ts";
import { createSender } from "./sender.ts";
import type { Sender, SendingEvents } from "./sender.ts";
import type { Transport } from "./transport.ts";

/** A batch for one output. */
export type Item = {
  readonly text: string;
  readonly lines: number;
  /** Whoever brings it cannot read it again after a restart: only then it is worth keeping on disk. */
  readonly isVolatile: boolean;
};

export type Queue = {
  /** Whether a batch of this size would be accepted at once. */
  hasRoom(bytes: number, isVolatile: boolean): boolean;
  /** `accepted` resolves when it is kept; `done` when it was taken (true) or refused for good (false). */
  put(item: Item): { readonly accepted: Promise<void>; readonly done: Promise<boolean> };
  readonly bytes: () => number;
  /** Resolves when what an earlier run has left has been taken or refused. */
  leftDelivered(): Promise<void>;
  close(): Promise<void>;
};

export type QueueSettings = {
  readonly transport: Transport;
  readonly memoryBytes: number;
  readonly disk: DiskBuffer | undefined;
  /** How many texts an earlier run has left on disk. */
  readonly left: number;
  readonly on: SendingEvents & {
    /** The disk does not take any more: memory has to do. */
    undiskable(error: Error): void;
    /** What an earlier run has left on disk has been delivered, or refused. */
    leftDelivered(lines: number, taken: boolean): void;
  };
};

type Waiting = Item & { readonly resolve: (taken: boolean) => void };

/** A condition that somebody waits for, again and again. */
type Bell = { readonly rung: () => Promise<void>; ring(): void };

type State = {
  readonly settings: QueueSettings;
  readonly memory: Waiting[];
  /** Those that are being sent. */
  sending: readonly Waiting[];
  /** Bytes in memory, with what is being sent. */
  held: number;
  /** Who waits for what is on disk, in its order. */
  readonly onDisk: ((taken: boolean) => void)[];
  /** What an earlier run has left has nobody who waits for it, and comes first. */
  left: number;
  readonly room: Bell;
  readonly work: Bell;
};

export function createQueue(settings: QueueSettings): Queue {
  const { transport, disk, left, on } = settings;
  const state: State = {
    settings,
    memory: [],
    sending: [],
    held: 0,
    onDisk: [],
    left,
    room: createBell(),
    work: createBell(),
  };
  const closing = new AbortController();
  const running = run(state, createSender(transport, on, closing.signal), closing.signal);
  return {
    hasRoom: (bytes, isVolatile) =>
      !mustWait(state, bytes, isVolatile) || (isVolatile && disk?.hasRoom(bytes) === true),
    put: (item) => {
      const { promise: done, resolve } = Promise.withResolvers<boolean>();
      return { accepted: keep(state, { ...item, resolve }), done };
    },
    bytes: () => state.held + (disk?.bytes() ?? 0),
    leftDelivered: async () => {
      while (state.left > 0 && !closing.signal.aborted) await state.room.rung();
    },
    close: async () => {
      closing.abort();
      state.room.ring();
      state.work.ring();
      await Promise.race([running, delay(500, undefined, { ref: false })]);
      await transport.close();
      await saveRest(state);
      await disk?.close();
    },
  };
}

function createBell(): Bell {
  let next = Promise.withResolvers<void>();
  return {
    rung: () => next.promise,
    ring: () => {
      next.resolve();
      next = Promise.withResolvers();
    },
  };
}

/** What is on disk is older than what comes, and must stay so. A batch larger than the limit has memory for itself. */
function mustWait({ onDisk, left, held, settings }: State, bytes: number, isVolatile: boolean): boolean {
  return (isVolatile && onDisk.length + left > 0) || (held > 0 && held + bytes > settings.memoryBytes);
}

async function keep(state: State, item: Waiting): Promise<void> {
  const { text, isVolatile } = item;
  const { disk } = state.settings;
  while (mustWait(state, text.length, isVolatile)) {
    if (isVolatile && disk?.hasRoom(text.length) === true && (await keepOnDisk(state, disk, item))) return;
    if (mustWait(state, text.length, isVolatile)) await state.room.rung();
  }
  state.memory.push(item);
  state.held += text.length;
  state.work.ring();
}

async function keepOnDisk(state: State, disk: DiskBuffer, item: Waiting): Promise<boolean> {
  // Before it is written: the reader may be faster than this function.
  state.onDisk.push(item.resolve);
  try {
    await disk.append(item);
  } catch (error) {
    state.onDisk.splice(state.onDisk.indexOf(item.resolve), 1);
    state.settings.on.undiskable(error as Error);
    return false;
  }
  state.work.ring();
  return true;
}

/** Sends one after the other: what is volatile in memory is older than what is on disk. */
async function run(state: State, sender: Sender, closing: AbortSignal): Promise<void> {
  const { memory, settings } = state;
  while (!closing.aborted) {
    const rung = state.work.rung();
    const isNext = memory.every(({ isVolatile }) => !isVolatile);
    const entry = isNext ? await settings.disk?.first() : undefined;
    const items = takeTogether(memory);
    if (items.length > 0) await sendItems(state, sender, items);
    if (entry !== undefined && !closing.aborted) await sendEntry(state, sender, entry);
    if (entry === undefined && items.length === 0) await rung;
  }
}

/** What goes together in one sending, where much waits. */
const TOGETHER = 1024 * 1024;

function takeTogether(memory: Waiting[]): Waiting[] {
  let [count, size] = [0, 0];
  while (count < memory.length && (count === 0 || size + memory[count]!.text.length <= TOGETHER)) {
    size += memory[count++]!.text.length;
  }
  return memory.splice(0, count);
}

async function sendItems(state: State, sender: Sender, items: readonly Waiting[]): Promise<void> {
  state.sending = items;
  const text = items.length === 1 ? items[0]!.text : items.map((item) => item.text).join("");
  const lines = items.reduce((sum, item) => sum + item.lines, 0);
  const taken = await sender.send(text, lines);
  if (taken === undefined) return;
  state.sending = [];
  for (const item of items) item.resolve(taken);
  state.held -= text.length;
  state.room.ring();
}

/** What could not be delivered before the end is kept for the next run, if it cannot be read again. */
async function saveRest({ sending, memory, settings: { disk, on } }: State): Promise<void> {
  try {
    for (const item of [...sending, ...memory]) if (item.isVolatile) await disk?.append(item);
  } catch (error) {
    on.undiskable(error as Error);
  }
}

async function sendEntry(state: State, sender: Sender, entry: { text: string; lines: number }): Promise<void> {
  const taken = await sender.send(entry.text, entry.lines);
  if (taken === undefined) return;
  await state.settings.disk!.shift();
  if (state.left > 0) {
    state.left--;
    state.settings.on.leftDelivered(entry.lines, taken);
  } else state.onDisk.shift()?.(taken);
  state.room.ring();
}
