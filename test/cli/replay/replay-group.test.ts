import { describe, expect, it } from 'vitest';
import { openClient } from '../../../src/clients/local/open-client.js';
import { numbered, type RealLog, withLog } from '../support/real-log.js';

async function read(log: RealLog, line: string): Promise<string[]> {
  const { out } = await log.run(line);
  return out.trim().split('\n').toSorted();
}

function withGroup(use: (log: RealLog) => Promise<void>): Promise<void> {
  return withLog(async (log) => {
    await log.createTopic('t', 2);
    await log.produce(numbered('t', 6, 2));
    await log.run('consume t -g g');
    await use(log);
  });
}

describe('replay -g', () => {
  it('moves what the group has committed, so that its own consumers reprocess', () =>
    withGroup(async (log) => {
      const { code, out, err } = await log.run('replay t -g g --from 1 -y');
      expect({ code, out }).toEqual({ code: 0, out: '' });
      expect(err).toBe("moved group 'g' t:0 to 1 (from 3: 2 records again), t:1 to 1 (from 3: 2 records again)\n");
      expect(await read(log, 'consume t -g g')).toEqual(['v2', 'v3', 'v4', 'v5']);
    }));

  it('shows its plan, and does nothing without a yes', () =>
    withGroup(async (log) => {
      const refused = await log.run('replay t -g g --from start');
      expect(refused.code).toBe(2);
      expect(refused.err).toMatch(/will not move group 'g' t:0 to 0 \(from 3: 3 records again\).*Confirm it with -y/);
      const dry = await log.run('replay t -g g --from start -p 1 --dry-run');
      expect(dry).toMatchObject({ code: 0, err: "would move group 'g' t:1 to 0 (from 3: 3 records again)\n" });
      expect(await read(log, 'consume t -g g')).toEqual(['']);
    }));

  it('moves by time, and makes a group that is not there', () =>
    withGroup(async (log) => {
      const result = await log.run('replay t -g new --from @2023-11-14T22:13:24Z -y --json');
      expect(JSON.parse(result.out)).toEqual({
        topic: 't',
        group: 'new',
        moves: [
          { topic: 't', partition: 0, committed: null, offset: 2 },
          { topic: 't', partition: 1, committed: null, offset: 2 },
        ],
        moved: true,
      });
      expect(await read(log, 'consume t -g new')).toEqual(['v4', 'v5']);
      expect((await log.run('replay t -g g --from end -y')).err).toBe("group 'g' is there already\n");
      const again = JSON.parse((await log.run('replay t -g g --from end -y --json')).out);
      expect(again).toMatchObject({ moves: [], moved: false });
    }));

  it('is 8 while the group runs, and 4 out of range', () =>
    withGroup(async (log) => {
      const client = await openClient({ directory: log.directory });
      const running = client.consumer({ topics: ['t'], group: { id: 'g' }, follow: true });
      await expect.poll(async () => (await running.assignment()).length).toBe(2);
      expect((await log.run('replay t -g g --from 0 -y')).code).toBe(8);
      await client.close();
      expect((await log.run('replay t -g g --from 9 -y')).code).toBe(4);
    }));

  it.each([
    ['replay t -g g', /from where/],
    ['replay t -g g --from 0 --to 2', /where to begin/],
    ['replay t -g g -o 0:2', /where to begin/],
    ['replay t -g g --from 0 --into u', /exclude each other/],
    ['replay t -g g --from 0 -n 1', /exclude each other/],
  ])('refuses %s', (line, message) =>
    withLog(async (log) => {
      await log.createTopic('t');
      const { code, err } = await log.run(line);
      expect(code).toBe(2);
      expect(err).toMatch(message);
    }),
  );
});
