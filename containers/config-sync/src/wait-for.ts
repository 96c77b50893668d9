// Whether the application answers at all yet: any HTTP status, or a TCP connection.
import { connect } from "node:net";

import { fetchUrl } from "./http.ts";
import { parseUrl, value } from "./written.ts";
import type { Parsed } from "./written.ts";

/** Resolves with whether it answers now. */
export type Probe = () => Promise<boolean>;

const MAX_ANSWER_BYTES = 1024 ** 2;
const TIMEOUT_MS = 2000;

export function parseWaitFor(written: string): Parsed<Probe> {
  const url = parseUrl(written, ["http:", "https:", "tcp:"]);
  if (url.problem !== undefined) return url;
  return value(url.value.protocol === "tcp:" ? connects(url.value) : answers(url.value));
}

const answers =
  (url: URL): Probe =>
  () =>
    fetchUrl(url, { timeoutMs: TIMEOUT_MS, maxBytes: MAX_ANSWER_BYTES }).then(
      () => true,
      () => false,
    );

const connects =
  ({ hostname, port }: URL): Probe =>
  () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const socket = connect({ host: hostname.replaceAll(/[[\]]/g, ""), port: Number(port), timeout: TIMEOUT_MS });
    const end = (isUp: boolean): void => {
      socket.destroy();
      resolve(isUp);
    };
    socket
      .once("connect", () => end(true))
      .once("error", () => end(false))
      .once("timeout", () => end(false));
    return promise;
  };
