import type { Command, Option } from 'commander';
import { repeatable, valueOption } from '../command-host.js';
import type { RecordFilter } from './print-records.js';

/** Which of the records read are wanted. */
export interface FilterOptions {
  readonly grep?: readonly string[];
  readonly filter?: readonly string[];
}

export function addFilterOptions(command: Command): void {
  command.addOption(
    valueOption(
      '-G, --grep <pattern>',
      'only records whose value matches; k: v: hk: hv: h:NAME= t: choose another part, ! negates (repeatable)',
      repeatable((text) => text),
    ),
  );
  const filter: Option = valueOption(
    '--filter <expression>',
    'only records for which this JavaScript over v, k and m is true; runs as your own code (repeatable)',
    repeatable((text) => text),
  );
  command.addOption(filter);
}

/** `undefined`: all of them. Loaded only when asked for. */
export async function filterFor(options: FilterOptions): Promise<RecordFilter | undefined> {
  const { grep = [], filter = [] } = options;
  const filters: RecordFilter[] = [];
  if (grep.length > 0) {
    const { compileGrep } = await import('../record-format/grep.js');
    const matches = compileGrep(grep);
    filters.push((cursor, { topic }) => matches(cursor, topic));
  }
  if (filter.length > 0) {
    const { compileFilter } = await import('../record-format/filter-expression.js');
    for (const expression of filter) {
      const holds = compileFilter(expression);
      filters.push((cursor, { topic, partition }) => holds(cursor, topic, partition));
    }
  }
  if (filters.length <= 1) return filters[0];
  return (cursor, context) => filters.every((one) => one(cursor, context));
}
