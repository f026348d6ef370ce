import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataDirectory } from '../../src/store/data-directory.js';
import { WHOLE_FILE } from '../../src/store/file-lock.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { interleaved, interpose, Killed, killedAt, systemError, unsyncedFileSystem } from './interposed-file-system.js';

const fs = unsyncedFileSystem;

async function create(path: string) {
  await (await openDataDirectory(fs, path, { create: true })).close();
}

/** Everything below a directory with its mode. */
function modes(path: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' }).sort()) {
    found[name] = (lstatSync(join(path, name)).mode & 0o777).toString(8);
  }
  return found;
}

describe('making a data directory', () => {
  it('lays it out with modes 0700 and 0600 under umask 000, and under 077', async () => {
    for (const umask of [0o000, 0o077]) {
      const before = process.umask(umask);
      try {
        const parent = temporaryDirectory();
        await create(join(parent, '.klog'));
        expect(modes(parent)).toEqual({
          '.klog': '700',
          '.klog/klog.json': '600',
          '.klog/log': '700',
          '.klog/log/.lock': '600',
          '.klog/log/meta.properties': '600',
          '.klog/topics': '700',
          '.klog/topics/.lock': '600',
        });
      } finally {
        process.umask(before);
      }
    }
  });

  it('writes meta.properties as KRaft does, with ids of its own', async () => {
    const parent = temporaryDirectory();
    const ids = new Set<string | undefined>();
    for (const name of ['a', 'b']) {
      const directory = await openDataDirectory(fs, join(parent, name), { create: true });
      expect(directory.created).toBe(true);
      const { version, nodeId, clusterId, directoryId } = await directory.metaProperties();
      expect({ version, nodeId }).toEqual({ version: 1, nodeId: 1 });
      for (const id of [clusterId, directoryId]) {
        expect(id).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/);
        ids.add(id);
      }
      await directory.close();
    }
    expect(ids.size).toBe(4);
  });

  it('makes missing parents', async () => {
    const path = join(temporaryDirectory(), 'a', 'b', '.klog');
    await create(path);
    expect(readdirSync(path).sort()).toEqual(['klog.json', 'log', 'topics']);
  });

  it('fills an empty directory in place, whose parent may be out of reach', async () => {
    const path = join(temporaryDirectory(), 'volume');
    mkdirSync(path);
    const { ino } = lstatSync(path);
    await create(path);
    expect(lstatSync(path).ino).toBe(ino);
    expect(readdirSync(path).sort()).toEqual(['klog.json', 'log', 'topics']);
  });

  it.each(['missing', 'empty'])('gives two processes at once the same directory (%s before)', async (before) => {
    for (let seed = 0; seed < 30; seed++) {
      const parent = temporaryDirectory();
      const path = join(parent, '.klog');
      if (before === 'empty') mkdirSync(path);
      const two = [interleaved(2 * seed), interleaved(2 * seed + 1)];
      const opened = await Promise.all(two.map((one) => openDataDirectory(one, path, { create: true })));
      const ids = await Promise.all(opened.map(async (one) => (await one.metaProperties()).directoryId));
      expect(ids[0]).toBe(ids[1]);
      await Promise.all(opened.map((one) => one.close()));
      expect(readdirSync(parent)).toEqual(['.klog']);
      expect(readdirSync(path).sort()).toEqual(['klog.json', 'log', 'topics']);
    }
  });

  it.each(['missing', 'empty'])(
    'is made whole by the next process after a kill at any call (%s before)',
    async (before) => {
      for (let n = 1, finished = false; !finished; n++) {
        const parent = temporaryDirectory();
        const path = join(parent, '.klog');
        if (before === 'empty') mkdirSync(path);
        const { fs: dying, calls } = killedAt(n);
        const outcome = await openDataDirectory(dying, path, { create: true }).catch((error: unknown) => error);
        finished = calls() < n;
        if (finished) {
          await (outcome as { close(): Promise<void> }).close();
          expect(n).toBeGreaterThan(20);
        } else {
          expect((outcome as Error).cause).toBeInstanceOf(Killed);
        }
        const seen = await openDataDirectory(fs, path, { readOnly: true }).catch((error: unknown) => error);
        if (seen instanceof Error) expect(seen).toMatchObject({ code: 'KLOG_NOT_FOUND' });
        else await (seen as { close(): Promise<void> }).close();
        const next = await openDataDirectory(fs, path, { create: true });
        expect((await next.metaProperties()).directoryId).toMatch(/^.{22}$/);
        await next.close();
        expect(readdirSync(path).sort()).toEqual(['klog.json', 'log', 'topics']);
        expect(readdirSync(parent)).toEqual(['.klog']);
      }
    },
  );

  it('makes it durable that an abandoned one is gone before there is a directory beside which nobody would look', async () => {
    const parent = temporaryDirectory();
    const path = join(parent, '.klog');
    mkdirSync(join(parent, '.klog.tmp-0123456789abcdef'));
    const calls: string[] = [];
    const watched = interpose(({ name, path: at }) => {
      if (at.includes('0123456789abcdef') && name === 'removeDirectory') calls.push('removed');
      if (at === parent && name === 'syncDirectory') calls.push('synced');
      if (name === 'rename' && at.startsWith(`${path}.tmp-`) && !at.endsWith('.json.tmp')) calls.push('there');
    });
    await (await openDataDirectory(watched, path, { create: true })).close();
    expect(calls).toEqual(['removed', 'synced', 'there', 'synced']);
  });

  it('leaves alone what another process is still building', async () => {
    const parent = temporaryDirectory();
    const path = join(parent, '.klog');
    let inTheMiddle: (() => void) | undefined;
    let goOn: (() => void) | undefined;
    const reached = new Promise<void>((resolve) => {
      inTheMiddle = resolve;
    });
    const slow = interpose(async ({ name }) => {
      if (name !== 'rename' || inTheMiddle === undefined) return;
      inTheMiddle();
      inTheMiddle = undefined;
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
    });
    const first = openDataDirectory(slow, path, { create: true });
    await reached;
    await create(path);
    goOn?.();
    await (await first).close();
    expect(readdirSync(parent)).toEqual(['.klog']);
  });
});

