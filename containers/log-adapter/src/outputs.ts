// All outputs as one: what is delivered is taken by each of them, in the form that it takes.
import { createHash } from "node:crypto";
import { join } from "node:path";

import { readBounded } from "@outrigger/files";

import type { AdapterContext } from "./container.ts";
import type { Circumstances } from "./model.ts";
import { createDiskBuffer } from "./outputs/disk-buffer.ts";
import { createEncoder } from "./outputs/encoders.ts";
import type { Encoder } from "./outputs/encoders.ts";
import { createFileTransport } from "./outputs/file.ts";
import { createHttpTransport } from "./outputs/http.ts";
import { createQueue } from "./outputs/queue.ts";
import type { Queue } from "./outputs/queue.ts";
import { createSocketTransport } from "./outputs/socket.ts";
import { parseOutput } from "./outputs/spec.ts";
import type { OutputSpec } from "./outputs/spec.ts";
import { createStdoutTransport } from "./outputs/stdout.ts";
import type { Transport } from "./outputs/transport.ts";
import type { Reading } from "./reading.ts";
import type { Resource } from "./resource.ts";

/** Records on their way: a text for each form that an output takes. */
export type Batch = { readonly texts: readonly string[]; readonly lines: number; readonly isVolatile: boolean };

export type Outputs = {
  /** Adds a record to the texts of a batch. */
  encode(texts: string[], reading: Reading, circumstances: Circumstances): void;
  /** Whether all of them would accept it at once. */
  hasRoom(batch: Batch): boolean;
  /** Resolves when what an earlier run has left on disk has been taken or refused. */
  leftDelivered(): Promise<void>;
  /** `accepted` resolves when all of them keep it; `done` when all have taken it (true), or one has refused it for good. */
  deliver(batch: Batch): { readonly accepted: Promise<void>; readonly done: Promise<boolean> };
};

type Output = { readonly form: number; readonly queue: Queue };

/** Opens all outputs; what an earlier run has left on disk is sent first. */
export async function createOutputs(context: AdapterContext, resource: Resource): Promise<Outputs> {
  const { options, onStop } = context;
  const encoders: Encoder[] = [];
  const forms = new Map<string, number>();
  const outputs: Output[] = [];
  for (const text of options.output) {
    const spec = parseOutput(text)!;
    const name = formOf(spec);
    if (!forms.has(name)) {
      forms.set(name, encoders.length);
      encoders.push(createEncoder(spec.kind, options.model, resource));
    }
    const form = forms.get(name)!;
    const queue = await openQueue(context, spec, encoders[form]!);
    onStop(`output ${text}`, queue.close);
    outputs.push({ form, queue });
  }
  return {
    encode: (texts, reading, circumstances) => {
      for (let i = 0; i < encoders.length; i++) {
        const { between, encode } = encoders[i]!;
        texts[i] = `${texts[i] ?? ""}${between}${encode(reading, circumstances)}`;
      }
    },
    hasRoom: ({ texts, isVolatile }) =>
      outputs.every(({ form, queue }) => queue.hasRoom(texts[form]!.length, isVolatile)),
    leftDelivered: () => Promise.all(outputs.map(({ queue }) => queue.leftDelivered())).then(() => undefined),
    deliver: ({ texts, lines, isVolatile }) => {
      const puts = outputs.map(({ form, queue }) => queue.put({ text: texts[form]!, lines, isVolatile }));
      return {
        accepted: Promise.all(puts.map(({ accepted }) => accepted)).then(() => undefined),
        done: Promise.all(puts.map(({ done }) => done)).then((all) => all.every(Boolean)),
      };
    },
  };
}

/** Outputs of the same form share what was written for it. */
const formOf = ({ kind }: OutputSpec): string =>
  ["otlp", "loki", "elasticsearch", "syslog"].includes(kind) ? kind : "lines";

