// Whatever a helper acquires it hands to a registrar of undoing, so that this package needs no test runner: vitest's
// `onTestFinished` and `afterAll` are such registrars, and so is any function that collects callbacks.
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Takes a function to call when the test (or the program) is over. */
export type Cleanup = (undo: () => Promise<void> | void) => void;

/** The absolute path of a fresh, empty folder, which is removed with all that it holds on clean-up. */
export function tempDir(cleanup?: Cleanup): string {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "outrigger-"));
  cleanup?.(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}
