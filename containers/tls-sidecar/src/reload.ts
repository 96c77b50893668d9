// Takes over what can change while the sidecar runs: files first checked, then used by all threads. Anything doubtful
// leaves everything as it was.
import { isDeepStrictEqual } from "node:util";

import type { ReloadOutcome } from "@outrigger/runtime";

import type { SidecarContext } from "./container.ts";
import { loadMaterial } from "./material.ts";
import type { Material } from "./material.ts";
import type { Values } from "./policy.ts";
import { reloadable, unreloadableChanges } from "./reloadable.ts";

/** What is being served with. */
export type Live = { values: Values; material: Material };

/** Reads everything again; `apply` is called with what is good and other than before. */
export async function reload(
  { reread }: SidecarContext,
  live: Live,
  apply: (next: Live) => Promise<void>,
): Promise<ReloadOutcome> {
  const { values, problems } = await reread();
  const reasons = problems.length > 0 ? problems : unreloadableChanges(live.values, values as Values);
  if (reasons.length > 0) return { outcome: "refused", reasons };
  const next = { ...live.values, ...reloadable(values as Values) };
  const loaded = await loadMaterial(next);
  if (loaded.problems !== undefined) return { outcome: "refused", reasons: loaded.problems };
  const same = isDeepStrictEqual(reloadable(next), reloadable(live.values));
  if (same && loaded.material.fingerprint === live.material.fingerprint) return { outcome: "unchanged" };
  await apply({ values: next, material: loaded.material });
  return { outcome: "applied" };
}
