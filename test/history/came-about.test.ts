import { describe, expect, it } from 'vitest';
import { cameAbout, type RoundFacts } from './came-about.js';
import type { Send } from './history.js';
import { ROUND_NAMES } from './round-plan.js';
import { planRound } from './round-planner.js';

const NOTHING: RoundFacts = { operations: [], events: [], signals: 0, copies: [] };

function send(session: string, invoked: number, completed: number): Send {
  const base = { kind: 'send', partition: 0, log: 'orders-0', acks: 'all', outcome: 'ok', offset: 0 } as const;
  return { ...base, session, value: `${session}${invoked}`, invoked, completed };
}

describe('a kind of round', () => {
  it.each(ROUND_NAMES)('%s has not come about where nothing happened', (name) => {
    expect(cameAbout(name, NOTHING)).toBe(0);
  });

  it('has come about only when so many waited', () => {
    const failed = (waiters: number) => ({ at: 1, action: 'fail', call: 'sync', file: '1.log', waiters }) as const;
    const events = [failed(2), failed(3), failed(-1)];
    expect(cameAbout('sync leader fails while others wait', { ...NOTHING, events })).toBe(2);
  });

  it('that copies under load needs an answer within the copy', () => {
    const copies = [{ invoked: 10, completed: 20 }];
    expect(cameAbout('copied under load', { ...NOTHING, copies, operations: [send('a', 1, 9)] })).toBe(0);
    expect(cameAbout('copied under load', { ...NOTHING, copies, operations: [send('a', 1, 15)] })).toBe(1);
  });

  it('without faults needs sends of two writers at once', () => {
    const apart = [send('a', 1, 2), send('b', 3, 4)];
    expect(cameAbout('undisturbed', { ...NOTHING, operations: apart })).toBe(0);
    expect(cameAbout('undisturbed', { ...NOTHING, operations: [send('a', 1, 4), send('b', 3, 5)] })).toBe(1);
  });
});

describe('the plan of a round', () => {
  it('is the same for the same seed and index, and another for others', () => {
    const plans = (seed: number) => ROUND_NAMES.map((_, index) => JSON.stringify(planRound(seed, index, 400)));
    expect(plans(7)).toEqual(plans(7));
    expect(new Set([...plans(7), ...plans(8)]).size).toBe(2 * ROUND_NAMES.length);
  });

  it('has writers in each kind, and the kinds come in turn', () => {
    for (const [index, name] of ROUND_NAMES.entries()) {
      const plan = planRound(1, index + ROUND_NAMES.length, 400);
      expect(plan.name).toBe(name);
      expect(plan.actors.filter(({ role }) => role === 'write').length).toBeGreaterThan(1);
    }
  });
});
