// Logs of databases: Redis, PostgreSQL, MySQL and MariaDB, MongoDB before it wrote JSON.
import { addAttribute, setSeverity, takeTime } from "../reading.ts";
import type { Format } from "../reading.ts";
import { severityOfLetter, severityOfSymbol, severityOfWord } from "../severity.ts";

const REDIS = /(?:(\d{1,10}):([XCSM])|\[(\d{1,10})\]) (?=\d{1,2} [A-Z])/y;
const REDIS_MARK = / ([.*#-]) /y;

const REDIS_SIGNAL = /(\d{1,10}):signal-handler \((\d{9,11})\) /y;

/** `123:signal-handler (1136214245) message`: what Redis may safely write while it handles a signal. */
const readRedisSignal: Format = (line, reading, times) => {
  REDIS_SIGNAL.lastIndex = 0;
  const match = REDIS_SIGNAL.exec(line);
  if (match === null || !times.readEpoch(match[2]!)) return false;
  takeTime(reading, times);
  setSeverity(reading, "#", severityOfSymbol("#"));
  addAttribute(reading, "process.pid", Number(match[1]));
  reading.body = line.slice(REDIS_SIGNAL.lastIndex);
  reading.format = "redis";
  return true;
};

/** `123:M 02 Jan 2006 15:04:05.000 * message` */
export const readRedis: Format = (line, reading, times) => {
  if (line.startsWith(":signal-handler (", line.indexOf(":"))) return readRedisSignal(line, reading, times);
  REDIS.lastIndex = 0;
  const match = REDIS.exec(line);
  const end = match === null ? -1 : times.read(line, REDIS.lastIndex);
  REDIS_MARK.lastIndex = end;
  const mark = end < 0 ? null : REDIS_MARK.exec(line);
  if (mark === null) return false;
  takeTime(reading, times);
  setSeverity(reading, mark[1]!, severityOfSymbol(mark[1]!));
  addAttribute(reading, "process.pid", Number(match![1] ?? match![3]));
  addAttribute(reading, "redis.role", match![2]);
  reading.body = line.slice(REDIS_MARK.lastIndex);
  reading.format = "redis";
  return true;
};

const POSTGRESQL =
  /((?:[^:]|(?<=\]):|:(?! )){0,200}?[^:\w]|)(DEBUG[1-5]?|INFO|NOTICE|LOG|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|CONTEXT|STATEMENT|QUERY|LOCATION): {2}/y;
const PROCESS = /\[(\d{1,10})(?:-\d{1,10})?\]/;
const USER = /(?:^|[\s,=])(\[unknown\]|[\w.-]{1,63})@(\[unknown\]|[\w.-]{1,63})/;

/** `2006-01-02 15:04:05.000 UTC [1] user@db ERROR:  message`, with any prefix between time and level. */
export const readPostgresql: Format = (line, reading, times) => {
  // Every level of it has two spaces behind its colon.
  const end = line.includes(":  ") ? times.read(line, 0) : -1;
  POSTGRESQL.lastIndex = end;
  const match = end < 0 ? null : POSTGRESQL.exec(line);
  if (match === null) return false;
  const [, prefix, level] = match as unknown as [string, string, string];
  takeTime(reading, times);
  setSeverity(reading, level, level === "PANIC" ? 24 : severityOfWord(level));
  const pid = PROCESS.exec(prefix)?.[1];
  if (pid !== undefined) addAttribute(reading, "process.pid", Number(pid));
  const user = USER.exec(prefix);
  addAttribute(reading, "user.name", user?.[1]);
  addAttribute(reading, "db.namespace", user?.[2]);
  reading.body = line.slice(POSTGRESQL.lastIndex);
  reading.format = "postgresql";
  return true;
};

const MYSQL = /(?: (\d{1,20}))? \[(System|Note|Warning|ERROR|Error)\](?: \[(MY-\d{1,8})\])?(?: \[(\w{1,40})\])? /y;

/** `2006-01-02T15:04:05.000000Z 1 [Warning] [MY-000000] [Server] message`, and the older `060102 15:04:05 [Note]`. */
export const readMysql: Format = (line, reading, times) => {
  const end = times.read(line, 0);
  MYSQL.lastIndex = end;
  const match = end < 0 ? null : MYSQL.exec(line);
  if (match === null) return false;
  takeTime(reading, times);
  setSeverity(reading, match[2]!, severityOfWord(match[2]!));
  if (match[1] !== undefined) addAttribute(reading, "thread.id", Number(match[1]));
  addAttribute(reading, "error.code", match[3]);
  addAttribute(reading, "log.logger", match[4]);
  reading.body = line.slice(MYSQL.lastIndex);
  reading.format = "mysql";
  return true;
};

const MONGODB = / ([FEWID])(\d)? ([A-Z]{2,12}|-) {1,8}\[([^\]]{1,80})\] /y;

/** `2006-01-02T15:04:05.000+0000 I NETWORK  [conn1] message` */
export const readMongodb: Format = (line, reading, times) => {
  const end = times.read(line, 0);
  MONGODB.lastIndex = end;
  const match = end < 0 ? null : MONGODB.exec(line);
  if (match === null) return false;
  takeTime(reading, times);
  setSeverity(reading, match[1]!, severityOfLetter(match[1]!));
  addAttribute(reading, "log.logger", match[3]);
  addAttribute(reading, "thread.name", match[4]);
  reading.body = line.slice(MONGODB.lastIndex);
  reading.format = "mongodb";
  return true;
};
