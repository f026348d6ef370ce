/** How values become JSON or MessagePack, and MessagePack JSON again: loaded for a `--value-format` that is not raw. */
import { isUtf8 } from 'node:buffer';
import { KlogError } from '../../errors.js';
import { withoutExcerpt } from '../parser-message.js';
import { inexactNumber } from './exact-numbers.js';
import { compactJson } from './format-language/text-decoding.js';
import { shortened } from './json-fields.js';
import type { ValueCodec } from './value-format.js';

export function encodeJson(value: Uint8Array): Uint8Array {
  if (!isUtf8(value)) throw new KlogError('KLOG_BAD_INPUT', 'The value is not JSON: it is not UTF-8');
  try {
    JSON.parse(Buffer.from(value).toString('utf8'));
  } catch (error) {
    throw new KlogError('KLOG_BAD_INPUT', `The value is not JSON: ${withoutExcerpt(error)}`);
  }
  return compactJson(value);
}

export async function loadMessagePack(): Promise<ValueCodec> {
  const { C1, Packr } = await import('msgpackr');
  // Maps rather than objects: no field name is special then, and keys need not be text.
  const packer = new Packr({ useRecords: false, mapsAsObjects: false, int64AsType: 'bigint' });
  return {
    encode: (value) => {
      try {
        return packer.pack(toPackable(value));
      } catch (error) {
        // Thousands of brackets in each other.
        if (error instanceof RangeError) {
          throw new KlogError('KLOG_BAD_INPUT', 'The value is nested too deeply for MessagePack', { cause: error });
        }
        throw error;
      }
    },
    decode: (value) => {
      try {
        return Buffer.from(toJson(packer.unpack(Buffer.from(value)) as unknown, C1), 'utf8');
      } catch (error) {
        throw new KlogError('KLOG_BAD_INPUT', 'A value is not MessagePack', {
          cause: error,
          hint: 'Without --value-format values are shown as they are.',
        });
      }
    },
  };
}

function toPackable(value: Uint8Array): unknown {
  if (!isUtf8(value)) return Buffer.from(value);
  const text = Buffer.from(value).toString('utf8');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return text;
  }
  refuseInexactNumbers(text);
  return withMaps(parsed);
}

function refuseInexactNumbers(text: string): void {
  const number = inexactNumber(text);
  if (number === undefined) return;
  throw new KlogError('KLOG_BAD_INPUT', `The number ${shortened(number)} cannot be held exactly`, {
    hint: 'Put numbers beyond 2^53 - 1 in quotes.',
  });
}

function withMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withMaps);
  if (typeof value !== 'object' || value === null) return value;
  return new Map(Object.entries(value).map(([key, field]) => [key, withMaps(field)]));
}

/**
 * JSON of whatever MessagePack can hold: bytes as base64 text, big integers as digits, times as ISO 8601, other keys as
 * their JSON. `invalid` is what msgpackr gives for the one byte that begins nothing.
 */
function toJson(value: unknown, invalid: unknown): string {
  if (value === invalid) throw new Error('0xc1 is used for nothing');
  if (value instanceof Map) {
    const fields = [...value].map(([key, field]) => {
      const name = typeof key === 'string' ? key : toJson(key, invalid);
      return `${JSON.stringify(name)}:${toJson(field, invalid)}`;
    });
    return `{${fields.join(',')}}`;
  }
  if (Array.isArray(value)) return `[${value.map((element) => toJson(element, invalid)).join(',')}]`;
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'));
  if (value instanceof Set) return toJson([...value], invalid);
  return JSON.stringify(value) ?? 'null';
}