async function openQueue(context: AdapterContext, spec: OutputSpec, encoder: Encoder): Promise<Queue> {
  const { options, metrics, log, readiness } = context;
  const output = spec.text;
  const disk =
    options.stateDir === undefined || options.bufferSize === 0
      ? undefined
      : createDiskBuffer(join(options.stateDir, `buffer-${hashOf(output)}`), options.bufferSize);
  const left = await loadBuffer(context, output, disk);
  const condition = `output ${output}`;
  let isFailing = false;
  let isUndiskable = false;
  readiness.set(condition, true);
  const sent = metrics.bytes.cell({ output });
  const errors = metrics.outputErrors.cell({ output });
  const refused = metrics.refused.cell({ output });
  for (const cell of [sent, errors, refused]) cell.add(0);
  const buffered = metrics.buffered.cell({ output });
  const queue = createQueue({
    transport: await createTransport(context, spec, encoder),
    memoryBytes: options.bufferMemory,
    disk,
    left,
    on: {
      sent: (bytes) => {
        sent.add(bytes);
        buffered.set(queue.bytes());
      },
      refused: (records, error) => {
        refused.add(records);
        log.error({ output, records, error: error?.message }, "output refuses records for good");
      },
      failing: (error) => {
        errors.add(1);
        buffered.set(queue.bytes());
        if (!isFailing) log.warn({ output, error: error.message }, "output does not take records");
        isFailing = true;
        readiness.set(condition, false, `${output}: ${error.message}`);
      },
      working: () => {
        if (!isFailing) return;
        isFailing = false;
        readiness.set(condition, true);
        log.info({ output }, "output takes records again");
      },
      undiskable: (error) => {
        if (!isUndiskable) log.error({ output, error: error.message }, "buffer on disk not writable, memory has to do");
        isUndiskable = true;
      },
      leftDelivered: (lines, taken) => {
        const cell = taken
          ? metrics.delivered.cell({ input: BUFFER })
          : metrics.dropped.cell({ input: BUFFER, reason: "refused" });
        cell.add(lines);
        metrics.pending.cell({ input: BUFFER }).add(-lines);
      },
    },
  });
  return queue;
}

/** What the input is called whose lines an earlier run has left in the buffer. */
const BUFFER = "buffer";

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 12);

/** Says how many texts an earlier run has left; one that cannot be read is told, and left as it is. */
async function loadBuffer(
  { metrics, log }: AdapterContext,
  output: string,
  disk: ReturnType<typeof createDiskBuffer> | undefined,
): Promise<number> {
  if (disk === undefined) return 0;
  try {
    const { entries, lines, damaged } = await disk.load();
    if (damaged > 0) log.error({ output, damaged }, "buffer on disk damaged, what cannot be read is left out");
    metrics.damaged.cell({}).add(damaged);
    if (entries > 0) log.info({ output, lines }, "sending what an earlier run has left in the buffer");
    metrics.read.cell({ input: BUFFER }).add(lines);
    metrics.pending.cell({ input: BUFFER }).add(lines);
    return entries;
  } catch (error) {
    log.error({ output, error: (error as Error).message }, "buffer on disk not usable, memory has to do");
    return 0;
  }
}

const MAX_CA_BYTES = 1024 * 1024;

async function createTransport(
  { options, stdio }: AdapterContext,
  spec: OutputSpec,
  encoder: Encoder,
): Promise<Transport> {
  if (spec.kind === "stdout") return createStdoutTransport(stdio.output);
  if (spec.kind === "file") {
    return createFileTransport(spec.path, { maxBytes: options.outputFileSize, keep: options.outputFileKeep });
  }
  const url = spec.url!;
  if (spec.kind === "syslog" || spec.kind === "tcp") return createSocketTransport(url, options.outputTimeout);
  const { outputCa, outputToken, outputHeader } = options;
  const headers = Object.fromEntries(outputHeader.map(headerOf));
  return createHttpTransport(url, spec.kind, encoder, {
    timeoutMs: options.outputTimeout,
    compress: options.outputCompression === "gzip",
    headers: outputToken === undefined ? headers : { ...headers, authorization: `Bearer ${outputToken.reveal()}` },
    ca: outputCa === undefined ? undefined : (await readBounded(outputCa, MAX_CA_BYTES)).toString("utf8"),
  });
}

/** `name: value`, as in HTTP. */
export function headerOf(text: string): [string, string] {
  const at = text.indexOf(":");
  return [text.slice(0, at).trim().toLowerCase(), text.slice(at + 1).trim()];
}
