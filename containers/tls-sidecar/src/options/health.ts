// Whether the application can serve.
import { boolean, duration, option, text } from "@outrigger/options";

export const health = {
  targetStatus: option({
    kind: text("a path that begins with /"),
    section: "Health of the application",
    summary: "A path of the application that answers 200 to 399 when it can serve. By default a connection is enough.",
  }),
  startWait: option({
    kind: boolean(),
    default: "false",
    section: "Health of the application",
    summary:
      "Accept clients only once the application has answered for the first time. By default they are accepted at once, and answered 502 until then.",
  }),
  targetInterval: option({
    kind: duration({ positive: true }),
    default: "2s",
    section: "Health of the application",
    summary: "How often the application is asked; `/readyz` is 503 while it is down.",
  }),
};
