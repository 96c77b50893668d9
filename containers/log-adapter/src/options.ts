// The options of the log adapter: the only place where they are described.
import {
  boolean,
  bytes,
  choice,
  duration,
  integer,
  list,
  option,
  path,
  secret,
  structured,
  text,
} from "@outrigger/options";
import * as z from "@outrigger/options/zod";

import { configTest } from "./config-tests.ts";
import { ownFormat } from "./formats/own.ts";
import { MODELS } from "./model.ts";
import { ownRedaction, REDACTIONS } from "./processing/redaction.ts";
import { rule } from "./processing/rules.ts";

const streams = {
  input: option({
    kind: list(text("stdin, file: and a path, or a URL")),
    default: "stdin",
    section: "Streams",
    summary:
      "Where lines come from: `stdin`, `file:/var/log/app/*.log`, `syslog+udp://127.0.0.1:5514` or another of the [inputs](#inputs). Files are followed through rotation; when `stdin` ends and is the only input, so does the adapter.",
  }),
  output: option({
    kind: list(text("stdout, file: and a path, or a URL")),
    default: "stdout",
    section: "Streams",
    summary:
      "Where records go: `stdout`, `file:/path`, `http(s)://`, `otlp+http(s)://`, `loki+http(s)://`, `elasticsearch+http(s)://`, `syslog+tcp://` or `tcp://`. With several, each gets all of them.",
  }),
  stateDir: option({
    kind: path(),
    section: "Streams",
    summary:
      "A folder for the checkpoint: how far each file has been read and delivered. Without it, a restart begins each file anew.",
  }),
  pollInterval: option({
    kind: duration(),
    default: "250ms",
    section: "Streams",
    summary: "How often files are looked at for new lines.",
  }),
};

const records = {
  model: option({
    kind: choice(MODELS),
    default: "otel",
    section: "Records",
    summary: "`otel` is the OpenTelemetry log data model, `ecs` the Elastic Common Schema; one JSON object a line.",
  }),
  timezone: option({
    kind: text("the name of a time zone, such as Europe/Berlin"),
    default: "UTC",
    section: "Records",
    summary: "The time zone of times that name none.",
  }),
  resource: option({
    kind: list(text("name=value")),
    section: "Records",
    summary: "Attributes of the resource that every record is from, such as `service.name=shop`.",
  }),
  resourceFile: option({
    kind: list(path()),
    section: "Records",
    summary:
      'Files with more of them, a `name="value"` a line, as the downward API writes `labels` and `annotations`, which become `k8s.pod.label.<name>` and `k8s.pod.annotation.<name>`.',
  }),
  charset: option({
    kind: choice([
      "utf-8",
      "utf-16le",
      "utf-16be",
      "iso-8859-1",
      "windows-1252",
      "shift_jis",
      "euc-jp",
      "gbk",
      "big5",
      "euc-kr",
    ]),
    default: "utf-8",
    section: "Records",
    summary: "How the bytes of lines are to be read; what begins with a byte order mark is read as that says.",
  }),
  keepOriginal: option({
    kind: boolean(),
    default: "false",
    section: "Records",
    summary: "Keep the line as it was, in the attribute `log.record.original`.",
  }),
  multilineTimeout: option({
    kind: duration(),
    default: "1s",
    section: "Records",
    summary: "How long a record waits for further lines that belong to it, such as those of a stack trace.",
  }),
};

const inputs = {
  maxConnections: option({
    kind: integer(1, 100_000),
    default: "1000",
    section: "Inputs",
    summary: "How many connections an input that listens may have at once.",
  }),
  maxRequestSize: option({
    kind: bytes(),
    default: "8MiB",
    section: "Inputs",
    summary: "The size of a request to an `http://` input, and of an answer to a `poll+http://` one.",
  }),
  inputTlsCert: option({
    kind: path(),
    section: "Inputs",
    summary: "The certificate (PEM) of `syslog+tls://` inputs.",
  }),
  inputTlsKey: option({ kind: path(), section: "Inputs", summary: "The key (PEM) of that certificate." }),
  redisPassword: option({
    kind: secret(),
    section: "Inputs",
    summary: "A file with the password of the Redis server of `redis-slowlog://` inputs.",
  }),
  slowlogInterval: option({
    kind: duration({ positive: true }),
    default: "1s",
    section: "Inputs",
    summary: "How often a `redis-slowlog://` input is asked.",
  }),
  pollEvery: option({
    kind: duration({ positive: true }),
    default: "10s",
    section: "Inputs",
    summary: "How often a `poll+http://` input is asked, and how long after its end an `exec:` command is run again.",
  }),
};

