// The machine's disk with something wrong at chosen calls, for one process of a round:
//   { call, file, nth, when, action, ms, waiters, loses, withinMs }
//   call     open | make (an open that makes the file) | read | write | truncate | sync | rename | unlink | syncDirectory
//   file     how the path ends; nth: which such call, from 1; absent: each of them
//   when     before | torn (a write of half the bytes) | after the call
//   action   kill (-9) | stop (SIGSTOP) | fail (EIO) | delay (ms) | note (only says that it happened)
//            | swapped (goes on when the segment's log has been exchanged for another file)
//   waiters  does it as soon as so many lock requests of other processes wait for this partition, …
//   withinMs … or after so long
//   loses    of a failing sync: takes the unsynced bytes away, as a kernel does that could not write its pages back
// and `slow: { one, ms }`: one call in so many takes up to `ms` longer. Whatever is done is recorded before it is done.
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { untilSwapped, untilWaiters } from './lock-waiters.mjs';
import { pause } from './recorder.mjs';

export function faultyFileSystem(real, { faults = [], slow }, { random, recorder, decodeControlRecord }) {
  const pending = faults.map((fault) => ({ ...fault, seen: 0 }));

  async function around(call, path, run, tear, file) {
    if (slow !== undefined && random() * slow.one < 1) await pause(random() * slow.ms);
    const due = pending.filter((fault) => {
      if (fault.call !== call && !(call === 'make' && fault.call === 'open')) return false;
      return path.endsWith(fault.file) && (++fault.seen === fault.nth || fault.nth === undefined);
    });
    for (const fault of due) {
      if (fault.when === 'torn') await tear?.();
      if (fault.when !== 'after') await act(fault, call, path, file);
    }
    const result = await run();
    for (const fault of due) if (fault.when === 'after') await act(fault, call, path, file);
    return result;
  }

  async function act(fault, call, path, file) {
    const { action, ms, when, waiters: wanted, withinMs = 500 } = fault;
    const waiters = wanted === undefined ? undefined : await untilWaiters(path, wanted, withinMs);
    const swapped = action === 'swapped' ? await untilSwapped(logOf(path), withinMs) : undefined;
    const lost = fault.loses ? await loseUnsynced(file) : undefined;
    recorder.event({ action, call, file: basename(path), when, waiters, swapped, lost });
    if (action === 'kill') process.kill(process.pid, 'SIGKILL');
    else if (action === 'stop') process.kill(process.pid, 'SIGSTOP');
    else if (action === 'delay') await pause(ms);
    else if (action === 'fail') {
      throw Object.assign(new Error(`EIO: planted failure, ${call} '${path}'`), { code: 'EIO', errno: -5, path });
    }
  }

  /** From somewhere between what is safe and the end. Answers how many bytes. */
  async function loseUnsynced(file) {
    const from = safePosition(file.path, decodeControlRecord);
    const { size } = await file.stat();
    if (from === undefined || from >= size) return 0;
    const start = random() < 0.6 ? from : from + Math.floor(random() * (size - from));
    await file.write(Buffer.alloc(size - start), 0, size - start, start);
    return size - start;
  }

  function file(open) {
    return {
      path: open.path,
      read: (...args) => around('read', open.path, () => open.read(...args)),
      write: (buffer, start, length, position) =>
        around(
          'write',
          open.path,
          () => open.write(buffer, start, length, position),
          () => open.write(buffer, start, length >> 1, position),
        ),
      truncate: (size) => around('truncate', open.path, () => open.truncate(size)),
      sync: () => around('sync', open.path, () => open.sync(), undefined, open),
      stat: () => open.stat(),
      close: () => open.close(),
      tryLock: (...args) => open.tryLock(...args),
      waitLock: (...args) => open.waitLock(...args),
      unlock: (range) => open.unlock(range),
      lockHolder: (range) => open.lockHolder(range),
    };
  }

  return {
    open: async (path, mode) => {
      const makes = mode.startsWith('create') && (await real.stat(path)) === undefined;
      return file(await around(makes ? 'make' : 'open', path, () => real.open(path, mode)));
    },
    stat: (path) => real.stat(path),
    readDirectory: (path) => real.readDirectory(path),
    makeDirectory: (path) => real.makeDirectory(path),
    removeDirectory: (path) => real.removeDirectory(path),
    // What leads to a deletion is the old name's business, what replaces a file the new one's.
    rename: (from, to) =>
      around('rename', to.endsWith('-delete') ? join(from, 'klog.end') : to, () => real.rename(from, to)),
    unlink: (path) => around('unlink', path, () => real.unlink(path)),
    syncDirectory: (path) => around('syncDirectory', path, () => real.syncDirectory(path)),
    bootId: () => real.bootId(),
    statfsType: (path) => real.statfsType(path),
    watch: (path, listener) => real.watch(path, listener),
  };
}

function logOf(path) {
  return path.replace(/\.(time)?index$/, '.log');
}

/** Where `klog.end` has the two slots of what is safe (src/storage/control-file.ts). */
const SAFE_SLOTS = [1024, 1536];

/** Bytes of the segment that are safe; `undefined` if another segment is the last one by now. */
function safePosition(path, decodeControlRecord) {
  const bytes = readFileSync(join(dirname(path), 'klog.end'));
  const slots = SAFE_SLOTS.map((at) => decodeControlRecord(bytes, at)).filter((record) => record !== undefined);
  const safe = slots.sort((a, b) => b.sequence - a.sequence)[0];
  return safe !== undefined && safe.segmentBase === Number(basename(path, '.log')) ? safe.position : undefined;
}
