// What the ambassador answers itself: whatever concerns the connection, or the ambassador, rather than a shard.
import { COMMANDS } from "./commands.ts";
import { bulkReply, errorReply, integerReply, mapReply, OK, PONG, reply } from "./replies.ts";
import type { RequestParser } from "./request-parser.ts";

/** What a client's connection remembers. */
export type Session = {
  readonly id: number;
  protocol: 2 | 3;
  name: string;
  /** Ends the connection after this reply. */
  quit(): void;
};

/** Which shard owns a key. */
export type Explain = (key: Uint8Array) => { readonly shard: string; readonly address: string };
export type LocalSettings = { readonly explain: Explain; readonly version: string };

type Answer = (request: RequestParser, session: Session, settings: LocalSettings) => Buffer;

const wrongNumber = (name: string): Buffer => errorReply(`wrong number of arguments for '${name}' command`);
const NULLS = { 2: Buffer.from("$-1\r\n"), 3: Buffer.from("_\r\n") };
const NO_COMMANDS = { 2: Buffer.from("*0\r\n"), 3: Buffer.from("%0\r\n") };

const argument = (request: RequestParser, i: number): Buffer =>
  request.bytes.subarray(request.argumentStart(i), request.argumentEnd(i));
const word = (request: RequestParser, i: number): string =>
  i < request.count ? request.text(i).toLowerCase().slice(0, 64) : "";

const ANSWERS: Readonly<Record<string, Answer>> = {
  ping: (request) => {
    if (request.count > 2) return wrongNumber("ping");
    return request.count === 1 ? PONG : bulkReply(argument(request, 1));
  },
  echo: (request) => (request.count === 2 ? bulkReply(argument(request, 1)) : wrongNumber("echo")),
  select: (request) => {
    if (request.count !== 2) return wrongNumber("select");
    return word(request, 1) === "0" ? OK : errorReply("DB index is out of range: shards have database 0 only");
  },
  quit: (_, session) => {
    session.quit();
    return OK;
  },
  command: (request, { protocol }) => {
    const subcommand = word(request, 1);
    if (subcommand === "count") return integerReply(COMMANDS.length);
    return NO_COMMANDS[subcommand === "docs" ? protocol : 2];
  },
  info: (_request, _session, { version }) =>
    bulkReply(
      `# Server\r\nserver:shard-ambassador\r\nshard_ambassador_version:${version}\r\nredis_mode:standalone\r\n`,
    ),
  client: answerClient,
  hello: answerHello,
  outrigger: (request, _, { explain }) => {
    if (word(request, 1) !== "route" || request.count !== 3) return errorReply("expected OUTRIGGER ROUTE <key>");
    const { shard, address } = explain(argument(request, 2));
    return reply([shard, address]);
  },
};

/** The reply to a command of the kind `local`. */
export const answerLocally = (name: string, ...given: Parameters<Answer>): Buffer => ANSWERS[name]!(...given);

const ACCEPTED = new Set(["setinfo", "no-evict", "no-touch"]);

function answerClient(request: RequestParser, session: Session): Buffer {
  const subcommand = word(request, 1);
  if (subcommand === "id") return integerReply(session.id);
  if (subcommand === "getname") return session.name === "" ? NULLS[session.protocol] : bulkReply(session.name);
  if (subcommand === "setname" && request.count === 3) return setName(request, 2, session) ?? OK;
  if (ACCEPTED.has(subcommand)) return OK;
  return errorReply(`unknown subcommand '${subcommand}' of 'client'`);
}

/** Takes the name, or says why not. */
function setName(request: RequestParser, i: number, session: Session): Buffer | undefined {
  const name = request.text(i);
  if (!/^[!-~]{0,256}$/.test(name)) {
    return errorReply("Client names cannot contain spaces, newlines or special characters.");
  }
  session.name = name;
  return undefined;
}

/** HELLO [2|3 [SETNAME name]]; AUTH is not among what the ambassador knows. */
function answerHello(request: RequestParser, session: Session, { version }: LocalSettings): Buffer {
  const wanted = request.count > 1 ? word(request, 1) : String(session.protocol);
  if (wanted !== "2" && wanted !== "3") return errorReply("unsupported protocol version", "NOPROTO");
  for (let i = 2; i < request.count; i += 2) {
    if (word(request, i) !== "setname" || i + 1 === request.count) {
      return errorReply(`syntax error in HELLO option '${word(request, i)}'`);
    }
    const refused = setName(request, i + 1, session);
    if (refused !== undefined) return refused;
  }
  session.protocol = wanted === "3" ? 3 : 2;
  const facts = {
    server: "shard-ambassador",
    version,
    proto: session.protocol,
    id: session.id,
    mode: "standalone",
    role: "master",
    modules: [],
  };
  return mapReply(facts, session.protocol);
}