describe('opening a data directory', () => {
  it('finds nothing where nothing is, and makes nothing unless asked', async () => {
    const parent = temporaryDirectory();
    const path = join(parent, '.klog');
    await expect(openDataDirectory(fs, path)).rejects.toMatchObject({ code: 'KLOG_NOT_FOUND' });
    await expect(openDataDirectory(fs, path, { readOnly: true, create: true })).rejects.toMatchObject({
      code: 'KLOG_NOT_FOUND',
    });
    mkdirSync(path);
    await expect(openDataDirectory(fs, path)).rejects.toMatchObject({ code: 'KLOG_NOT_FOUND' });
    expect(readdirSync(parent)).toEqual(['.klog']);
    expect(readdirSync(path)).toEqual([]);
  });

  it('says what it is when it is not a klog directory', async () => {
    const parent = temporaryDirectory();
    writeFileSync(join(parent, 'file'), '');
    mkdirSync(join(parent, 'full'));
    writeFileSync(join(parent, 'full', 'notes.txt'), '');
    mkdirSync(join(parent, 'broker', 'orders-0'), { recursive: true });
    writeFileSync(join(parent, 'broker', 'meta.properties'), 'version=1\n');
    symlinkSync(join(parent, 'nowhere'), join(parent, 'dangling'));
    await create(join(parent, 'project', '.klog'));
    const cases: [string, RegExp, RegExp?][] = [
      ['file', /is a file, not a directory/],
      ['file/below', /./],
      ['full', /is not a klog directory .*not empty/],
      ['broker', /log directory of a Kafka broker/, /klog log dump/],
      ['dangling', /neither a directory nor a link to one/],
      ['project', /is not a klog directory/, /-d .*project\/\.klog/],
      ['project/.klog/log', /is a part of a klog directory/, /-d .*project\/\.klog$/],
    ];
    for (const [name, message, hint] of cases) {
      const error = await openDataDirectory(fs, join(parent, name), { create: true }).catch((e: unknown) => e);
      expect(error, name).toMatchObject({ code: 'KLOG_BAD_DIRECTORY', message: expect.stringMatching(message) });
      if (hint !== undefined) expect((error as { hint: string }).hint, name).toMatch(hint);
    }
    expect(readdirSync(join(parent, 'full'))).toEqual(['notes.txt']);
    expect(readdirSync(join(parent, 'broker')).sort()).toEqual(['meta.properties', 'orders-0']);
  });

  it('follows a link that the user names', async () => {
    const parent = temporaryDirectory();
    await create(join(parent, 'real'));
    symlinkSync(join(parent, 'real'), join(parent, 'link'));
    await (await openDataDirectory(fs, join(parent, 'link'))).close();
  });

  it('warns where everybody can write', async () => {
    const path = join(temporaryDirectory(), '.klog');
    await create(path);
    chmodSync(path, 0o777);
    const directory = await openDataDirectory(fs, path, { readOnly: true });
    expect(directory.warnings).toEqual([expect.stringMatching(/can be written to by everybody/)]);
    await directory.close();
  });

  it.each([
    ['a later reader', { minReaderVersion: 2 }, 'UNSUPPORTED_VERSION', 'UNSUPPORTED_VERSION'],
    ['an unknown reader feature', { readerFeatures: ['sealed'] }, 'UNSUPPORTED_VERSION', 'UNSUPPORTED_VERSION'],
    ['a later writer', { minWriterVersion: 2 }, undefined, 'UNSUPPORTED_VERSION'],
    ['an unknown writer feature', { writerFeatures: ['sealed'] }, undefined, 'UNSUPPORTED_VERSION'],
    ['other locks', { lockMechanism: 'flock' }, undefined, 'KLOG_BAD_DIRECTORY'],
    ['a field it does not know', { since: 'tomorrow' }, undefined, undefined],
    ['no version at all', { minReaderVersion: 'one' }, 'CORRUPT_MESSAGE', 'CORRUPT_MESSAGE'],
  ])('with %s: reads, writes only if it may', async (_, change, reading, writing) => {
    const path = join(temporaryDirectory(), '.klog');
    await create(path);
    const file = join(path, 'klog.json');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...change }));
    for (const [readOnly, code] of [
      [true, reading],
      [false, writing],
    ] as const) {
      const opened = await openDataDirectory(fs, path, { readOnly, lockMechanism: 'ofd' }).catch((e: unknown) => e);
      if (code === undefined) await (opened as { close(): Promise<void> }).close();
      else expect(opened).toMatchObject({ code });
    }
  });

  it('calls a klog.json that is not JSON by its name', async () => {
    const path = join(temporaryDirectory(), '.klog');
    await create(path);
    writeFileSync(join(path, 'klog.json'), '{"formatVer');
    await expect(openDataDirectory(fs, path)).rejects.toMatchObject({
      code: 'CORRUPT_MESSAGE',
      message: expect.stringContaining('klog.json'),
    });
  });

  it.each(['klog.json', 'log', 'topics'])('is damaged, not another directory, where %s is missing', async (part) => {
    const path = join(temporaryDirectory(), '.klog');
    await create(path);
    rmSync(join(path, part), { recursive: true });
    for (const options of [{}, { readOnly: true }, { create: true }]) {
      await expect(openDataDirectory(fs, path, options)).rejects.toMatchObject({
        code: 'CORRUPT_MESSAGE',
        message: expect.stringContaining(join(path, part)),
      });
    }
  });

  it('keeps a broker out for as long as it is open, and only so long', async () => {
    const path = join(temporaryDirectory(), '.klog');
    await create(path);
    const directories = [await openDataDirectory(fs, path), await openDataDirectory(fs, path, { readOnly: true })];
    const broker = await fs.open(join(path, 'log', '.lock'), 'write');
    for (const directory of directories) {
      expect(broker.tryLock(WHOLE_FILE)).toBe(false);
      await directory.close();
    }
    expect(broker.tryLock(WHOLE_FILE)).toBe(true);
    for (const readOnly of [false, true]) {
      const error = await openDataDirectory(fs, path, { readOnly, lockWaitMs: 20 }).catch((e: unknown) => e);
      expect(error).toMatchObject({ code: 'KLOG_LOCKED', message: expect.stringMatching(/broker/) });
    }
    await broker.close();
  });

  it('reads without permission to write or to lock, and says which permission a writer lacks', async () => {
    const path = join(temporaryDirectory(), '.klog');
    await create(path);
    for (const code of ['EACCES', 'EPERM', 'EROFS']) {
      const readable = interpose(({ name, path: file }) => {
        if (/^(open (write|create)|rename|unlink|makeDirectory)/.test(name)) throw systemError(code, file);
        if (code !== 'EROFS' && file.endsWith('.lock')) throw systemError(code, file);
      });
      await (await openDataDirectory(readable, path, { readOnly: true })).close();
      await expect(openDataDirectory(readable, path)).rejects.toMatchObject({ code: 'KLOG_PERMISSION_DENIED' });
    }
    const unreadable = interpose(({ name, path: file }) => {
      if (name.startsWith('open')) throw systemError('EACCES', file);
    });
    await expect(openDataDirectory(unreadable, path, { readOnly: true })).rejects.toMatchObject({
      code: 'KLOG_PERMISSION_DENIED',
      message: expect.stringContaining('klog.json'),
    });
  });

  it.runIf(process.getuid?.() === 0)('refuses a user without permission, as the kernel sees it', async () => {
    const parent = temporaryDirectory();
    await create(join(parent, '.klog'));
    chmodSync(parent, 0o755);
    const script = `
      import { nodeFileSystem } from ${JSON.stringify(new URL('../../src/storage/file-system-node.ts', import.meta.url).href)};
      import { openDataDirectory } from ${JSON.stringify(new URL('../../src/store/data-directory.ts', import.meta.url).href)};
      for (const path of process.argv.slice(1)) {
        await openDataDirectory(nodeFileSystem, path, { create: true }).catch((error) => console.log(error.code));
      }`;
    const options = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', script];
    const paths = [join(parent, '.klog'), join(parent, 'new')];
    const output = execFileSync(process.execPath, [...options, ...paths], { encoding: 'utf8', uid: 65534, gid: 65534 });
    expect(output).toBe('KLOG_PERMISSION_DENIED\nKLOG_PERMISSION_DENIED\n');
  });
});

