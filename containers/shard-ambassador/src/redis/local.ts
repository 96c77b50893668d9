// What the ambassador answers itself: whatever concerns the connection, or the ambassador, rather than a shard.
import { createHash, timingSafeEqual } from "node:crypto";

import type { Secret } from "@outrigger/options";

import type { LocalSettings, Session } from "../proxy/dispatching.ts";
import { COMMANDS } from "./commands.ts";
import { bulkReply, errorReply, integerReply, mapReply, OK, PONG, reply } from "./replies.ts";
import type { RequestParser } from "./request-parser.ts";

type Answer = (request: RequestParser, session: Session, settings: LocalSettings) => Buffer;

const wrongNumber = (name: string): Buffer => errorReply(`wrong number of arguments for '${name}' command`);
const NULLS = { 2: Buffer.from("$-1\r\n"), 3: Buffer.from("_\r\n") };
const NO_COMMANDS = { 2: Buffer.from("*0\r\n"), 3: Buffer.from("%0\r\n") };

const argument = (request: RequestParser, i: number): Buffer =>
  request.bytes.subarray(request.argumentStart(i), request.argumentEnd(i));
const word = (request: RequestParser, i: number): string =>
  i < request.count ? request.text(i).toLowerCase().slice(0, 64) : "";

const WRONG_PASSWORD = errorReply("invalid username-password pair", "WRONGPASS");
const NO_PASSWORD = errorReply("AUTH: expected no password, since the ambassador has none, got one");

const ANSWERS: Readonly<Record<string, Answer>> = {
  ping: (request) => {
    if (request.count > 2) return wrongNumber("ping");
    return request.count === 1 ? PONG : bulkReply(argument(request, 1));
  },
  echo: (request) => (request.count === 2 ? bulkReply(argument(request, 1)) : wrongNumber("echo")),
  select: (request, _, { database }) => {
    if (request.count !== 2) return wrongNumber("select");
    const isOurs = word(request, 1) === "0" || word(request, 1) === String(database);
    return isOurs ? OK : errorReply(`DB index is out of range: shards have database ${database} only`);
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
  auth: (request, session, { password }) => {
    if (request.count < 2 || request.count > 3) return wrongNumber("auth");
    return authenticate(request, request.count - 1, session, password) ?? OK;
  },
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

/** Compares the password that is argument `i`, and the name before it if there is one; or says why not. */
function authenticate(
  request: RequestParser,
  i: number,
  session: Session,
  password: Secret | undefined,
): Buffer | undefined {
  if (password === undefined) return NO_PASSWORD;
  const name = request.count > i && i > 1 ? request.text(i - 1) : "default";
  const expected = createHash("sha256").update(password.reveal()).digest();
  const given = createHash("sha256").update(argument(request, i)).digest();
  if (!timingSafeEqual(given, expected) || name !== "default") return WRONG_PASSWORD;
  session.isAuthenticated = true;
  return undefined;
}

/** HELLO [2|3 [AUTH default password] [SETNAME name]] */
function answerHello(request: RequestParser, session: Session, { version, password }: LocalSettings): Buffer {
  const wanted = request.count > 1 ? word(request, 1) : String(session.protocol);
  if (wanted !== "2" && wanted !== "3") return errorReply("unsupported protocol version", "NOPROTO");
  const refused = takeHelloOptions(request, session, password);
  if (refused !== undefined) return refused;
  if (password !== undefined && !session.isAuthenticated) {
    return errorReply("HELLO must be called with AUTH, or after it", "NOAUTH");
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

/** Takes what follows the version in HELLO, or says why not. */
function takeHelloOptions(request: RequestParser, session: Session, password: Secret | undefined): Buffer | undefined {
  for (let i = 2; i < request.count;) {
    const option = word(request, i);
    const values = option === "auth" ? 2 : 1;
    if ((option !== "auth" && option !== "setname") || i + values >= request.count) {
      return errorReply(`syntax error in HELLO option '${option}'`);
    }
    const refused =
      option === "auth" ? authenticate(request, i + 2, session, password) : setName(request, i + 1, session);
    if (refused !== undefined) return refused;
    i += values + 1;
  }
  return undefined;
}
