/**
 * Compiles `-f` for output: each verb becomes a step once, and a record runs through the steps.
 *
 * | verb             | prints                                                                          |
 * |------------------|---------------------------------------------------------------------------------|
 * | `%t %k %v`       | topic, key, value                                                               |
 * | `%T %K %V`       | their lengths in bytes; with `{null}` -1 for null, otherwise 0                  |
 * | `%H` `%h{…}`     | number of headers; each header by an inner format of `%k %v %K %V`              |
 * | `%h{name:N}`     | the value of the header N (the last one of that name)                           |
 * | `%p %o %e %d`    | partition, offset, leader epoch, timestamp                                      |
 * | `%x %y %a{…}`    | producer id and epoch, attributes                                               |
 * | `%[ %| %]` `%i`  | log start offset, last stable offset, high watermark; records printed, from 1   |
 * | `%D %A`          | delivery count and acquisition deadline of share groups: 0 outside of one       |
 * | `%s %S %R` `%h`  | kcat's: value, its length (-1 null), its length as big-endian 32 bits; `n=v,n=v` |
 */
import type { RecordCursor } from '../../../format/record-cursor.js';
import { argumentBytes } from '../../argument-bytes.js';
import { rangeEquals } from '../byte-range.js';
import type { FormatContext, RecordFormatter } from '../format-context.js';
import { withKernel } from '../kernel-printer.js';
import { Constant, type OutputBuffer } from '../output-buffer.js';
import { printerOf, type RecordPrinter } from '../record-printer.js';
import { escapeTail } from '../terminal-escape.js';
import { compileAttribute } from './attributes.js';
import { formatTemplate } from './format-template.js';
import { parseKcatLayout } from './kcat.js';
import { formatError, type LayoutNode, type Modifier, parseLayout, type VerbNode } from './layout.js';
import { NUMBER_MODIFIERS, type NumberWriter, numberWriterNamed, writeBig32, writeDecimal } from './numbers.js';
import { compileText, type TextOptions } from './text.js';
import { compileTime, type TimeOptions } from './times.js';
import type { TextWriter } from './unpack.js';

export interface OutputFormatOptions extends TextOptions, TimeOptions {}

const KNOWN_VERBS = 'Known verbs: %t %k %v %T %K %V %h %H %p %o %e %d %a %x %y %i %[ %| %] %s %S %R, and %% %{ %}.';
const KNOWN_INNER_VERBS = 'Inside %h{…} there are %k %v %K %V, and %% %{ %}.';

export function createLanguagePrinter(format: string, options: OutputFormatOptions): RecordPrinter {
  return createNodesPrinter(format, parseLayout(format), options);
}

/** `format` is what stands behind `kcat:`. */
export function createKcatPrinter(format: string, options: OutputFormatOptions): RecordPrinter {
  return createNodesPrinter(format, parseKcatLayout(format), options);
}

function createNodesPrinter(format: string, nodes: readonly LayoutNode[], options: OutputFormatOptions): RecordPrinter {
  const printer = printerOf(compileNodes(format, nodes, options));
  const template = options.forTerminal ? undefined : formatTemplate(nodes, options.nullText);
  return template === undefined ? printer : withKernel(printer, template);
}

function compileNodes(format: string, nodes: readonly LayoutNode[], options: OutputFormatOptions): RecordFormatter {
  const steps = nodes.map((node) => compileNode(format, node, options));
  if (steps.length === 1) return steps[0]!;
  return (cursor, context, out) => {
    for (let i = 0; i < steps.length; i++) steps[i]!(cursor, context, out);
  };
}