const outputs = {
  outputTimeout: option({
    kind: duration({ positive: true }),
    default: "10s",
    section: "Outputs",
    summary:
      "How long a connection or an answer of an output may take; then it is tried again, after longer and longer.",
  }),
  outputCa: option({
    kind: path(),
    section: "Outputs",
    summary: "Certificates of the authorities (PEM) that outputs over TLS are trusted by, instead of the runtime's.",
  }),
  outputToken: option({
    kind: secret(),
    section: "Outputs",
    summary: "A file with a token for outputs over HTTP, sent as `Authorization: Bearer`.",
  }),
  outputHeader: option({
    kind: list(text("Name: value")),
    section: "Outputs",
    summary: "Header fields for outputs over HTTP, such as `X-Scope-OrgID: shop`. Not for secrets.",
  }),
  outputCompression: option({
    kind: choice(["gzip", "none"]),
    default: "gzip",
    section: "Outputs",
    summary: "How what is sent over HTTP is compressed.",
  }),
  outputFileSize: option({
    kind: bytes(),
    default: "0",
    section: "Outputs",
    summary: "The size at which an output file is renamed and a new one begun; 0 is never.",
  }),
  outputFileKeep: option({
    kind: integer(0, 1000),
    default: "5",
    section: "Outputs",
    summary: "How many renamed output files are kept, as `path.1` (the latest), `path.2` ...",
  }),
  bufferMemory: option({
    kind: bytes(),
    default: "8MiB",
    section: "Outputs",
    summary:
      "How much may wait for each output in memory. Then files are not read on, and what else comes goes to disk.",
  }),
  bufferSize: option({
    kind: bytes(),
    default: "256MiB",
    section: "Outputs",
    summary:
      "How much may wait for each output on disk, in `--state-dir`, of inputs that cannot be read again; then these have to wait as well. 0 is nothing.",
  }),
};

const formats = {
  format: option({
    kind: list(text("auto or the name of a format, perhaps after an input and =")),
    default: "auto",
    section: "Formats",
    summary:
      "What lines are read as: `auto` finds out for each line, a name of the table above or of an own format is the only one that is tried. `file:/var/log/a.log=access` is for one input.",
  }),
  formats: option({
    kind: structured(z.array(ownFormat).max(1000), "a list of formats, each with a name and a regexp, grok or json"),
    section: "Formats",
    summary: "Formats of your own: a regular expression, a grok pattern, or the fields of JSON objects.",
  }),
  grokPatterns: option({
    kind: structured(z.record(z.string(), z.string()), "grok patterns by name"),
    section: "Formats",
    summary: "Patterns that grok patterns may name, beside those of the standard set.",
  }),
  formatFiles: option({
    kind: list(path()),
    section: "Formats",
    summary: "Files with formats of other programs: fluent-bit's parsers (`[PARSER]` sections), lnav's format files.",
  }),
  tests: option({
    kind: structured(z.array(configTest).max(1000), "a list of tests, each with a name, lines and what to expect"),
    section: "Formats",
    summary: "Lines and what has to be in their records, tried by `--check-config` and before each start.",
  }),
};

const processing = {
  redact: option({
    kind: list(choice(REDACTIONS)),
    section: "Processing",
    summary:
      "What is taken out of messages and attributes: `tokens` (also passwords and keys behind their names), `emails`, `cards` (numbers whose check digit is right).",
  }),
  redactions: option({
    kind: structured(z.array(ownRedaction).max(1000), "a list of redactions, each with a regexp"),
    section: "Processing",
    summary: "Expressions of your own that are taken out, and what stands there instead.",
  }),
  rules: option({
    kind: structured(z.array(rule).max(1000), "a list of rules, each with one of drop, keep, sample, limit and rename"),
    section: "Processing",
    summary: "Which records pass: rules in order, each for the records that `if` and `below` name.",
  }),
};

const limits = {
  maxLineSize: option({
    kind: bytes(),
    default: "256KiB",
    section: "Limits",
    summary: "The size of a line; a longer one is given in several records, flagged `truncated`.",
  }),
  maxRecordSize: option({
    kind: bytes(),
    default: "1MiB",
    section: "Limits",
    summary: "The size up to which lines are joined to one record.",
  }),
};

export const options = { ...streams, ...inputs, ...records, ...outputs, ...formats, ...processing, ...limits } as const;
