// Watches files and folders by level, not by edge: an event, a timer or a call only says that something may have
// changed; what decides is whether the paths are now other than when they were last looked at. So no lost, doubled or
// early event matters, and the swaps of a Kubernetes volume need no rule of their own.
import { resolve } from "node:path";

import { createDebounce } from "./debounce.ts";
import { createEvents } from "./events.ts";
import type { Fingerprint } from "./fingerprint.ts";
import { fingerprintOf } from "./fingerprint.ts";

/** `events`: the file system tells of changes. `poll`: it refused to, and the paths are looked at every `pollMs`. */
export type WatchMode = "events" | "poll";

export type WatchOptions = {
  /** Receives the paths, as they were given, that changed since the last call or the start. */
  readonly onChange: (changed: string[]) => void;
  /** How long it has to be quiet before the paths are looked at: 100 ms. */
  readonly debounceMs?: number;
  /** How long a lasting stream of events can put that off: 2 s. */
  readonly maxDelayMs?: number;
  /** How often the paths are looked at although no event asked for it: 30 s. */
  readonly rescanMs?: number;
  /** The same where there are no events: 2 s. */
  readonly pollMs?: number;
  /** Receives the mode, at the start and if it changes; the reason why there are no events. */
  readonly onMode?: (mode: WatchMode, reason?: string) => void;
};

export type FileWatch = {
  readonly mode: WatchMode;
  /** Asks to look at the paths now, as an event would. */
  check(): void;
  /** Ends the watch: no timer, handle or call is left once the promise resolves. May be called again. */
  close(): Promise<void>;
};

/**
 * Watches paths, which may be files, folders (one level deep) or links to them, and need not exist. Whatever changes
 * after the promise has resolved is reported, so watch first and read then. A file's content decides, up to 1 MiB; of a
 * larger one its inode, size and times. Never rejects for want of events: it polls instead until it is closed.
 */
export async function watchPaths(paths: readonly string[], options: WatchOptions): Promise<FileWatch> {
  const { debounceMs = 100, maxDelayMs = 2000, rescanMs = 30_000, pollMs = 2000 } = options;
  const watched = new Map(paths.map((path) => [path, resolve(path)]));
  const known = new Map<string, Fingerprint>();
  let mode: WatchMode = "events";
  let closing: Promise<void> | undefined;

  // On a stack of its own: what the callee throws is not taken for an error of the watch.
  const tell = (call: () => void): void => queueMicrotask(() => closing === undefined && call());

  async function compare(): Promise<string[]> {
    const changed: string[] = [];
    for (const [path, absolute] of watched) {
      const last = known.get(path);
      const now = await fingerprintOf(absolute, last);
      known.set(path, now);
      if (last !== undefined && last.identity !== now.identity) changed.push(path);
    }
    return changed;
  }

  async function look(): Promise<void> {
    const changed = await compare();
    if (changed.length > 0) tell(() => options.onChange(changed));
    await events.follow([...watched.values()]);
  }

  const debounce = createDebounce(look, debounceMs, maxDelayMs);
  const events = createEvents(debounce.mark, (error) => {
    mode = "poll";
    clearInterval(timer);
    timer = setInterval(debounce.mark, pollMs);
    tell(() => options.onMode?.("poll", error.message));
  });
  let timer = setInterval(debounce.mark, rescanMs);

  async function end(): Promise<void> {
    await debounce.close();
    await events.close();
    clearInterval(timer);
  }

  await look();
  if (mode === "events") tell(() => options.onMode?.("events"));
  return {
    get mode() {
      return mode;
    },
    check: debounce.mark,
    close: () => (closing ??= end()),
  };
}
