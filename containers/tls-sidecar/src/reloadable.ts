// What may change while the sidecar runs: who may connect, and which files say so. Everything else needs a restart.
import { isDeepStrictEqual } from "node:util";

import { options } from "./options.ts";
import type { PolicyValues, Values } from "./policy.ts";
import { policyValuesOf } from "./policy.ts";

type Reloadable = PolicyValues & Pick<Values, "clientCa" | "cert" | "key" | "rules">;

export const reloadable = (values: Values): Reloadable => ({
  ...policyValuesOf(values),
  cert: values.cert,
  key: values.key,
  clientCa: values.clientCa,
  rules: values.rules,
});

/** Why the new values cannot be taken over. */
export function unreloadableChanges(before: Values, after: Values): string[] {
  const fixed = Object.keys(options).filter((option) => !(option in reloadable(before)));
  return (fixed as (keyof Values)[])
    .filter((option) => !isDeepStrictEqual(before[option], after[option]))
    .map((option) => `${option}: expected to stay as it was until a restart, got another value`);
}
