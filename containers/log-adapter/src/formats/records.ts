// Records of several lines that are whole only when the last has come: PostgreSQL's csvlog, MySQL's log of slow queries.
import { addAttribute, setSeverity, takeTime } from "../reading.ts";
import type { Format, Reading } from "../reading.ts";
import { severityOfWord } from "../severity.ts";
import type { TimeReader } from "../timestamp.ts";

/** The columns of csvlog that records have a place for, by their number. */
const CSV_COLUMNS: Readonly<Record<number, string>> = {
  1: "user.name",
  2: "db.namespace",
  3: "process.pid",
  4: "client.address",
  5: "session.id",
  7: "db.operation.name",
  12: "error.code",
  14: "postgresql.detail",
  15: "postgresql.hint",
  18: "postgresql.context",
  19: "db.query.text",
  22: "postgresql.application_name",
  23: "postgresql.backend_type",
};
const CSV_HEAD = /[^,"]{23,40},(?:"[^"]{1,63}")?,(?:"[^"]{1,63}")?,\d{1,10},/y;
const LEVELS = /^(?:DEBUG[1-5]?|INFO|NOTICE|LOG|WARNING|ERROR|FATAL|PANIC)$/;
const MAX_FIELDS = 64;

function beginsAsCsv(line: string): boolean {
  const comma = line.indexOf(",");
  CSV_HEAD.lastIndex = 0;
  return comma >= 23 && comma <= 40 && CSV_HEAD.test(line);
}

/** A record of csvlog. One whose quotes are not closed goes on in the next line: see isOpenCsv. */
export const readPostgresqlCsv: Format = (line, reading, times) => {
  if (!beginsAsCsv(line)) return false;
  const fields = fieldsOf(line);
  const level = fields[11] ?? "";
  reading.format = "postgresql_csv";
  if (times.read(fields[0] ?? "", 0) < 0) return false;
  // Until its last line has come, it cannot be seen that it is none.
  if (isOpenCsv(line)) return true;
  if (!LEVELS.test(level)) return false;
  takeTime(reading, times);
  setSeverity(reading, level, level === "PANIC" ? 24 : severityOfWord(level));
  reading.body = fields[13] ?? "";
  for (const [column, name] of Object.entries(CSV_COLUMNS)) {
    const text = fields[Number(column)];
    addAttribute(reading, name, name === "process.pid" ? Number(text) : text);
  }
  return true;
};

/** Whether a quotation mark is not closed. */
export function isOpenCsv(text: string): boolean {
  let marks = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) marks++;
  return marks % 2 === 1;
}

function fieldsOf(line: string): string[] {
  const fields: string[] = [];
  let at = 0;
  while (at <= line.length && fields.length < MAX_FIELDS) {
    const end = line.charCodeAt(at) === 34 ? closingQuote(line, at) : indexOrEnd(line, ",", at);
    const isQuoted = line.charCodeAt(at) === 34;
    fields.push(isQuoted ? line.slice(at + 1, end).replaceAll('""', '"') : line.slice(at, end));
    at = indexOrEnd(line, ",", end) + 1;
  }
  return fields;
}

/** Where the field that begins with a quotation mark here ends; a mark within it is doubled. */
function closingQuote(line: string, from: number): number {
  let at = from + 1;
  for (;;) {
    const mark = indexOrEnd(line, '"', at);
    if (line.charCodeAt(mark + 1) !== 34) return mark;
    at = mark + 2;
  }
}

function indexOrEnd(line: string, text: string, from: number): number {
  const at = line.indexOf(text, from);
  return at < 0 ? line.length : at;
}

const SLOW_HEAD = /^# (?:Time|User@Host): /;

/** `# Time: ...` or `# User@Host: ...`; what follows belongs to it until the next of these: see finishSlowQuery. */
export const readMysqlSlow: Format = (line, reading) => {
  if (!SLOW_HEAD.test(line)) return false;
  reading.format = "mysql_slow";
  return true;
};

/** Whether the line is a part of the slow query whose lines were `text`. */
export const isWithinSlowQuery = (line: string, text: string): boolean =>
  line.startsWith("# Time: ") ? false : !line.startsWith("# User@Host: ") || !/\n(?!#)|^# User@Host/.test(text);

const SLOW_FIELDS = /([A-Z]\w{1,40}): +(\S{1,64})/g;
const SLOW_USER =
  /^# User@Host: ([^[\s]{0,64})\[[^\]]{0,64}\] @ +(\S{0,255}) *\[([^\]]{0,64})\](?: +Id: +(\d{1,20}))?/m;
const SLOW_NAMES: Readonly<Record<string, string>> = {
  Query_time: "db.query.duration",
  Lock_time: "db.query.lock_duration",
  Rows_sent: "db.response.returned_rows",
  Rows_examined: "db.query.examined_rows",
  Rows_affected: "db.query.affected_rows",
  Thread_id: "thread.id",
};

/** Makes the record of the lines of one slow query: its body is the query itself. */
export function finishSlowQuery(reading: Reading, text: string, times: TimeReader): void {
  const lines = text.split("\n");
  const comments = lines.filter((line) => line.startsWith("# "));
  const sql = lines.filter((line) => !line.startsWith("# "));
  const settings = sql.filter((line) => SETTING.test(line));
  takeSlowTime(reading, { comments, settings, times });
  takeSlowUser(reading, text);
  for (const [, name, value] of comments.join("\n").matchAll(SLOW_FIELDS)) {
    const known = SLOW_NAMES[name!];
    if (known !== undefined && Number.isFinite(Number(value))) addAttribute(reading, known, Number(value));
    else if (name === "Schema") addAttribute(reading, "db.namespace", value);
  }
  for (const setting of settings) addAttribute(reading, "db.namespace", /^use (\S{1,64});$/i.exec(setting)?.[1]);
  reading.body = sql.filter((line) => !settings.includes(line)).join("\n");
}

const SETTING = /^(?:use \S{1,64}|SET timestamp=[\d.]{1,20});$/i;

type SlowTime = {
  readonly comments: readonly string[];
  readonly settings: readonly string[];
  readonly times: TimeReader;
};

/** The comment tells when the query ended, the setting when it began, in seconds. */
function takeSlowTime(reading: Reading, { comments, settings, times }: SlowTime): void {
  times.begin();
  const time = comments.find((line) => line.startsWith("# Time: "));
  const seconds = settings.map((line) => /^SET timestamp=([\d.]{9,18});$/i.exec(line)?.[1]).find(Boolean);
  const isRead =
    (time !== undefined && times.read(time, "# Time: ".length) >= 0) ||
    (seconds !== undefined && times.readEpoch(seconds));
  if (isRead) takeTime(reading, times);
}

function takeSlowUser(reading: Reading, text: string): void {
  const [, name, host, address, id] = SLOW_USER.exec(text) ?? [];
  addAttribute(reading, "user.name", name);
  addAttribute(reading, "client.address", address === "" ? host : address);
  if (id !== undefined) addAttribute(reading, "thread.id", Number(id));
}
