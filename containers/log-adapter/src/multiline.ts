// Which lines belong to the record before them: what is indented, and what stack traces of several languages consist of.
import { addAttribute } from "./reading.ts";
import type { Reading } from "./reading.ts";

/** A trace that is under way, as far as it decides what else belongs to it: in `message` the message is to come. */
export type Trace = "none" | "any" | "message" | "go";

const HEAD =
  /^(?:Caused by: |Suppressed: |Traceback \(most recent call last\)|During handling of the above|The above exception was|Stack trace:|stack backtrace:|Backtrace:|#\d{1,4} {1,8}\S|note: (?:run with|Some details)|--- End of|\.\.\. \d{1,5} (?:more|common)|\[signal |goroutine \d{1,12} \[|created by |exit status \d)/;
const EXCEPTION =
  /^(?:Exception in thread "[^"]{0,200}" |Unhandled exception\. |Uncaught )?[\w.$\\]{0,300}(?:Exception|Error|Throwable|Interrupt)(?:: |:?$| \[)/;
const START =
  /^(?:panic: |fatal error: |thread '[^']{0,200}'(?: \(\d{1,12}\))? panicked at |PHP Fatal error|Unhandled exception|[^\s:]{1,300}:\d{1,8}:in [`'])/;
const GO_FRAME = /^[\w./*$[\]{}()%-]{1,400}\(.{0,2000}\)(?: in goroutine \d{1,12})?$/;
const GO_HEAD = /^(?:panic: |fatal error: |goroutine \d)/;

/** Rust's message follows on a line of its own. */
const RUST_HEAD = /^thread '[^']{0,200}'(?: \(\d{1,12}\))? panicked at [^\n]{1,500}:$/;

/** Formats that are whole on one line: what comes after is not theirs. */
const SINGLE: ReadonlySet<string> = new Set(["json", "logfmt", "access", "haproxy"]);

export const isSingle = (reading: Reading): boolean => SINGLE.has(reading.format);

/** The trace that a line begins when it stands alone. */
export function traceOf(line: string): Trace {
  if (line.startsWith("Traceback (most recent") || RUST_HEAD.test(line)) return "message";
  if (GO_HEAD.test(line)) return "go";
  return START.test(line) || EXCEPTION.test(line) || HEAD.test(line) ? "any" : "none";
}

/** The trace after this line, if it belongs to the record before it; undefined if it is one of its own. */
export function continuing(line: string, trace: Trace): Trace | undefined {
  if (isIndented(line)) return trace;
  if (HEAD.test(line)) return line.startsWith("Traceback") ? "message" : trace === "go" ? "go" : "any";
  // After the frames of Python, and after where Rust panicked, comes the message, whatever it begins with.
  if (trace === "message" || EXCEPTION.test(line)) return "any";
  return isWithin(line, trace) ? trace : undefined;
}

const isIndented = (line: string): boolean => line.charCodeAt(0) === 32 || line.charCodeAt(0) === 9;

/** Whether a line could be anything elsewhere, but within such a trace is a part of it. */
const isWithin = (line: string, trace: Trace): boolean =>
  (trace === "go" && GO_FRAME.test(line)) || (trace !== "none" && (line === "}" || line === "]"));

const THROWN =
  /^(?:.{0,200}?(?:Exception in thread "[^"]{0,200}"|Unhandled exception\.|Uncaught) )?([\w.$\\]{1,300}(?:Exception|Error|Throwable|Interrupt))(?:: (.{0,4096}))?$/m;
const PYTHON = /^([A-Za-z_][\w.]{0,300})(?:: (.{0,4096}))?$/gm;
const PANIC = /^(?:.{0,200}?)(panic): (.{0,4096})$/m;
const RUST = /^thread '[^']{0,200}'(?: \(\d{1,12}\))? panicked at (?:'(.{0,4096})', )?[^\n]{0,500}\n?(.{0,4096})$/m;
const RUBY = /^[^\s:]{1,300}:\d{1,8}:in .{1,200}: (.{0,4096}) \(([\w:]{1,200})\)$/m;

/** Fills in what was thrown, if a joined text tells. `text` is what was joined, from its first line on. */
export function addException(reading: Reading, text: string): void {
  const thrown = thrownIn(text);
  if (thrown === undefined) return;
  addAttribute(reading, "exception.type", thrown.type);
  addAttribute(reading, "exception.message", thrown.message);
  addAttribute(reading, "exception.stacktrace", text);
  if (reading.severityNumber === 0) reading.severityNumber = thrown.type.startsWith("panic") ? 21 : 17;
}

function thrownIn(text: string): { type: string; message: string | undefined } | undefined {
  if (text.includes("Traceback (most recent call last)")) {
    // The last one is what ended it.
    const last = [...text.matchAll(PYTHON)].at(-1);
    if (last !== undefined) return { type: last[1]!, message: last[2] };
  }
  const rust = RUST.exec(text);
  if (rust !== null) return { type: "panic", message: rust[1] ?? rust[2] };
  const panic = PANIC.exec(text);
  if (panic !== null) return { type: panic[1]!, message: panic[2] };
  const ruby = RUBY.exec(text);
  if (ruby !== null) return { type: ruby[2]!, message: ruby[1] };
  const thrown = THROWN.exec(text);
  return thrown === null ? undefined : { type: thrown[1]!, message: thrown[2] };
}
