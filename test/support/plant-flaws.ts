import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Plugin } from 'esbuild';

/** One planted error: a change of the source that the tests must notice. */
export interface Flaw {
  /** As in the list of wrong variants of the protocol's models. */
  readonly name: string;
  /** Which model has it. */
  readonly model: string;
  /** Below `src/`. */
  readonly file: string;
  /** Must stand in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

const sources = resolve(import.meta.dirname, '../../src');

/** Makes the changes while a bundle is built; `assertPlanted` throws for one whose file is not part of it. */
export function plantFlaws(flaws: readonly Flaw[]): { readonly plugin: Plugin; assertPlanted(): void } {
  const planted = new Set<Flaw>();
  const plugin: Plugin = {
    name: 'plant-flaws',
    setup({ onLoad }) {
      if (flaws.length === 0) return;
      onLoad({ filter: /\.ts$/, namespace: 'file' }, async ({ path }) => {
        const here = flaws.filter((flaw) => resolve(sources, flaw.file) === path);
        if (here.length === 0) return undefined;
        let contents = await readFile(path, 'utf8');
        for (const flaw of here) {
          contents = plant(contents, flaw);
          planted.add(flaw);
        }
        return { contents, loader: 'ts' };
      });
    },
  };
  return {
    plugin,
    assertPlanted() {
      for (const flaw of flaws) {
        if (!planted.has(flaw)) throw new Error(`flaw ${flaw.name} is out of date: src/${flaw.file} is not loaded`);
      }
    },
  };
}

function plant(source: string, { name, file, find, replace }: Flaw): string {
  const parts = source.split(find);
  if (parts.length !== 2) {
    throw new Error(`flaw ${name} is out of date: its text stands ${parts.length - 1} times in src/${file}, not once`);
  }
  return parts.join(replace);
}