function compileNode(format: string, node: LayoutNode, options: OutputFormatOptions): RecordFormatter {
  if (node.kind === 'literal') {
    const literal = new Constant(node.bytes);
    return (_cursor, _context, out) => out.writeConstant(literal);
  }
  const number = NUMBERS[node.verb];
  if (number !== undefined) return numberStep(format, node, number, options);
  switch (node.verb) {
    case 't':
      return topicStep(format, node, options);
    case 'k': {
      const write = compileText(format, node, options);
      return (cursor, _context, out) => write(cursor.buffer, cursor.keyStart, cursor.keyEnd, out);
    }
    case 'v':
    case 's': {
      const write = compileText(format, node, options);
      return (cursor, _context, out) => write(cursor.buffer, cursor.valueStart, cursor.valueEnd, out);
    }
    case 'd': {
      const write = forScreen(compileTime(format, node, options), options);
      return (cursor, _context, out) => write(cursor.timestamp, out);
    }
    case 'A': {
      const write = forScreen(compileTime(format, node, options), options);
      return (_cursor, _context, out) => write(0, out);
    }
    case 'h':
      return headersStep(format, node, options);
    case 'a':
      return compileAttribute(format, node);
  }
  throw formatError(format, node.index, `unknown verb %${node.verb}`, KNOWN_VERBS);
}

type NumberSource = (cursor: RecordCursor, context: FormatContext) => number;

/** Lengths of null are -1 here; whether they are printed as 0 is up to `{null}`. */
const NUMBERS: Readonly<Record<string, NumberSource>> = {
  T: (_cursor, context) => Buffer.byteLength(context.topic),
  K: (cursor) => (cursor.keyStart < 0 ? -1 : cursor.keyEnd - cursor.keyStart),
  V: (cursor) => (cursor.valueStart < 0 ? -1 : cursor.valueEnd - cursor.valueStart),
  S: (cursor) => (cursor.valueStart < 0 ? -1 : cursor.valueEnd - cursor.valueStart),
  R: (cursor) => (cursor.valueStart < 0 ? -1 : cursor.valueEnd - cursor.valueStart),
  H: (cursor) => cursor.headerCount,
  p: (_cursor, context) => context.partition,
  o: (cursor) => cursor.offset,
  e: (_cursor, context) => context.leaderEpoch,
  x: (_cursor, context) => context.producerId,
  y: (_cursor, context) => context.producerEpoch,
  i: (_cursor, context) => context.recordNumber,
  '[': (_cursor, context) => context.logStartOffset,
  '|': (_cursor, context) => context.lastStableOffset,
  ']': (_cursor, context) => context.highWatermark,
  D: () => 0,
};

const LENGTHS_OF_NULLABLE = 'KVSR';

interface NumberLayout {
  readonly write: NumberWriter;
  /** Whether `{null}` was given. */
  readonly nullable: boolean;
}

function compileNumber(format: string, verb: VerbNode, defaultWriter: NumberWriter): NumberLayout {
  let write: NumberWriter | undefined;
  let nullable = false;
  const nullAllowed = LENGTHS_OF_NULLABLE.includes(verb.verb);
  for (const modifier of verb.modifiers) {
    if (modifier.name === 'null' && modifier.argument === undefined && nullAllowed) {
      nullable = true;
      continue;
    }
    const found = numberWriter(modifier);
    if (found === undefined) {
      const known = `Known: ${NUMBER_MODIFIERS}${nullAllowed ? ' null' : ''}.`;
      throw formatError(format, modifier.index, 'unknown number modifier', known);
    }
    if (write !== undefined) throw formatError(format, modifier.index, 'two layouts of one number');
    write = found;
  }
  return { write: write ?? defaultWriter, nullable };
}

function numberWriter(modifier: Modifier): NumberWriter | undefined {
  return modifier.argument === undefined ? numberWriterNamed(modifier.name) : undefined;
}

function numberStep(
  format: string,
  verb: VerbNode,
  source: NumberSource,
  options: OutputFormatOptions,
): RecordFormatter {
  const layout = compileNumber(format, verb, verb.verb === 'R' ? writeBig32 : writeDecimal);
  const write = forScreen(layout.write, options);
  const keepsNull = layout.nullable || verb.verb === 'S' || verb.verb === 'R';
  if (keepsNull || !LENGTHS_OF_NULLABLE.includes(verb.verb)) {
    return (cursor, context, out) => write(source(cursor, context), out);
  }
  return (cursor, context, out) => write(Math.max(0, source(cursor, context)), out);
}

/** Number layouts can write any byte. */
function forScreen(write: NumberWriter, options: OutputFormatOptions): NumberWriter {
  if (!options.forTerminal) return write;
  return (n, out) => {
    const mark = out.length;
    write(n, out);
    escapeTail(out, mark);
  };
}

