import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { referenceFiles } from '../../../scripts/reference-files.js';

const root = join(import.meta.dirname, '..', '..', '..');

describe('completions/ and man/', () => {
  it('are what the command tree says (npm run generate)', async () => {
    const expected = await referenceFiles();
    const present = ['completions', 'man'].flatMap((directory) =>
      readdirSync(join(root, directory)).map((name) => `${directory}/${name}`),
    );
    expect(present.sort()).toEqual([...expected.keys()].sort());
    for (const [path, text] of expected) {
      expect(readFileSync(join(root, path), 'utf8'), `${path} is stale: npm run generate`).toBe(text);
    }
  });
});
