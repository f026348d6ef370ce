/**
 * How `%t %k %v` are printed. Modifiers can be combined; they work in this order:
 * `jq:PATH` picks a field → `max=N` cuts to N characters → one encoding (`hex`, `base64`, `base64raw`, `json`, `c`,
 * `unpack[…]`, or as it is). `null=TEXT` is shown for null, and for a field that is not there.
 */
import { argumentBytes } from '../../argument-bytes.js';
import { writeJsonString, writeJsonText } from '../json-text.js';
import { Constant, type OutputBuffer } from '../output-buffer.js';
import { escapeTail } from '../terminal-escape.js';
import { endOfCharacters, utf8SequenceLength } from '../utf8.js';
import { fieldAt, parseFieldPath } from './field-path.js';
import { formatError, type Modifier, type VerbNode } from './layout.js';
import { compileUnpack, type TextWriter } from './unpack.js';

export interface TextOptions {
  /** Shown for null unless the verb says `null=`. Default nothing. */
  readonly nullText: string;
  readonly forTerminal: boolean;
}

const writeRaw: TextWriter = (source, start, end, out) => out.writeBytes(source, start, end);

const ENCODINGS: Readonly<Record<string, TextWriter>> = {
  raw: writeRaw,
  hex: (source, start, end, out) => out.writeHex(source, start, end),
  base64: (source, start, end, out) => out.writeBase64(source, start, end),
  base64raw: (source, start, end, out) => out.writeBase64(source, start, end, false),
  c: writeCEscaped,
};

const KNOWN = 'Known: raw hex base64 base64raw unpack[SPEC] json c null=TEXT max=N jq:.a.b.';

/** `start` is -1 for null. */
export function compileText(format: string, verb: VerbNode, options: TextOptions): TextWriter {
  let encode: TextWriter | undefined;
  let nullText: string | undefined;
  let pick: Modifier | undefined;
  let maxCharacters = Number.POSITIVE_INFINITY;
  for (const modifier of verb.modifiers) {
    const { name, argument, index } = modifier;
    if (name === 'null' && argument !== undefined) nullText = argument;
    else if (name === 'max' && argument !== undefined) maxCharacters = parseMax(format, index, argument);
    else if (name === 'jq' && argument !== undefined) pick = modifier;
    else {
      const encoding = encodingFor(format, modifier, options);
      if (encoding === undefined) throw formatError(format, index, 'unknown text modifier', KNOWN);
      if (encode !== undefined) throw formatError(format, index, 'two encodings of one text');
      encode = encoding;
      if (name === 'json') nullText ??= 'null';
    }
  }
  let write = encode ?? writeRaw;
  if (maxCharacters !== Number.POSITIVE_INFINITY) write = cut(write, maxCharacters);
  const absent = new Constant(argumentBytes(nullText ?? options.nullText));
  const raw = (encode === undefined || encode === writeRaw) && maxCharacters === Number.POSITIVE_INFINITY;
  let whole: TextWriter =
    raw && absent.length === 0
      ? (source, start, end, out) => {
          if (start >= 0) out.writeBytes(source, start, end);
        }
      : (source, start, end, out) => {
          if (start < 0) out.writeConstant(absent);
          else write(source, start, end, out);
        };
  if (pick !== undefined) whole = pickField(format, pick, whole);
  return options.forTerminal ? escaped(whole) : whole;
}

function encodingFor(format: string, modifier: Modifier, options: TextOptions): TextWriter | undefined {
  if (modifier.name === 'unpack') return compileUnpack(format, modifier.index, modifier.argument ?? '');
  if (modifier.argument !== undefined) return undefined;
  if (modifier.name === 'json') {
    return (source, start, end, out) => {
      if (writeJsonString(source, start, end, out, options.forTerminal)) return;
      writeJsonText(Buffer.from(source.subarray(start, end)).toString('utf8'), out, options.forTerminal);
    };
  }
  return Object.hasOwn(ENCODINGS, modifier.name) ? ENCODINGS[modifier.name] : undefined;
}

function parseMax(format: string, index: number, argument: string): number {
  if (/^\d{1,9}$/.test(argument)) return Number(argument);
  throw formatError(format, index, `max= takes a number of characters, not "${argument}"`);
}

function cut(write: TextWriter, maxCharacters: number): TextWriter {
  return (source, start, end, out) => write(source, start, endOfCharacters(source, start, end, maxCharacters), out);
}

/** What is not JSON has no fields. Text fields are printed as they are, others as JSON, null as null. */
function pickField(format: string, modifier: Modifier, write: TextWriter): TextWriter {
  const path = parseFieldPath(format, modifier.index, modifier.argument!);
  const nothing = Buffer.alloc(0);
  return (source, start, end, out) => {
    const field = start < 0 ? undefined : fieldAt(parseJson(source, start, end), path);
    if (field === undefined || field === null) {
      write(nothing, -1, -1, out);
      return;
    }
    const text = Buffer.from(typeof field === 'string' ? field : stringify(field), 'utf8');
    write(text, 0, text.length, out);
  };
}

function parseJson(source: Uint8Array, start: number, end: number): unknown {
  try {
    return JSON.parse(Buffer.from(source.buffer, source.byteOffset + start, end - start).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Data nested so deeply that it overflows the stack is shown as such; it must not end the run. */
function stringify(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return Array.isArray(value) ? '[…]' : '{…}';
  }
}

/** Text that shows what is there on one line: C's escapes for control bytes, the backslash, and what is not UTF-8. */
export function writeCEscaped(source: Uint8Array, start: number, end: number, out: OutputBuffer): void {
  let i = start;
  while (i < end) {
    const byte = source[i]!;
    const size = utf8SequenceLength(source, i, end);
    if (size > 1) {
      out.writeBytes(source, i, i + size);
      i += size;
      continue;
    }
    i++;
    if (byte === 0x5c) out.writeAscii('\\\\');
    else if (byte >= 0x20 && byte < 0x7f) out.writeByte(byte);
    else if (byte === 0x0a) out.writeAscii('\\n');
    else if (byte === 0x09) out.writeAscii('\\t');
    else if (byte === 0x0d) out.writeAscii('\\r');
    else {
      out.writeAscii('\\x');
      out.writeHex(source, i - 1, i);
    }
  }
}

/** Whatever a writer writes, a terminal gets it with its control bytes escaped. */
function escaped(write: TextWriter): TextWriter {
  return (source, start, end, out) => {
    const mark = out.length;
    write(source, start, end, out);
    escapeTail(out, mark);
  };
}
