// Whether the application can serve.
import { duration, option, text } from "@outrigger/options";

export const health = {
  targetStatus: option({
    kind: text("a path that begins with /"),
    section: "Health of the application",
    summary: "A path of the application that answers 200 to 399 when it can serve. By default a connection is enough.",
  }),
  targetInterval: option({
    kind: duration({ positive: true }),
    default: "2s",
    section: "Health of the application",
    summary: "How often the application is asked; `/readyz` is 503 while it is down.",
  }),
};