describe('network file systems', () => {
  it('are refused unless allowed, FUSE is a warning, others pass', async () => {
    const parent = temporaryDirectory();
    const on = (type: number | undefined) => interpose(() => {}, { statfsType: () => type });
    for (const [type, name] of [
      [0x6969, 'NFS'],
      [0xff534d42, 'CIFS'],
      [-0x00acb2be, 'CIFS'],
      [0x01021997, '9P'],
    ] as const) {
      const path = join(parent, 'not', 'there', 'yet');
      await expect(openDataDirectory(on(type), path, { create: true })).rejects.toMatchObject({
        code: 'KLOG_NETWORK_FILE_SYSTEM',
        message: expect.stringContaining(name),
        hint: expect.stringContaining('--allow-network-fs'),
      });
    }
    expect(readdirSync(parent)).toEqual([]);
    let n = 0;
    for (const [type, warnings] of [
      [0x6969, 1],
      [0x65735546, 1],
      [0xef53, 0],
      [0x58465342, 0],
      [undefined, 0],
    ] as const) {
      const options = { create: true, allowNetworkFileSystem: type === 0x6969 };
      const directory = await openDataDirectory(on(type), join(parent, String(n++)), options);
      expect(directory.warnings).toHaveLength(warnings);
      await directory.close();
    }
  });
});
