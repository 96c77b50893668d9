// Lines for people, of any make: a header of time, level, process, thread and component, in any order and between any
// brackets, and then the message. The header is read item by item for as long as the next item can only be header:
// in doubt it is message, so that nothing of what somebody wanted to say gets lost.
import { addAttribute, setSeverity, takeTime } from "../reading.ts";
import type { Format, Reading } from "../reading.ts";
import { FREE_LEVEL, MARKED_LEVEL, severityOfLetter, severityOfWord } from "../severity.ts";
import type { TimeReader } from "../timestamp.ts";
import { addComponent, eitherOf, endOfMatch, matchOf, NAME, skip, sticky } from "./text-cursor.ts";
import type { Cursor } from "./text-cursor.ts";
import {
  METHOD,
  takeAndroid,
  takeBraced,
  takeChannel,
  takeColons,
  takeFacts,
  takeInner,
  takeMnemonic,
  takePlace,
} from "./text-items.ts";

/** What may stand before and between items. */
const OPENING = sticky("[!*<({[\"'|\\s]{0,4}");
const BETWEEN = sticky("[\\])}>\"']?(?:[\\s,;]|\\|-(?=[A-Z]{4})|\\||:(?=\\s)|(?:-{1,3}|~|=)(?=\\s)){0,40}");
/** Words that are often the first of a message are a level only where something sets them apart. */
const RARELY_FREE = "(?:Error|Warning|Debug|Critical|Notice|FINE|CONFIG|ALERT|FAILURE)";
const FREE = sticky(
  `(?:(?!${RARELY_FREE}\\b)(?:${FREE_LEVEL})|${RARELY_FREE}(?=\\s{2}|\\t| ?[|:[-]|$))(?=[\\s|:;,/[(-]|$)`,
);
const MARKED = sticky(
  `(?:\\[ {0,4}(${MARKED_LEVEL}) {0,6}\\]|<(${MARKED_LEVEL})>|\\((${MARKED_LEVEL})\\)|(${MARKED_LEVEL}) {0,6}(?=:[\\s\\]]|\\|)|(${MARKED_LEVEL})(?=\\])|(?<=\\t)(${MARKED_LEVEL})(?=\\t))`,
);
const LETTER = sticky(
  "\\[([TVDIWEFC])\\]|<([TVDIWEFC])>|\\(([TVDIWEFC])\\)|\\[([TVDIWEFC]) (?=\\d)|([TVDIWEFC])(?:\\/| {1,3})(?=[\\w.$/-]{1,120} {0,20}[:([])|([TVDIWEFC])(?= ?\\|)",
);
const NUMBER = sticky(
  `(\\d{1,10})(?=[ \\t|]{1,6}(?:\\d{1,10}[ \\t]{1,4})?(?:[[(<|]? {0,2}(?:${FREE_LEVEL})\\b|---|[VDIWEF] )|\\|)`,
);
/** A component, and what sets it apart from the message. */
const COMPONENT = sticky(
  `(${NAME}(?:(?::[\\w<>.$]{1,60}){0,2}:\\d{1,6}|:\\w{1,60}(?= - ))?(?:\\(\\d{1,6}\\))?(?: \\*\\d{1,3})?)( {0,40}:(?=\\s|$)| {1,40}(?:-{1,3}|~|\\|)(?=\\s)| \\(\\w{1,40}\\) -(?= )| {1,4}>(?= )|\\](?= )|\\||\\t| {3,40}(?=\\S)(?!\\w{1,60}=)| (?=\\[))`,
);
const NAME_BEFORE_LEVEL = sticky(
  `(${NAME})(?:(?=[ \\t]{1,4}(?:[-|] )?[[(<]?(?:${FREE_LEVEL})\\b)|:(?= (?:${MARKED_LEVEL}): ))`,
);
const WORKER = sticky("\\/([\\w.-]{1,60})\\]");
/** What begins a message rather than names a component. */
const SPEECH =
  /^(?:error|exception|fail|warn|fatal|cause|reason|note|usage|http|https|file|status|result|unable|cannot|could|invalid|unexpected|unknown|info|debug|message|msg)(?![.\w])/i;

export const readText: Format = (line, reading, times) => {
  const cursor: Cursor = {
    at: 0,
    hasTime: false,
    hasLevel: false,
    components: 0,
    brackets: 0,
    numbers: 0,
    wantsGroup: false,
  };
  cursor.at = skip(OPENING, line, 0);
  if (!takeTimeAt(line, cursor, reading, times) && !takeLevel(line, cursor, reading)) {
    cursor.at = findTime(line, cursor, reading, times);
    if (cursor.at < 0) return levelOfSpeech(line, reading);
  }
  takeItems(line, cursor, reading, times);
  reading.format = "text";
  reading.body = line.slice(cursor.at);
  takeMnemonic(reading);
  return true;
};

