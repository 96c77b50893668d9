// A program of its own that watches a file of a Kubernetes volume in the folder named by its first argument, sees three
// swaps, closes the watch, waits until no handle and no timer is left, writes what it saw as JSON, and ends by itself. With `starve` as
// its second argument it has no file descriptor to spare when it begins to watch.
import { openSync, closeSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
// oxlint-disable-next-line no-restricted-imports -- this is a whole program
import { argv, getActiveResourcesInfo } from "node:process";
import { setImmediate } from "node:timers/promises";

import { watchPaths } from "../src/index.ts";
import { createVolume } from "./kubernetes-volume.ts";

const volume = createVolume(argv[2]!, { "tls.crt": "0" });
const file = join(volume.folder, "tls.crt");
const modes: string[] = [];
const seen: string[] = [];
let changed: (() => void) | undefined;

const hoarded: number[] = [];
const hoard = (): void => {
  for (;;) hoarded.push(openSync("/dev/null", "r"));
};
if (argv[3] === "starve") {
  try {
    hoard();
  } catch {
    // No descriptor is left.
  }
}

const watch = await watchPaths([file], {
  debounceMs: 20,
  rescanMs: 600_000,
  pollMs: 50,
  onMode: (mode, reason) => modes.push(reason === undefined ? mode : `${mode}: ${reason}`),
  onChange: () => {
    seen.push(readFileSync(file, "utf8"));
    changed?.();
  },
});
for (const descriptor of hoarded) closeSync(descriptor);

for (const content of ["1", "2", "3"]) {
  volume.publish({ "tls.crt": content });
  while (seen.at(-1) !== content) {
    await new Promise<void>((resolve) => {
      changed = resolve;
    });
  }
}
await watch.close();
// Node goes on counting closed handles until they have been collected; standard output is a pipe.
const left = (): string[] => getActiveResourcesInfo().filter((name) => !name.startsWith("Pipe"));
while (left().length > 0) await setImmediate();
writeSync(1, JSON.stringify({ mode: watch.mode, modes, seen }));
