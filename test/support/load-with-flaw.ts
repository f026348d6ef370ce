import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

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

const root = resolve(import.meta.dirname, '../..');

/** The modules `entries` (below `src/`) in one, as they are. */
export function loadRight<Module>(entries: readonly string[]): Promise<Module> {
  return load(entries, []);
}

/** The same with a flaw in it. A flaw may need several changes, each a {@link Flaw} of its own. */
export function loadWithFlaw<Module>(entries: readonly string[], ...flaw: readonly Flaw[]): Promise<Module> {
  if (flaw.length === 0) throw new TypeError('no flaw given');
  return load(entries, flaw);
}

async function load<Module>(entries: readonly string[], flaws: readonly Flaw[]): Promise<Module> {
  const outside = await mkdtemp(join(tmpdir(), 'klog-flaw-'));
  try {
    // Packages stay external, and are looked for from where the module lies.
    await symlink(join(root, 'node_modules'), join(outside, 'node_modules'), 'dir');
    const planted = new Set<Flaw>();
    const outfile = join(outside, 'bundle.mjs');
    await build({
      stdin: {
        contents: entries.map((entry) => `export * from './${entry.replace(/\.ts$/, '.js')}';`).join('\n'),
        resolveDir: join(root, 'src'),
        loader: 'ts',
      },
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      logLevel: 'silent',
      plugins: [
        {
          name: 'plant-flaws',
          setup({ onLoad }) {
            if (flaws.length === 0) return;
            onLoad({ filter: /\.ts$/, namespace: 'file' }, async ({ path }) => {
              const here = flaws.filter((flaw) => resolve(root, 'src', flaw.file) === path);
              if (here.length === 0) return undefined;
              let contents = await readFile(path, 'utf8');
              for (const flaw of here) {
                contents = plant(contents, flaw);
                planted.add(flaw);
              }
              return { contents, loader: 'ts' };
            });
          },
        },
      ],
    });
    for (const flaw of flaws) {
      if (!planted.has(flaw)) throw new Error(`flaw ${flaw.name} is out of date: src/${flaw.file} is not loaded`);
    }
    return (await import(/* @vite-ignore */ pathToFileURL(outfile).href)) as Module;
  } finally {
    await rm(outside, { recursive: true, force: true });
  }
}

function plant(source: string, { name, file, find, replace }: Flaw): string {
  const parts = source.split(find);
  if (parts.length !== 2) {
    throw new Error(`flaw ${name} is out of date: its text stands ${parts.length - 1} times in src/${file}, not once`);
  }
  return parts.join(replace);
}
