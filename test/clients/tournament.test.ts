import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Tournament } from '../../src/clients/local/tournament.js';
import { runs } from '../support/properties.js';

const NONE = Number.POSITIVE_INFINITY;
const keyArbitrary = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -3, max: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom(NONE, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER) },
);

function tournamentOf(keys: readonly number[]): Tournament {
  const tournament = new Tournament(keys.length);
  keys.forEach((key, number) => void tournament.setKey(number, key));
  tournament.playAll();
  return tournament;
}

/** Of the least keys the first. */
function firstOf(keys: readonly number[]): number {
  const least = Math.min(...keys);
  return least === NONE ? -1 : keys.indexOf(least);
}

describe('Tournament', () => {
  it('names the least key, of equals the lower number, whatever keys the winners get', () => {
    fc.assert(
      fc.property(
        fc.array(keyArbitrary, { maxLength: 20 }),
        fc.array(keyArbitrary, { maxLength: 30 }),
        (keys, next) => {
          const tournament = tournamentOf(keys);
          for (const key of next) {
            const winner = firstOf(keys);
            expect(tournament.winner).toBe(winner);
            if (winner < 0) return;
            keys[winner] = key;
            tournament.replaceWinner(key);
          }
          expect(tournament.winner).toBe(firstOf(keys));
        },
      ),
      { numRuns: runs(200) },
    );
  });

  it('says up to which key the winner stays one', () => {
    fc.assert(
      fc.property(fc.array(keyArbitrary, { minLength: 1, maxLength: 20 }), (keys) => {
        const tournament = tournamentOf(keys);
        const { winner } = tournament;
        if (winner < 0) return;
        const limit = tournament.winnersLimit();
        const wins = (key: number) => firstOf(keys.with(winner, key)) === winner;
        expect(limit).toBeGreaterThan(keys[winner]!);
        if (limit === NONE) expect(wins(Number.MAX_SAFE_INTEGER)).toBe(true);
        else expect([wins(limit - 1), wins(limit)]).toEqual([true, false]);
      }),
      { numRuns: runs(200) },
    );
  });

  it.each([0, 1, 2, 3])('has no winner while none of %i takes part', (size) => {
    const tournament = new Tournament(size);
    expect(tournament.winner).toBe(-1);
    tournament.playAll();
    expect(tournament.winner).toBe(-1);
  });

  it('goes on without those that have left, and is done when all have', () => {
    const tournament = tournamentOf([3, 1, 2]);
    const order: number[] = [];
    for (let winner = tournament.winner; winner >= 0; winner = tournament.winner) {
      order.push(winner);
      tournament.replaceWinner(NONE);
    }
    expect(order).toEqual([1, 2, 0]);
  });
});
