// The options of new-container: the only place where they are described.
import { address, bytes, duration, integer, option, path } from "@outrigger/options";

export const options = {
  listen: option({
    kind: address("0.0.0.0"),
    default: "0.0.0.0:8080",
    section: "Traffic",
    summary: "Where clients connect, in plain HTTP.",
  }),
  requireFile: option({
    kind: path(),
    section: "Health",
    summary: "A file without which the container is not ready. Without this option it always is.",
  }),
  checkInterval: option({
    kind: duration(),
    default: "1s",
    section: "Health",
    summary: "How often to look whether the file is there.",
  }),
  maxRequests: option({
    kind: integer(1, 100_000),
    default: "1000",
    section: "Limits",
    summary: "Requests that may be in flight at a time; further ones are answered 503.",
  }),
  maxBodySize: option({
    kind: bytes(),
    default: "64KiB",
    section: "Limits",
    summary: "The size of a request's body; a larger one is answered 413.",
  }),
  requestTimeout: option({
    kind: duration(),
    default: "10s",
    section: "Limits",
    summary: "How long a request's body may take to arrive; a slower one is answered 408.",
  }),
} as const;
