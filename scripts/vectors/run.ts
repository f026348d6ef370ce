/** Runs all vectors of a folder and prints one line for each. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KINDS } from './kinds.js';
import type { Outcome, Vector } from './vector.js';
import { mismatch, pending, vectorName } from './vector.js';

export interface Summary {
  readonly ok: number;
  readonly mismatches: number;
  readonly pending: number;
}

export async function runVectors(folder: string, print: (line: string) => void): Promise<Summary> {
  const { vectors } = JSON.parse(await readFile(join(folder, 'vectors.json'), 'utf8')) as { vectors: Vector[] };
  const counts = { ok: 0, mismatches: 0, pending: 0 };
  for (const vector of vectors) {
    const outcome = await runVector(folder, vector);
    print(lineOf(vector, outcome));
    if (outcome.status === 'ok') counts.ok++;
    else if (outcome.status === 'mismatch') counts.mismatches++;
    else counts.pending++;
  }
  print(
    `${vectors.length} vectors: ${counts.ok} ok, ${counts.mismatches} ${counts.mismatches === 1 ? 'mismatch' : 'mismatches'}, ` +
      `${counts.pending} pending`,
  );
  return counts;
}

async function runVector(folder: string, vector: Vector): Promise<Outcome> {
  const run = KINDS.get(vector.kind);
  if (run === undefined) return pending(`kind ${JSON.stringify(vector.kind)} is unknown`);
  try {
    return (await damage(folder, vector)) ?? (await run(folder, vector));
  } catch (error) {
    return mismatch(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  }
}

/** A vector whose file is not the one that was listed proves nothing. */
async function damage(folder: string, vector: Vector): Promise<Outcome | undefined> {
  if (vector.file === undefined || vector.sha256 === undefined) return undefined;
  const bytes = await readFile(join(folder, vector.file));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return sha256 === vector.sha256 ? undefined : mismatch(`the file's sha256 is ${sha256}, listed is ${vector.sha256}`);
}

function lineOf(vector: Vector, outcome: Outcome): string {
  const name = vectorName(vector);
  switch (outcome.status) {
    case 'ok':
      return `ok        ${name}${outcome.notes.length > 0 ? ` (${outcome.notes.join('; ')})` : ''}`;
    case 'mismatch':
      return `MISMATCH  ${name}: ${outcome.difference}`;
    case 'pending':
      return `pending   ${name}: ${outcome.reason}`;
  }
}
