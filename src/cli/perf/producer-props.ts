/**
 * `--producer-props` of kafka-producer-perf-test: settings by Kafka's names.
 *
 * | name               | is                        |
 * |--------------------|---------------------------|
 * | `acks`             | `--acks`                  |
 * | `linger.ms`        | `--linger`                |
 * | `batch.size`       | `--batch-bytes`           |
 * | `compression.type` | `--compression`           |
 *
 * A name that means nothing here is refused: figures of something else than was asked for are worse than none.
 */
import type { CompressionType } from '../../clients/producer.js';
import { KlogError } from '../../errors.js';
import { COMPRESSION_TYPES } from '../../format/compression.js';
import { exclude } from '../option-errors.js';
import { parseCount } from '../values/parse-count.js';
import { parseConfig } from '../values/parse-key-value.js';

/** As the flags of `perf produce` leave them. */
export interface ProducerFlags {
  readonly acks?: string;
  /** Milliseconds. */
  readonly linger?: number;
  readonly batchBytes?: number;
  readonly compression?: CompressionType;
}

type Prop = { readonly flag: keyof ProducerFlags; readonly name: string; readonly parse: (text: string) => unknown };

const PROPS: Readonly<Record<string, Prop>> = {
  acks: { flag: 'acks', name: '--acks', parse: (text) => text },
  'linger.ms': { flag: 'linger', name: '--linger', parse: parseMilliseconds },
  'batch.size': { flag: 'batchBytes', name: '--batch-bytes', parse: parseCount },
  'compression.type': { flag: 'compression', name: '--compression', parse: parseCompression },
};

/** The flags that `props` stand for; each may be given in one way only. @throws KlogError KLOG_USAGE */
export function producerFlags(props: readonly string[], flags: ProducerFlags): ProducerFlags {
  const found: Partial<Record<keyof ProducerFlags, unknown>> = {};
  for (const text of props) {
    const { key, value } = parseConfig(text);
    const prop = Object.hasOwn(PROPS, key) ? PROPS[key] : undefined;
    if (prop === undefined) {
      throw new KlogError('KLOG_USAGE', `--producer-props: ${key} means nothing here`, {
        hint: `Known are ${Object.keys(PROPS).join(', ')}`,
      });
    }
    if (flags[prop.flag] !== undefined) exclude(prop.name, `--producer-props ${key}`);
    try {
      found[prop.flag] = prop.parse(value);
    } catch (error) {
      throw new KlogError('KLOG_USAGE', `--producer-props ${key}: ${(error as Error).message}`, { cause: error });
    }
  }
  return found as ProducerFlags;
}

function parseMilliseconds(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new KlogError('KLOG_USAGE', `'${text}' is not a number of milliseconds`);
}

function parseCompression(text: string): CompressionType {
  if ((COMPRESSION_TYPES as readonly string[]).includes(text)) return text as CompressionType;
  throw new KlogError('KLOG_USAGE', `'${text}' is none of ${COMPRESSION_TYPES.join(', ')}`);
}
