/**
 * Compiles `-f` for input into what a reader has to do, one thing after the other, for each record.
 *
 * | verb                | reads                                                                                       |
 * |---------------------|---------------------------------------------------------------------------------------------|
 * | `%t %k %v`          | by its size if `%T %K %V` came before, by `{re[…]}`, by `{json}`, else up to the literal behind it; at the end of the format the rest of the input |
 * | `%T %K %V`          | the size as it stands in the input; `{null}` lets -1 mean null; `{3}` is a fixed size, which reads nothing |
 * | `%H` then `%h{…}`   | the number of headers, then so many times the inner format of `%k %v %K %V`                 |
 * | `%h{name:N}`        | the value of one header; `{name:N,null=TEXT}`: that text stands for none                    |
 * | `%p %o %e %d %x %y` | partition, offset, leader epoch, timestamp (time-input.ts), producer id and epoch           |
 *
 * How texts are decoded stands in text-decoders.ts, how numbers are in number-modifiers.ts.
 */
import { isUtf8 } from 'node:buffer';
import { argumentBytes } from '../../argument-bytes.js';
import { compileLinearRegExp } from '../linear-regexp.js';
import type { InputStep, NumberTarget, SizeStep, TextExtent, TextStep, TextTarget } from './input-steps.js';
import { parseKcatLayout } from './kcat.js';
import { formatError, type LayoutNode, parseLayout, type VerbNode } from './layout.js';
import { compileNumberModifiers, isFixedNumber } from './number-modifiers.js';
import { compileTextModifiers, type TextModifiers } from './text-decoders.js';
import { compileTimeInput } from './time-input.js';

const KNOWN = 'Known for input: %t %k %v %T %K %V %H %h{…} %p %o %e %d %x %y, and %% %{ %}.';
const KNOWN_INNER = 'Inside %h{…} there are %k %v %K %V, and %% %{ %}.';
/** Told by the log, not by whoever writes to it. */
const ONLY_OUTPUT = 'aiDA[|]';
const KCAT = 'kcat:';

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
  const nodes = format.startsWith(KCAT) ? parseKcatLayout(format.slice(KCAT.length)) : parseLayout(format);
  return new InputCompiler(format, false).compile(nodes);
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
    if (size !== undefined) return this.#compileSize(node, size, next);
    if (text !== undefined) return this.#compileText(node, text, next);
    if (number !== undefined) return this.#compileNumber(node, number, next);
    if (verb === 'h') return node.inner === undefined ? this.#compileHeader(node, next) : this.#compileHeaders(node);
    const reason = ONLY_OUTPUT.includes(verb) ? `%${verb} can only be printed` : `unknown verb %${verb}`;
    throw formatError(this.#format, node.index, reason, KNOWN);
  }

  #once(node: VerbNode, name: string): void {
    if (this.#read.has(name)) throw formatError(this.#format, node.index, `%${node.verb} stands here a second time`);
    this.#read.add(name);
  }

  #compileSize(node: VerbNode, target: TextTarget | 'headers', next: LayoutNode | undefined): SizeStep {
    if (this.#sized.has(target)) throw formatError(this.#format, node.index, `%${node.verb} stands here a second time`);
    if (this.#read.has(target)) {
      throw formatError(this.#format, node.index, `the size %${node.verb} must come before what it sizes`);
    }
    this.#sized.add(target);
    const nullAllowed = target === 'key' || target === 'value';
    const { layout, nullable } = compileNumberModifiers(this.#format, node, nullAllowed, next);
    return { kind: 'size', target, layout, nullable, verb: `%${node.verb}` };
  }

  #compileNumber(node: VerbNode, target: NumberTarget, next: LayoutNode | undefined): InputStep {
    const verb = `%${node.verb}`;
    this.#once(node, `number ${target}`);
    const [modifier] = node.modifiers;
    const time =
      target === 'timestamp' && modifier !== undefined ? compileTimeInput(this.#format, modifier) : undefined;
    if (time !== undefined) {
      const second = node.modifiers[1];
      if (second !== undefined) throw formatError(this.#format, second.index, 'a time takes one modifier');
      return { kind: 'time', time, verb };
    }
    return { kind: 'number', target, layout: compileNumberModifiers(this.#format, node, false, next).layout, verb };
  }

  #compileText(node: VerbNode, target: TextTarget, next: LayoutNode | undefined): TextStep {
    this.#once(node, target);
    const modifiers = compileTextModifiers(this.#format, node);
    const extent = this.#sized.has(target) ? this.#sizedExtent(node, modifiers) : this.#extent(node, next, modifiers);
    return {
      kind: 'text',
      target,
      verb: `%${node.verb}`,
      extent,
      decode: modifiers.decoder,
      nullText: modifiers.nullText,
    };
  }

  /** `%h{name:N}`: one header. */
  #compileHeader(node: VerbNode, next: LayoutNode | undefined): TextStep {
    const [name, ...rest] = node.modifiers;
    if (name === undefined) {
      throw formatError(
        this.#format,
        node.index,
        '%h needs braces that say how a header looks: n=v,n=v could be read in many ways',
        'For example %H%h{ %k=%v}, or one header as %h{name:trace}.',
      );
    }
    const header = name.argument ?? '';
    if (!isUtf8(argumentBytes(header))) throw formatError(this.#format, name.index, 'keys of headers are UTF-8');
    this.#once(node, `header ${header}`);
    const modifiers = compileTextModifiers(this.#format, { ...node, modifiers: rest });
    const extent = this.#extent(node, next, modifiers);
    const { decoder, nullText } = modifiers;
    return { kind: 'text', target: { header }, verb: `%h{name:${header}}`, extent, decode: decoder, nullText };
  }

  #sizedExtent(node: VerbNode, { decoder, expression }: TextModifiers): TextExtent {
    if (expression !== undefined) {
      throw formatError(this.#format, expression.index, 'a size and re[…] for the same text');
    }
    if (decoder.name === 'json') throw formatError(this.#format, node.index, 'a size and json for the same text');
    return { by: 'size' };
  }

  #extent(node: VerbNode, next: LayoutNode | undefined, { decoder, expression }: TextModifiers): TextExtent {
    const format = this.#format;
    if (expression !== undefined) {
      if (decoder.name === 'json') throw formatError(format, node.index, 'json and re[…] for the same text');
      // Bytes are looked at as characters up to U+00FF, so the expression is spelled in the bytes of its UTF-8.
      const { source, index } = expression;
      const bytewise = Buffer.from(source.replace(/^\^/, ''), 'utf8').toString('latin1');
      return {
        by: 'expression',
        expression: compileLinearRegExp(bytewise, `Format position ${index + 1}, re`),
        mayMatchNewline: /\\[nsWDcxup0tvf]|\[\^|\n|^\(\?[ism]*s/.test(source),
      };
    }
    if (decoder.name === 'json') return { by: 'json' };
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
      node.verb === 'h'
        ? 'Put a literal between them.'
        : `Put a literal between them, or its size %${node.verb.toUpperCase()} before.`,
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
    this.#once(node, 'headers');
    const inner = new InputCompiler(this.#format, true).compile(node.inner!);
    if (!inner.some((step) => step.kind === 'text' && step.target === 'key')) {
      throw formatError(this.#format, node.index, 'a header needs its key %k');
    }
    return { kind: 'headers', inner };
  }
}
