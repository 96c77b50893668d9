// What --input names: where lines come from, and how they are cut.
import { parseAddress } from "@outrigger/options";
import type { Address } from "@outrigger/options";

export type InputKind =
  | "stdin"
  | "file"
  | "fifo"
  | "tcp"
  | "udp"
  | "syslog+tcp"
  | "syslog+tls"
  | "syslog+unix"
  | "syslog+udp"
  | "http"
  | "redis-slowlog"
  | "poll"
  | "exec";

export type InputSpec = {
  readonly kind: InputKind;
  /** As the user wrote it. */
  readonly text: string;
  /** A path, a pattern, a URL or a command line. */
  readonly target: string;
  /** Where to listen, or what to connect to. */
  readonly address: Address | undefined;
};

export const INPUT_FORMS =
  "stdin, file:/path, fifo:/path, tcp://, udp://, syslog+tcp://, syslog+tls://, syslog+udp:// or http:// with host:port, syslog+unix:/path, redis-slowlog://host:port, poll+http(s)://, or exec: and a command";

const BY_ADDRESS = /^(tcp|udp|syslog\+tcp|syslog\+tls|syslog\+udp|http|redis-slowlog):\/\/([^/?#@]+)\/?$/;
const BY_PATH = /^(file|fifo|syslog\+unix):(\/[^\0]+)$/;

/** Undefined for what is none of INPUT_FORMS. */
export function parseInput(text: string): InputSpec | undefined {
  if (text === "stdin") return { kind: "stdin", text, target: "", address: undefined };
  const path = BY_PATH.exec(text);
  if (path !== null) return byPath(text, path[1] as InputKind, path[2]!);
  const network = BY_ADDRESS.exec(text);
  if (network !== null) {
    const address = parseAddress(network[2]!, "127.0.0.1");
    return address === undefined ? undefined : { kind: network[1] as InputKind, text, target: "", address };
  }
  if (/^poll\+https?:\/\//.test(text)) return poll(text);
  const command = /^exec:\s*(\S.*)$/.exec(text)?.[1];
  return command === undefined ? undefined : { kind: "exec", text, target: command, address: undefined };
}

function byPath(text: string, kind: InputKind, path: string): InputSpec | undefined {
  const address = kind === "syslog+unix" ? parseAddress(`unix:${path}`, "") : undefined;
  return kind === "syslog+unix" && address === undefined ? undefined : { kind, text, target: path, address };
}

function poll(text: string): InputSpec | undefined {
  const target = text.slice("poll+".length);
  if (!URL.canParse(target)) return undefined;
  const { username, password } = new URL(target);
  return username === "" && password === "" ? { kind: "poll", text, target, address: undefined } : undefined;
}
