// Help for an application that knows nothing of HTTPS.
import { address, boolean, duration, integer, option } from "@outrigger/options";

const TEN_YEARS_MS = 3650 * 86_400_000;

export const legacy = {
  redirectListen: option({
    kind: address("0.0.0.0"),
    section: "Help for the application",
    summary:
      "Where clients that come by plain HTTP are sent on: each request is answered 308 with the same URL by HTTPS. By default nowhere.",
  }),
  redirectPort: option({
    kind: integer(1, 65_535),
    section: "Help for the application",
    summary:
      "The port in those URLs: the one at which clients reach the TLS listener, such as a Service's 443. By default the port of `--listen`.",
  }),
  hsts: option({
    kind: duration({ maxMs: TEN_YEARS_MS }),
    section: "Help for the application",
    summary:
      "Tell browsers with `Strict-Transport-Security` to come by HTTPS only for this long, such as `365d`, in place of what the application says; `0` makes them forget it. By default responses are left as they are.",
  }),
  rewriteLocation: option({
    kind: boolean(),
    default: "false",
    section: "Help for the application",
    summary: "Make `Location: http://` of the application's redirects to the host that was asked `https://`.",
  }),
  rewriteCookies: option({
    kind: boolean(),
    default: "false",
    section: "Help for the application",
    summary: "Add `Secure` to the cookies that the application sets without it.",
  }),
};
