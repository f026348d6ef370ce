/**
 * `--value-format`: what values are in the log.
 *
 * | format    | produce                                            | consume             |
 * |-----------|----------------------------------------------------|---------------------|
 * | `raw`     | as they are                                        | as they are         |
 * | `json`    | must be JSON, stored without the space between its parts | as they are   |
 * | `msgpack` | JSON, or else text (bytes where it is no text), stored as MessagePack | as JSON |
 *
 * Null stays null. MessagePack is read and written by msgpackr, which is loaded when it is first asked for.
 */
import { KlogError } from '../../errors.js';

export const VALUE_FORMATS = ['raw', 'json', 'msgpack'] as const;

export type ValueFormat = (typeof VALUE_FORMATS)[number];

export interface ValueCodec {
  /** KLOG_BAD_INPUT for a value that is not what the format wants. */
  encode(value: Uint8Array): Uint8Array;
  /** KLOG_BAD_INPUT for a value of the log that is not in the format. */
  decode(value: Uint8Array): Uint8Array;
}

const asItIs = (value: Uint8Array) => value;

/** KLOG_USAGE for an unknown name. */
export async function loadValueCodec(format: string): Promise<ValueCodec> {
  switch (format) {
    case 'raw':
      return { encode: asItIs, decode: asItIs };
    case 'json':
      return { encode: (await import('./value-codecs.js')).encodeJson, decode: asItIs };
    case 'msgpack':
      return await (await import('./value-codecs.js')).loadMessagePack();
  }
  throw new KlogError('KLOG_USAGE', `Unknown value format "${format}"`, { hint: `Known: ${VALUE_FORMATS.join(' ')}.` });
}
