// Keeps a store as the API has it: list once, then watch from there on, and list again when the server says that the
// version is too old, or when a watch does not last.
import { pause } from "../../attempts.ts";
import { TimeoutError } from "../../http.ts";
import type { ApiSettings, KubeObject, Query } from "./api.ts";
import { ApiError, list, watch } from "./api.ts";
import type { Store } from "./store.ts";

export type ReflectorSettings = {
  readonly api: ApiSettings;
  readonly query: Query;
  readonly store: Store;
  /** How long a watch lasts before the server ends it, and how long silence may last. */
  readonly watchMs: number;
  readonly silenceMs: number;
  readonly signal: AbortSignal;
  /** The store has changed, or whether it is up to date has. */
  onChange(): void;
  /** The server has been heard: whatever it has said, it is there. */
  onHeard(): void;
};

export type Reflector = {
  /** Fills the store; throws when that is not possible. */
  relist(): Promise<void>;
  /** Keeps it up to date until the signal is aborted. */
  run(): Promise<void>;
  /** Why the store is not up to date; undefined if it is. */
  problem(): Error | undefined;
};

const FIRST_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 30_000;
/** A watch that ends sooner than this has brought nothing: some servers do so instead of saying 410. */
const TOO_SHORT_MS = 1000;

export function createReflector(settings: ReflectorSettings): Reflector {
  const { store, signal, onChange, onHeard } = settings;
  let version = "";
  let isListed = false;
  let problem: Error | undefined;

  async function relist(): Promise<void> {
    store.begin();
    version = await list(settings.api, settings.query, { onObject: store.put, signal });
    store.finish();
    isListed = true;
    problem = undefined;
    onHeard();
  }

  async function watchOnce(): Promise<void> {
    const began = performance.now();
    // Not all at once: many pods begin at the same time.
    const serverMs = settings.watchMs * (0.8 + 0.2 * Math.random());
    let isHeard = false;
    await watch(settings.api, settings.query, {
      version,
      serverMs,
      silenceMs: settings.silenceMs,
      signal,
      onEvent: ({ type, object }) => {
        isHeard = true;
        version = object.metadata?.resourceVersion ?? version;
        onHeard();
        if (apply(store, type, object)) onChange();
      },
    });
    onHeard();
    if (!isHeard && performance.now() - began < TOO_SHORT_MS)
      throw new ApiError("watch: expected it to last, got its end", 410);
  }

  async function run(): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      try {
        if (!isListed) {
          await relist();
          onChange();
        }
        await watchOnce();
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof TimeoutError)) onHeard();
        isListed = false;
        // Too old a version is no failure: what there is now is listed.
        const isOld = error instanceof ApiError && error.status === 410;
        if (!isOld) {
          problem = error as Error;
          onChange();
        }
        await pause(isOld && failures === 0 ? 0 : Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** failures), signal);
        failures = Math.min(failures + 1, 10);
      }
    }
  }

  return { relist, run, problem: () => problem };
}

/** Whether the store is another one afterwards. */
function apply(store: Store, type: string, object: KubeObject): boolean {
  if (type === "DELETED") store.remove(object);
  else if (type === "ADDED" || type === "MODIFIED") store.put(object);
  else return false;
  return true;
}
