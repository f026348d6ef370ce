/** How numbers of a layout are read, by their modifiers. */
import type { NumberInput } from './input-steps.js';
import { formatError, type LayoutNode, type VerbNode } from './layout.js';
import { NUMBER_MODIFIERS, numberReaderNamed } from './numbers.js';

export interface NumberModifiers {
  readonly layout: NumberInput;
  /** `{null}`, and kcat's lengths: -1 means null. */
  readonly nullable: boolean;
}

/** `following`: what stands behind the number. KLOG_USAGE for what cannot be read. */
export function compileNumberModifiers(
  format: string,
  node: VerbNode,
  nullAllowed: boolean,
  following: LayoutNode | undefined,
): NumberModifiers {
  let layout: NumberInput | undefined;
  let nullable = node.verb === 'S' || node.verb === 'R';
  for (const { name, argument, index } of node.modifiers) {
    if (name === 'null' && nullAllowed && argument === undefined) {
      nullable = true;
      continue;
    }
    const found = argument === undefined ? numberInput(name) : undefined;
    if (found === undefined) {
      const reason =
        name === '' || /^\d+$/.test(name) ? 'a fixed number is from 1 on' : 'unknown number modifier for input';
      const known = `Known: ${NUMBER_MODIFIERS}${nullAllowed ? ' null' : ''}, or a fixed number like {3}.`;
      throw formatError(format, index, reason, known);
    }
    if (found.as === 'hexDigits' && !endsHexDigits(following)) {
      const hint = 'Put a literal behind it that begins with no hex digit, or give it a width as in {hex16}.';
      throw formatError(format, node.index, `nothing says where %${node.verb}{hex} ends`, hint);
    }
    if (layout !== undefined) throw formatError(format, index, 'two layouts of one number');
    layout = found;
  }
  if (node.verb === 'R') layout ??= { as: 'bytes', reader: numberReaderNamed('big32')! };
  return { layout: layout ?? { as: 'digits' }, nullable };
}

function endsHexDigits(following: LayoutNode | undefined): boolean {
  return following?.kind === 'literal' && !/[0-9a-fA-F]/.test(String.fromCharCode(following.bytes[0]!));
}

function numberInput(name: string): NumberInput | undefined {
  if (name === 'ascii' || name === 'number') return { as: 'digits' };
  if (name === 'hex') return { as: 'hexDigits' };
  if (name === 'bool') return { as: 'bool' };
  if (/^[1-9]\d{0,9}$/.test(name)) return { as: 'fixed', value: Number(name) };
  const reader = numberReaderNamed(name);
  return reader === undefined ? undefined : { as: 'bytes', reader };
}

/** Of all verbs only these can hold a number that is not read. */
export function isFixedNumber(node: LayoutNode): boolean {
  return (
    node.kind === 'verb' && /^[TKVSRHpoedxy]$/.test(node.verb) && node.modifiers.some(({ name }) => /^\d+$/.test(name))
  );
}