/** Takes all of the header that follows, and leaves the cursor at the message. */
function takeItems(line: string, cursor: Cursor, reading: Reading, times: TimeReader): void {
  for (let items = 0; items < 10 && !isAtMessage(cursor); items++) {
    if (takeColons(line, cursor, reading)) return;
    const before = cursor.at;
    cursor.at = skip(BETWEEN, line, cursor.at);
    if (isEnded(line, before, cursor) || !takeItem(line, cursor, reading, times)) return;
  }
  cursor.at = skip(BETWEEN, line, cursor.at);
}

/** A line that begins like `Error: ` keeps its words, but is known to be one. */
function levelOfSpeech(line: string, reading: Reading): boolean {
  const match = /^(Error|Warning|Critical|Fatal error|Fatal): /.exec(line);
  if (match === null) return false;
  setSeverity(reading, match[1]!, severityOfWord(match[1]!.split(" ")[0]!));
  reading.format = "text";
  reading.body = line;
  return true;
}

function takeItem(line: string, cursor: Cursor, reading: Reading, times: TimeReader): boolean {
  return (
    takeTimeAt(line, cursor, reading, times) ||
    takeLevel(line, cursor, reading) ||
    takeNumber(line, cursor, reading) ||
    takeGroup(line, cursor, reading, times) ||
    takeBraced(line, cursor, reading) ||
    takeFacts(line, cursor, reading) ||
    takeComponent(line, cursor, reading)
  );
}

/** A header has one component, and no more than follows it. */
const isAtMessage = ({ hasLevel, components, wantsGroup }: Cursor): boolean =>
  hasLevel && components > 0 && !wantsGroup;

/** Whether a dash after level and brackets said that the message begins. */
const isEnded = (line: string, before: number, { at, hasLevel, brackets }: Cursor): boolean =>
  hasLevel && brackets > 0 && /\s-{1,2}\s/.test(line.slice(before, at));

function takeTimeAt(line: string, cursor: Cursor, reading: Reading, times: TimeReader): boolean {
  if (cursor.hasTime) return false;
  const end = times.read(line, cursor.at);
  if (end < 0 || isWordAt(line, end)) return false;
  takeTime(reading, times);
  cursor.hasTime = true;
  cursor.at = end;
  return true;
}

const isWordAt = (line: string, at: number): boolean => {
  const code = line.charCodeAt(at) | 32;
  return code >= 97 && code <= 122;
};

/** Looks for a time behind the first words, which then are some name of the line's origin. */
function findTime(line: string, cursor: Cursor, reading: Reading, times: TimeReader): number {
  let at = 0;
  for (let words = 0; words < 6; words++) {
    const space = line.indexOf(" ", at);
    if (space < 0 || space > 160) return -1;
    at = skip(OPENING, line, space + 1);
    cursor.at = at;
    if (isTimeStart(line, at) && takeTimeAt(line, cursor, reading, times)) {
      addAttribute(reading, "log.prefix", line.slice(0, space));
      return cursor.at;
    }
  }
  return -1;
}

/** Whether a date may begin here; a clock or a number alone in the midst of words is no time of the line. */
const isTimeStart = (line: string, at: number): boolean =>
  /^(?:\d{4}-\d\d-\d\d[T _]|\d{4}\/\d\d\/\d\d |[A-Z][a-z]{2} )/.test(line.slice(at, at + 12));

function takeLevel(line: string, cursor: Cursor, reading: Reading): boolean {
  if (cursor.hasLevel) return false;
  const { at } = cursor;
  // The bracket itself may have been skipped.
  const from = at > 0 && isBracket(line.charCodeAt(at - 1)) ? at - 1 : at;
  const word = wordAt(line, from, cursor);
  const mayBeLetter = cursor.hasTime || from !== at || /^[VDIWEF]\/[\w.$-]{1,80} *\( *\d+\): /.test(line.slice(0, 120));
  const letter = word === undefined && mayBeLetter ? letterAt(line, from, at) : undefined;
  const text = word ?? letter;
  if (text === undefined) return false;
  setSeverity(reading, text, letter === undefined ? severityOfWord(text) : severityOfLetter(text));
  cursor.hasLevel = true;
  cursor.at = endOfMatch();
  takeWorker(line, cursor, reading);
  return true;
}

const letterAt = (line: string, from: number, at: number): string | undefined => eitherOf(LETTER, line, from, at);

