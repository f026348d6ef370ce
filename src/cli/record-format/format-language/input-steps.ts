/** What a reader has to do for each record, one thing after the other: what input layouts are compiled to. */
import type { InputRecord } from '../input-record.js';
import type { LinearRegExp } from '../linear-regexp.js';
import type { NumberReader } from './numbers.js';
import type { TimeInput } from './time-input.js';

export type TextTarget = 'topic' | 'key' | 'value';
export type NumberTarget = Exclude<keyof InputRecord, 'topic' | 'key' | 'value' | 'headers'>;

export type InputStep = LiteralStep | TextStep | SizeStep | NumberStep | TimeStep | HeadersStep | HeaderListStep;

export interface LiteralStep {
  readonly kind: 'literal';
  readonly bytes: Buffer;
}

export interface TextStep {
  readonly kind: 'text';
  /** A header by its name: the text is its value, and no header where it is null. */
  readonly target: TextTarget | { readonly header: string };
  /** As in the format, for messages. */
  readonly verb: string;
  readonly extent: TextExtent;
  readonly decode: TextDecoder;
  readonly nullText: Buffer | undefined;
}

/** Where a text ends. */
export type TextExtent =
  | { readonly by: 'size' }
  | { readonly by: 'rest' }
  | { readonly by: 'json' }
  | { readonly by: 'delimiter'; readonly bytes: Buffer }
  | { readonly by: 'expression'; readonly expression: LinearRegExp; readonly mayMatchNewline: boolean };

export interface TextDecoder {
  /** For messages: `hex`. */
  readonly name: string;
  /** A copy: the input may move. Undefined for bytes that are not what they should be. */
  readonly decode: (bytes: Buffer) => Buffer | undefined;
}

export interface SizeStep {
  readonly kind: 'size';
  readonly target: TextTarget | 'headers';
  readonly layout: NumberInput;
  /** Whether -1 means null. */
  readonly nullable: boolean;
  readonly verb: string;
}

export interface NumberStep {
  readonly kind: 'number';
  readonly target: NumberTarget;
  readonly layout: NumberInput;
  readonly verb: string;
}

export type NumberInput =
  | { readonly as: 'digits' }
  | { readonly as: 'hexDigits' }
  | { readonly as: 'bool' }
  | { readonly as: 'fixed'; readonly value: number }
  | { readonly as: 'bytes'; readonly reader: NumberReader };

export interface TimeStep {
  readonly kind: 'time';
  readonly time: TimeInput;
  readonly verb: string;
}

export interface HeadersStep {
  readonly kind: 'headers';
  readonly inner: readonly InputStep[];
}

/** Headers as `kafka-console-consumer` prints them, up to `end`. */
export interface HeaderListStep {
  readonly kind: 'headerList';
  readonly separator: Buffer;
  readonly nullText: Buffer;
  readonly end: Buffer;
  readonly verb: string;
}
