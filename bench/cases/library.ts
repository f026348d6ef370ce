import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommands } from '../bench-case.js';
import type { BenchPart, PartResult } from '../bench-part.js';
import { quoted } from '../measure.js';
import { medianOf, rawRuns, table, wallMs } from '../report.js';
import { atLeast } from '../verdict.js';
import type { Workspace } from '../workspace.js';

const APPLICATION = fileURLToPath(new URL('../library/library.mjs', import.meta.url));

const WAYS = [
  { way: 'send', title: 'producer.send, a thousand promises at a time', atLeast: 1.5 },
  { way: 'sendAll', title: 'producer.sendAll, a thousand records at a time', atLeast: 1.5 },
  { way: 'iterate', title: 'for await (record of consumer)', atLeast: 3 },
  { way: 'batches', title: 'consumer.batches(), by cursor' },
];

export const library: BenchPart = {
  name: 'library',
  question: 'An application on the library, records of 100 bytes, durable; without its start and its first tenth.',
  run(workspace, rounds): PartResult {
    const records = Math.max(1000, Math.round(workspace.records / 5000) * 1000);
    const cases = WAYS.map(({ way, title }) => ({
      title,
      command: commandOf(way, records, workspace),
      ...(way.startsWith('send') ? { prepare: `rm -rf ${way === 'send' ? 'sent-apart' : 'sent'}; sync` } : {}),
      records,
      isSelfTimed: true,
    }));
    const results = runCommands(cases, workspace, rounds);
    return {
      shown: table(results),
      raw: rawRuns(results),
      verdicts: WAYS.flatMap(({ title, atLeast: limit }, index) =>
        limit === undefined
          ? []
          : [atLeast(title, limit, records / medianOf(results[index]!.runs, wallMs) / 1000, 'M/s')],
      ),
    };
  },
};

/** What `sendAll` has sent is read; that of `send` lies apart. */
function commandOf(way: string, records: number, { node, program, folder }: Workspace): string {
  const directory = join(folder, way === 'send' ? 'sent-apart' : 'sent');
  const plan = { way, records, directory, library: join(program, 'dist') };
  return `${node} ${quoted(APPLICATION)} ${quoted(JSON.stringify(plan))}`;
}
