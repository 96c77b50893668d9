// Where a client that came by plain HTTP finds the same by HTTPS.
import type { HeadParser } from "./head-parser.ts";
import { hostOf } from "./head-parser.ts";
import { checkRequest } from "./request-head.ts";

/** The https URL of what a request asks for; undefined when the request does not say of which host. */
export function secureUrlOf(head: HeadParser, port: number): string | undefined {
  const name = hostOf(head).replace(/:\d*$/, "");
  const target = checkRequest(head);
  if (name === "" || typeof target !== "string") return undefined;
  const path = target === "" ? head.target : target;
  return `https://${name}${port === 443 ? "" : `:${port}`}${path === "*" ? "" : path}`;
}