function topicStep(format: string, verb: VerbNode, options: OutputFormatOptions): RecordFormatter {
  const write = compileText(format, verb, options);
  let topic = '';
  let bytes = Buffer.alloc(0);
  return (_cursor, context, out) => {
    if (context.topic !== topic) {
      topic = context.topic;
      bytes = Buffer.from(topic, 'utf8');
    }
    write(bytes, 0, bytes.length, out);
  };
}

function headersStep(format: string, verb: VerbNode, options: OutputFormatOptions): RecordFormatter {
  if (verb.inner !== undefined) {
    const steps = verb.inner.map((node) => compileHeaderNode(format, node, options));
    return (cursor, _context, out) => {
      if (cursor.headerCount === 0) return;
      cursor.rewindHeaders();
      while (cursor.nextHeader()) for (let i = 0; i < steps.length; i++) steps[i]!(cursor, out);
    };
  }
  if (!verb.braced) return kcatHeaders(options);
  return namedHeader(format, verb, options);
}

type HeaderStep = (cursor: RecordCursor, out: OutputBuffer) => void;

function compileHeaderNode(format: string, node: LayoutNode, options: OutputFormatOptions): HeaderStep {
  if (node.kind === 'literal') {
    const literal = new Constant(node.bytes);
    return (_cursor, out) => out.writeConstant(literal);
  }
  switch (node.verb) {
    case 'k': {
      const write = compileText(format, node, options);
      return (cursor, out) => write(cursor.buffer, cursor.headerKeyStart, cursor.headerKeyEnd, out);
    }
    case 'v': {
      const write = compileText(format, node, options);
      return (cursor, out) => write(cursor.buffer, cursor.headerValueStart, cursor.headerValueEnd, out);
    }
    case 'K': {
      const write = forScreen(compileNumber(format, node, writeDecimal).write, options);
      return (cursor, out) => write(cursor.headerKeyEnd - cursor.headerKeyStart, out);
    }
    case 'V': {
      const layout = compileNumber(format, node, writeDecimal);
      const write = forScreen(layout.write, options);
      const nullLength = layout.nullable ? -1 : 0;
      return (cursor, out) => {
        const isNull = cursor.headerValueStart < 0;
        write(isNull ? nullLength : cursor.headerValueEnd - cursor.headerValueStart, out);
      };
    }
  }
  throw formatError(format, node.index, `unknown verb %${node.verb} for a header`, KNOWN_INNER_VERBS);
}

function namedHeader(format: string, verb: VerbNode, options: OutputFormatOptions): RecordFormatter {
  const [first, ...rest] = verb.modifiers;
  const name = argumentBytes(first!.argument ?? '');
  const write = compileText(format, { ...verb, modifiers: rest }, options);
  return (cursor, _context, out) => {
    let start = -1;
    let end = -1;
    cursor.rewindHeaders();
    while (cursor.nextHeader()) {
      if (!rangeEquals(cursor.buffer, cursor.headerKeyStart, cursor.headerKeyEnd, name)) continue;
      start = cursor.headerValueStart;
      end = cursor.headerValueEnd;
    }
    write(cursor.buffer, start, end, out);
  };
}

/** `n=v,n=v`, null values as `NULL`. Commas stand as they are, so this is for people. */
function kcatHeaders(options: OutputFormatOptions): RecordFormatter {
  const write: TextWriter = (source, start, end, out) => out.writeBytes(source, start, end);
  return (cursor, _context, out) => {
    const mark = out.length;
    let first = true;
    cursor.rewindHeaders();
    while (cursor.nextHeader()) {
      if (!first) out.writeByte(0x2c);
      first = false;
      write(cursor.buffer, cursor.headerKeyStart, cursor.headerKeyEnd, out);
      out.writeByte(0x3d);
      if (cursor.headerValueStart < 0) out.writeAscii('NULL');
      else write(cursor.buffer, cursor.headerValueStart, cursor.headerValueEnd, out);
    }
    if (options.forTerminal) escapeTail(out, mark);
  };
}
