// Prometheus' protobuf format: io.prometheus.client.MetricFamily (prometheus/client_model, metrics.proto). Field numbers
// stand as they are in that file.
import type {
  Exemplar,
  Family,
  Histogram,
  Labels,
  MetricType,
  NativeBuckets,
  NativeHistogram,
  Point,
  Series,
  Summary,
} from "./model.ts";
import { isHistogram, isSummary } from "./model.ts";
import type { ProtobufWriter } from "./protobuf-writer.ts";
import { createProtobufWriter } from "./protobuf-writer.ts";

const TYPES: Readonly<Record<MetricType, number>> = {
  counter: 0,
  gauge: 1,
  info: 1,
  stateset: 1,
  summary: 2,
  unknown: 3,
  histogram: 4,
  gaugehistogram: 5,
};
/** Which field of Metric has the value. */
const VALUE_FIELDS: Readonly<Partial<Record<MetricType, number>>> = { counter: 3, unknown: 5 };
const GAUGE_FIELD = 2;

/** The fields of MetricFamily beside its metrics; to be written before and after them. */
export function encodeFamilyHead({ name, help, type, unit }: Family): Buffer {
  const writer = createProtobufWriter();
  writer.string(1, name);
  writer.string(2, help);
  writer.unsigned(3, TYPES[type]);
  if (unit !== "") writer.string(5, unit);
  return writer.finish();
}

/** One `metric` field of MetricFamily. */
export function encodeSeries({ type }: Family, series: Series): Buffer {
  const writer = createProtobufWriter();
  writer.message(4, (metric) => {
    writeLabels(metric, series.labels);
    if (isHistogram(series)) metric.message(7, (value) => writeHistogram(value, series));
    else if (isSummary(series)) metric.message(4, (value) => writeSummary(value, series));
    else metric.message(VALUE_FIELDS[type] ?? GAUGE_FIELD, (value) => writePoint(value, type, series));
    if (series.timestamp !== undefined && series.timestamp >= 0)
      metric.unsigned(6, Math.round(series.timestamp * 1000));
  });
  return writer.finish();
}

function writeLabels(writer: ProtobufWriter, labels: Labels): void {
  for (let at = 0; at < labels.length; at += 2) {
    writer.message(1, (pair) => {
      pair.string(1, labels[at]!);
      pair.string(2, labels[at + 1]!);
    });
  }
}

function writeTime(writer: ProtobufWriter, field: number, seconds: number | undefined): void {
  if (seconds === undefined || !(seconds >= 0)) return;
  writer.message(field, (time) => {
    time.unsigned(1, Math.floor(seconds));
    time.unsigned(2, Math.floor((seconds % 1) * 1e9));
  });
}

function writeExemplar(writer: ProtobufWriter, field: number, exemplar: Exemplar | undefined): void {
  if (exemplar === undefined) return;
  writer.message(field, (message) => {
    writeLabels(message, exemplar.labels);
    message.double(2, exemplar.value);
    writeTime(message, 3, exemplar.timestamp);
  });
}

function writePoint(writer: ProtobufWriter, type: MetricType, { value, exemplar, created }: Point): void {
  writer.double(1, value);
  if (type !== "counter") return;
  writeExemplar(writer, 2, exemplar);
  writeTime(writer, 3, created);
}

function writeSummary(writer: ProtobufWriter, { count, sum, quantiles, created }: Summary): void {
  // The format has whole numbers only here.
  writer.unsigned(1, Math.min(Math.round(count), Number.MAX_SAFE_INTEGER));
  writer.double(2, sum);
  for (const { quantile, value } of quantiles) {
    writer.message(3, (message) => {
      message.double(1, quantile);
      message.double(2, value);
    });
  }
  writeTime(writer, 4, created);
}

/** Counts that are no whole numbers have fields of their own. */
function writeCount(writer: ProtobufWriter, [whole, float]: readonly [number, number], count: number): void {
  if (Number.isSafeInteger(count)) writer.unsigned(whole, count);
  else writer.double(float, count);
}

function writeHistogram(writer: ProtobufWriter, { count, sum, buckets, native, created }: Histogram): void {
  writeCount(writer, [1, 4], count);
  writer.double(2, sum);
  for (const { le, count: upTo, exemplar } of buckets) {
    writer.message(3, (bucket) => {
      writeCount(bucket, [1, 4], upTo);
      bucket.double(2, le);
      writeExemplar(bucket, 3, exemplar);
    });
  }
  if (native !== undefined) writeNative(writer, native);
  writeTime(writer, 15, created);
}

function writeNative(
  writer: ProtobufWriter,
  { schema, zeroThreshold, zeroCount, positive, negative }: NativeHistogram,
): void {
  writer.signed(5, schema);
  writer.double(6, zeroThreshold);
  writeCount(writer, [7, 8], zeroCount);
  writeSide(writer, { spans: 9, deltas: 10 }, negative);
  // A span of nothing tells a native histogram that has seen nothing yet from one that is none.
  const isEmpty = positive.spans.length === 0 && negative.spans.length === 0;
  writeSide(writer, { spans: 12, deltas: 13 }, isEmpty ? { spans: [{ offset: 0, length: 0 }], deltas: [] } : positive);
}

function writeSide(writer: ProtobufWriter, fields: { spans: number; deltas: number }, side: NativeBuckets): void {
  for (const { offset, length } of side.spans) {
    writer.message(fields.spans, (span) => {
      span.signed(1, offset);
      span.unsigned(2, length);
    });
  }
  for (const delta of side.deltas) writer.signed(fields.deltas, delta);
}
