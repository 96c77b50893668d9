// Which identities may send which requests.
import { option, structured } from "@outrigger/options";

import { rulesSchema } from "../rules.ts";

export const rules = {
  rules: option({
    kind: structured(rulesSchema, "a list of rules, each with path, methods and allow"),
    section: "Client certificates",
    summary:
      "Rules by route, for mode `http`: each has a `path` (with all below it), perhaps `methods`, and `allow`: `anyone`, `certificate`, `nobody`, or lists `cn`, `ou`, `dns`, `uri`, `ip`, `spki` as the `--allow-*` options have them. The first that fits a request decides; where none does, whoever was let in may. Others are answered 403.",
  }),
};
