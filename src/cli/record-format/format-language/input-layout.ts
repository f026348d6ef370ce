/**
 * Compiles `-f` for input into what a reader has to do, one thing after the other, for each record.
 *
 * | verb                | reads                                                                                       |
 * |---------------------|---------------------------------------------------------------------------------------------|
 * | `%t %k %v`          | by its size if `%T %K %V` came before, by `{re[…]}`, by `{json}`, else up to the literal behind it; at the end of the format the rest of the input |
 * | `%T %K %V`          | the size as it stands in the input; `{null}` lets -1 mean null; `{3}` is a fixed size, which reads nothing |
 * | `%H` then `%h{…}`   | the number of headers, then so many times the inner format of `%k %v %K %V`                 |
 * | `%p %o %e %d %x %y` | partition, offset, leader epoch, timestamp in ms, producer id and epoch                     |
 *
 * Texts are decoded by `{hex}` or `{base64}`; `{json}` is compacted. `{null=TEXT}`: this very text is null.
 */
import { compileLinearRegExp, type LinearRegExp } from '../linear-regexp.js';
import { formatError, type LayoutNode, parseLayout, type VerbNode } from './layout.js';
import { NUMBER_MODIFIERS, type NumberReader, numberReaderNamed } from './numbers.js';

export type TextTarget = 'topic' | 'key' | 'value';
export type NumberTarget = 'partition' | 'offset' | 'leaderEpoch' | 'timestamp' | 'producerId' | 'producerEpoch';

export type InputStep =
  | { readonly kind: 'literal'; readonly bytes: Buffer }
  | TextStep
  | SizeStep
  | { readonly kind: 'number'; readonly target: NumberTarget; readonly layout: NumberInput; readonly verb: string }
  | { readonly kind: 'headers'; readonly inner: readonly InputStep[] };

export interface TextStep {
  readonly kind: 'text';
  readonly target: TextTarget;
  /** As in the format, for messages. */
  readonly verb: string;
  readonly extent:
    | { readonly by: 'size' }
    | { readonly by: 'rest' }
    | { readonly by: 'json' }
    | { readonly by: 'delimiter'; readonly bytes: Buffer }
    | { readonly by: 'expression'; readonly expression: LinearRegExp; readonly mayMatchNewline: boolean };
  readonly encoding: 'raw' | 'hex' | 'base64' | 'json';
  readonly nullText: Buffer | undefined;
}

export interface SizeStep {
  readonly kind: 'size';
  readonly target: TextTarget | 'headers';
  readonly layout: NumberInput;
  /** Whether -1 means null. */
  readonly nullable: boolean;
  readonly verb: string;
}

export type NumberInput =
  | { readonly as: 'digits' }
  | { readonly as: 'bool' }
  | { readonly as: 'fixed'; readonly value: number }
  | { readonly as: 'bytes'; readonly reader: NumberReader };

const KNOWN = 'Known for input: %t %k %v %T %K %V %H %h{…} %p %o %e %d %x %y, and %% %{ %}.';
const KNOWN_INNER = 'Inside %h{…} there are %k %v %K %V, and %% %{ %}.';
const ONLY_OUTPUT = 'aiDA[|]';

const TEXTS: Readonly<Record<string, TextTarget>> = { t: 'topic', k: 'key', v: 'value', s: 'value' };
const SIZES: Readonly<Record<string, TextTarget | 'headers'>> = {
  T: 'topic',
  K: 'key',
  V: 'value',
  S: 'value',
  R: 'value',
  H: 'headers',
};
const NUMBERS: Readonly<Record<string, NumberTarget>> = {
  p: 'partition',
  o: 'offset',
  e: 'leaderEpoch',
  d: 'timestamp',
  x: 'producerId',
  y: 'producerEpoch',
};

/** KLOG_USAGE with the position for what cannot be read back unambiguously. */
export function compileInputLayout(format: string): InputStep[] {
  return new InputCompiler(format, false).compile(parseLayout(format));
}

class InputCompiler {
  readonly #format: string;
  /** Inside `%h{…}`. */
  readonly #inner: boolean;
  readonly #sized = new Set<string>();
  readonly #read = new Set<string>();

