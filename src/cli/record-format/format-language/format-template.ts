import type { PrintedField, PrintTemplate } from '../../../format/kernel/print-kernel.js';
import { type TemplateSource, templatePerPartition } from '../kernel-printer.js';
import type { LayoutNode } from './layout.js';

/** Verbs that a kernel prints as they are, as long as nothing else is asked for in braces. */
const FIELDS: Readonly<Record<string, PrintedField>> = {
  k: 'key',
  v: 'value',
  s: 'value',
  o: 'offset',
  d: 'timestamp',
};

/**
 * The template of a format of plain verbs; undefined for others. Of `nullText` it is enough to know whether there is
 * any.
 */
export function formatTemplate(nodes: readonly LayoutNode[], nullText: string): TemplateSource | undefined {
  const isPlain = (node: LayoutNode) =>
    node.kind === 'literal' || (node.modifiers.length === 0 && (node.verb in FIELDS || 'tp'.includes(node.verb)));
  if (!nodes.every(isPlain)) return undefined;
  return templatePerPartition(({ topic, partition }): PrintTemplate => {
    const parts = nodes.map((node) => {
      if (node.kind === 'literal') return node.bytes;
      return FIELDS[node.verb] ?? Buffer.from(node.verb === 't' ? topic : String(partition));
    });
    return { parts, nullStops: nullText !== '' };
  });
}
