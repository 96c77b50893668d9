// What a child process writes, in bounded memory: the text as it came, and JSON lines as records.

/** One log line of a container. */
export type LogRecord = {
  readonly level?: string;
  readonly time?: string;
  readonly msg?: string;
  readonly [field: string]: unknown;
};

const MAX_TEXT = 4 * 1024 * 1024;
const MAX_RECORDS = 20_000;

/** Text that forgets its beginning once it is longer than `max` characters. */
export function createBoundedText(max = MAX_TEXT) {
  let text = "";
  return {
    append: (chunk: string): void => {
      text += chunk;
      if (text.length > max) text = text.slice(-Math.ceil(max / 2));
    },
    text: (): string => text,
  };
}

function parseRecord(line: string): LogRecord | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as LogRecord) : undefined;
  } catch {
    return undefined;
  }
}

/** Collects the records among the lines of a stream, of which the oldest are forgotten; other lines are passed over. */
export function createLogRecords(maxRecords = MAX_RECORDS) {
  let records: LogRecord[] = [];
  let partial = "";
  return {
    append: (chunk: string): void => {
      const lines = (partial + chunk).split("\n");
      partial = lines.pop()!.slice(0, MAX_TEXT);
      records.push(...lines.map(parseRecord).filter((record) => record !== undefined));
      if (records.length > maxRecords) records = records.slice(-Math.ceil(maxRecords / 2));
    },
    all: (): readonly LogRecord[] => records,
    /** The first record that `matches`, of those that came after the record `after`. */
    find: (matches: (record: LogRecord) => boolean, after?: LogRecord): LogRecord | undefined =>
      // A record that is not there any more has index -1: then all came after it.
      records.slice(after === undefined ? 0 : records.indexOf(after) + 1).find(matches),
  };
}
