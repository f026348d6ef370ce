/**
 * How the texts `%t %k %v` are read by each modifier of text.ts.
 *
 * | modifier               | reads                                                                                    |
 * |------------------------|------------------------------------------------------------------------------------------|
 * | `raw`, `hex`, `base64` | what they print; `base64` and `base64raw` with padding or without                        |
 * | `c`                    | what it prints: any bytes on a line of text                                              |
 * | `json`                 | one JSON value, which stays JSON and loses its space; what `json` prints is a JSON string |
 * | `unpack[SPEC]`         | what it prints, where SPEC is one number: several stand side by side without an end      |
 * | `re[…]`                | what the expression matches                                                              |
 * | `null=TEXT`            | this very text as null                                                                   |
 * | `max=N`, `jq:PATH`     | nothing: what they leave out is gone                                                     |
 */
import { argumentBytes } from '../../argument-bytes.js';
import type { TextDecoder } from './input-steps.js';
import { formatError, type VerbNode } from './layout.js';
import { compactJson, decodeBase64, decodeHex, unescapeBytes } from './text-decoding.js';
import { compilePack } from './unpack.js';

export interface TextModifiers {
  readonly decoder: TextDecoder;
  readonly nullText: Buffer | undefined;
  /** `re[…]`, and where in the format it stands. */
  readonly expression: { readonly source: string; readonly index: number } | undefined;
}

export const RAW: TextDecoder = { name: 'raw', decode: (bytes) => Buffer.from(bytes) };
const BASE64: TextDecoder = { name: 'base64', decode: decodeBase64 };
const DECODERS: Readonly<Record<string, TextDecoder>> = {
  raw: RAW,
  hex: { name: 'hex', decode: decodeHex },
  base64: BASE64,
  base64raw: BASE64,
  json: { name: 'json', decode: compactJson },
  c: {
    name: 'text with the escapes of {c}',
    decode: (bytes) => {
      const decoded = unescapeBytes(bytes);
      return typeof decoded === 'number' ? undefined : decoded;
    },
  },
};

/** KLOG_USAGE for what cannot be read. */
export function compileTextModifiers(format: string, node: VerbNode): TextModifiers {
  let decoder: TextDecoder | undefined;
  let nullText: Buffer | undefined;
  let expression: TextModifiers['expression'];
  for (const { name, argument, index } of node.modifiers) {
    if (name === 're') expression = { source: argument!, index };
    else if (name === 'null' && argument !== undefined) nullText = argumentBytes(argument);
    else {
      if (name === 'max' || name === 'jq') {
        throw formatError(format, index, `${name} can only be printed: what it leaves out cannot be read back`);
      }
      const found = name === 'unpack' ? compilePack(format, index, argument ?? '') : decoderNamed(name, argument);
      if (found === undefined) {
        const known = 'Known: raw hex base64 base64raw json c unpack[SPEC] re[…] null=TEXT.';
        throw formatError(format, index, 'unknown text modifier for input', known);
      }
      if (decoder !== undefined) throw formatError(format, index, 'two encodings of one text');
      decoder = found;
    }
  }
  return { decoder: decoder ?? RAW, nullText, expression };
}

function decoderNamed(name: string, argument: string | undefined): TextDecoder | undefined {
  return argument === undefined && Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined;
}