  constructor(format: string, inner: boolean) {
    this.#format = format;
    this.#inner = inner;
  }

  compile(nodes: readonly LayoutNode[]): InputStep[] {
    const fixed: InputStep[] = [];
    const reading: InputStep[] = [];
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i]!;
      if (node.kind === 'literal') {
        reading.push({ kind: 'literal', bytes: node.bytes });
        continue;
      }
      let following = i + 1;
      while (following < nodes.length && isFixedNumber(nodes[following]!)) following++;
      const step = this.#compileVerb(node, nodes[following]);
      if ('layout' in step && step.layout.as === 'fixed') fixed.push(step);
      else reading.push(step);
      // The literal that ends a text is read with it.
      if (step.kind === 'text' && step.extent.by === 'delimiter') {
        fixed.push(...nodes.slice(i + 1, following).map((verb) => this.#compileVerb(verb as VerbNode, undefined)));
        i = following;
      }
    }
    if (reading.length === 0) throw formatError(this.#format, 0, 'this format reads nothing from the input');
    return [...fixed, ...reading];
  }

  #compileVerb(node: VerbNode, next: LayoutNode | undefined): InputStep {
    const { verb } = node;
    const size = Object.hasOwn(SIZES, verb) ? SIZES[verb] : undefined;
    const text = Object.hasOwn(TEXTS, verb) ? TEXTS[verb] : undefined;
    const number = Object.hasOwn(NUMBERS, verb) ? NUMBERS[verb] : undefined;
    if (this.#inner && size !== 'key' && size !== 'value' && text !== 'key' && text !== 'value') {
      throw formatError(this.#format, node.index, `%${verb} cannot be part of a header`, KNOWN_INNER);
    }
    if (size !== undefined) return this.#compileSize(node, size);
    if (text !== undefined) return this.#compileText(node, text, next);
    if (number !== undefined) {
      this.#once(node, `number ${number}`);
      return { kind: 'number', target: number, layout: this.#compileNumber(node, false).layout, verb: `%${verb}` };
    }
    if (verb === 'h') return this.#compileHeaders(node);
    const reason = ONLY_OUTPUT.includes(verb) ? `%${verb} can only be printed` : `unknown verb %${verb}`;
    throw formatError(this.#format, node.index, reason, KNOWN);
  }

  #once(node: VerbNode, name: string): void {
    if (this.#read.has(name)) throw formatError(this.#format, node.index, `%${node.verb} stands here a second time`);
    this.#read.add(name);
  }

  #compileSize(node: VerbNode, target: TextTarget | 'headers'): SizeStep {
    if (this.#sized.has(target)) throw formatError(this.#format, node.index, `%${node.verb} stands here a second time`);
    if (this.#read.has(target)) {
      throw formatError(this.#format, node.index, `the size %${node.verb} must come before what it sizes`);
    }
    this.#sized.add(target);
    const { layout, nullable } = this.#compileNumber(node, target === 'key' || target === 'value');
    return { kind: 'size', target, layout, nullable, verb: `%${node.verb}` };
  }

  #compileNumber(node: VerbNode, nullAllowed: boolean): { layout: NumberInput; nullable: boolean } {
    let layout: NumberInput | undefined;
    let nullable = node.verb === 'S' || node.verb === 'R';
    for (const modifier of node.modifiers) {
      const { name, argument, index } = modifier;
      if (name === 'null' && nullAllowed && argument === undefined) {
        nullable = true;
        continue;
      }
      const found = argument === undefined ? numberInput(name) : undefined;
      if (found === undefined) {
        const reason =
          name === '' || /^\d+$/.test(name) ? 'a fixed number is from 1 on' : 'unknown number modifier for input';
        const known = `Known: ${NUMBER_MODIFIERS.replace(' hex ', ' ')}${nullAllowed ? ' null' : ''}, or a fixed number like {3}.`;
        throw formatError(this.#format, index, reason, known);
      }
      if (layout !== undefined) throw formatError(this.#format, index, 'two layouts of one number');
      layout = found;
    }
    if (node.verb === 'R') layout ??= { as: 'bytes', reader: numberReaderNamed('big32')! };
    return { layout: layout ?? { as: 'digits' }, nullable };
  }

  #compileText(node: VerbNode, target: TextTarget, next: LayoutNode | undefined): TextStep {
    const format = this.#format;
    this.#once(node, target);
    let encoding: TextStep['encoding'] = 'raw';
    let expression: string | undefined;
    let expressionIndex = 0;
    let nullText: Buffer | undefined;
    for (const { name, argument, index } of node.modifiers) {
      if (name === 're') {
        expression = argument;
        expressionIndex = index;
      } else if (name === 'null' && argument !== undefined) nullText = Buffer.from(argument, 'utf8');
      else if (argument === undefined && (name === 'hex' || name === 'json' || name === 'raw')) encoding = name;
      else if (argument === undefined && (name === 'base64' || name === 'base64raw')) encoding = 'base64';
      else {
        throw formatError(format, index, 'unknown text modifier for input', 'Known: hex base64 json re[…] null=TEXT.');
      }
    }
    const extent = this.#extent(node, target, next, encoding, expression, expressionIndex);
    return { kind: 'text', target, verb: `%${node.verb}`, extent, encoding, nullText };
  }

  #extent(
    node: VerbNode,
    target: TextTarget,
    next: LayoutNode | undefined,
    encoding: TextStep['encoding'],
    expression: string | undefined,
    expressionIndex: number,
  ): TextStep['extent'] {
    const format = this.#format;
    if (this.#sized.has(target)) {
      if (expression !== undefined) throw formatError(format, expressionIndex, 'a size and re[…] for the same text');
      if (encoding === 'json') throw formatError(format, node.index, 'a size and json for the same text');
      return { by: 'size' };
    }
    if (expression !== undefined) {
      if (encoding === 'json') throw formatError(format, node.index, 'json and re[…] for the same text');
      // Bytes are looked at as characters up to U+00FF, so the expression is spelled in the bytes of its UTF-8.
      const bytewise = Buffer.from(expression.replace(/^\^/, ''), 'utf8').toString('latin1');
      return {
        by: 'expression',
        expression: compileLinearRegExp(bytewise, `Format position ${expressionIndex + 1}, re`),
        mayMatchNewline: /\\[nsWDcxup0tvf]|\[\^|\n|^\(\?[ism]*s/.test(expression),
      };
    }
    if (encoding === 'json') return { by: 'json' };
    if (next === undefined) {
      if (this.#inner) {
        throw formatError(format, node.index, `%${node.verb} ends the header without a size or a literal behind it`);
      }
      return { by: 'rest' };
    }
    if (next.kind === 'literal') return { by: 'delimiter', bytes: next.bytes };
    throw formatError(
      format,
      node.index,
      `nothing says where %${node.verb} ends: %${next.verb} follows at once`,
      `Put a literal between them, or its size %${node.verb.toUpperCase()} before.`,
    );
  }

  #compileHeaders(node: VerbNode): InputStep {
    if (!this.#sized.has('headers')) {
      throw formatError(
        this.#format,
        node.index,
        '%h needs the number of headers %H before it',
        'For example %H%h{ %k=%v}.',
      );
    }
    if (node.inner === undefined) {
      throw formatError(
        this.#format,
        node.index,
        '%h needs braces that say how a header looks',
        'For example %h{%k=%v }.',
      );
    }
    this.#once(node, 'headers');
    const inner = new InputCompiler(this.#format, true).compile(node.inner);
    if (!inner.some((step) => step.kind === 'text' && step.target === 'key')) {
      throw formatError(this.#format, node.index, 'a header needs its key %k');
    }
    return { kind: 'headers', inner };
  }
}

function numberInput(name: string): NumberInput | undefined {
  if (name === 'ascii' || name === 'number') return { as: 'digits' };
  if (name === 'bool') return { as: 'bool' };
  if (/^[1-9]\d{0,9}$/.test(name)) return { as: 'fixed', value: Number(name) };
  const reader = numberReaderNamed(name);
  return reader === undefined ? undefined : { as: 'bytes', reader };
}

/** Of all verbs only these can hold a number that is not read. */
function isFixedNumber(node: LayoutNode): boolean {
  return (
    node.kind === 'verb' && /^[TKVSRHpoedxy]$/.test(node.verb) && node.modifiers.some(({ name }) => /^\d+$/.test(name))
  );
}