/** A level that is marked, or that stands free behind a time or in capitals. */
function wordAt(line: string, from: number, { at, hasTime }: Cursor): string | undefined {
  const marked = eitherOf(MARKED, line, from, at);
  return marked ?? (hasTime || isUpper(line, at) ? matchOf(FREE, line, at) : undefined);
}

/** Celery writes `INFO/MainProcess]`. */
function takeWorker(line: string, cursor: Cursor, reading: Reading): void {
  const worker = matchOf(WORKER, line, cursor.at);
  if (worker === undefined) return;
  addAttribute(reading, "thread.name", worker);
  cursor.at = endOfMatch();
}

const isBracket = (code: number): boolean => code === 91 || code === 40 || code === 60;
const isUpper = (line: string, at: number): boolean => /^[A-Z]{2,}/.test(line.slice(at, at + 3));

function takeNumber(line: string, cursor: Cursor, reading: Reading): boolean {
  if (cursor.numbers >= 2) return false;
  const number = matchOf(NUMBER, line, cursor.at);
  if (number === undefined) return false;
  addAttribute(reading, cursor.numbers++ === 0 ? "process.pid" : "thread.id", Number(number));
  cursor.at = endOfMatch();
  return true;
}

/** Something between brackets: a thread, a number, a component. */
function takeGroup(line: string, cursor: Cursor, reading: Reading, times: TimeReader): boolean {
  const code = line.charCodeAt(cursor.at);
  const mayBe = code === 91 ? cursor.brackets < 4 : code === 40 && cursor.brackets > 0;
  if (!mayBe) return false;
  const end = closingOf(line, cursor.at);
  const content = line.slice(cursor.at + 1, end).trim();
  if (end < 0 || content.includes(": ") || !/[\s:[(-]/.test(line[end + 1] ?? " ")) return false;
  cursor.at = end + 1;
  cursor.wantsGroup = false;
  if (!takeInner(content, cursor, reading, times)) addGroup(content, cursor, reading);
  cursor.brackets++;
  return true;
}

function addGroup(content: string, { brackets }: Cursor, reading: Reading): void {
  const isNumber = /^\d{1,10}$/.test(content);
  if (isNumber) addAttribute(reading, "process.pid", Number(content));
  else if (content !== "-") addAttribute(reading, brackets === 0 ? "thread.name" : "log.context", content);
}

const MAX_GROUP = 200;

/** Where the bracket that opens here is closed, brackets within it minded; -1 where it is not. */
function closingOf(line: string, at: number): number {
  const open = line.charCodeAt(at);
  const close = open === 91 ? 93 : 41;
  let depth = 0;
  const limit = Math.min(line.length, at + MAX_GROUP);
  for (let i = at; i < limit; i++) {
    const code = line.charCodeAt(i);
    if (code === open) depth++;
    else if (code === close && --depth === 0) return i;
  }
  return -1;
}

function takeComponent(line: string, cursor: Cursor, reading: Reading): boolean {
  if (cursor.components > 0) return takePlace(line, cursor, reading);
  if (takeChannel(line, cursor, reading) || takeAndroid(line, cursor, reading)) return true;
  if (!cursor.hasLevel) {
    const name = matchOf(NAME_BEFORE_LEVEL, line, cursor.at);
    if (name !== undefined) return addComponent(name, cursor, reading);
  }
  const method = cursor.hasLevel ? matchOf(METHOD, line, cursor.at) : undefined;
  if (method !== undefined) return addComponent(method, cursor, reading);
  COMPONENT.lastIndex = cursor.at;
  const match = COMPONENT.exec(line);
  if (match === null || !isComponent(match[1]!, match[2]!, cursor)) return false;
  // What is set apart by a tab may be followed by the place in the code, set apart likewise.
  cursor.wantsGroup = match[2] === " " || match[2] === "\t";
  return addComponent(match[1]!, cursor, reading, COMPONENT.lastIndex);
}

/** Whether a word with this behind it names who speaks. */
function isComponent(name: string, delimiter: string, { hasLevel }: Cursor): boolean {
  // A message may begin with its own number.
  if (SPEECH.test(name) || /^[A-Z]{3,12}\d{3,8}$/.test(name)) return false;
  const mark = delimiter.trim();
  if (mark === ">") return hasLevel && /[:.]|^[a-z_]+$/.test(name);
  if (mark === "]") return hasLevel;
  if (mark === ":") return hasLevel || /[.[$/]/.test(name);
  // Spaces or a bracket alone set apart only what looks like a name of a program's part.
  if (mark === "" && delimiter !== "\t")
    return hasLevel && (delimiter.length > 2 ? name.length <= 24 : name.includes("."));
  return true;
}
