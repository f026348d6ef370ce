// The machine's disk with something wrong at chosen calls, for one process of a round:
//   { call, file, nth, when, action, ms, from }
//   call    open | read | write | truncate | sync | rename | unlink | syncDirectory
//   file    how the path ends; nth: which such call, from 1
//   when    before | torn (a write of half the bytes) | after the call
//   action  kill (-9) | stop (SIGSTOP) | fail (EIO) | delay (ms)
// and `slow: { one, ms }`: one call in so many takes up to `ms` longer.
import { pause } from './recorder.mjs';

export function faultyFileSystem(real, { faults = [], slow }, random) {
  const pending = faults.map((fault) => ({ ...fault, seen: 0 }));

  async function around(call, path, run, tear) {
    if (slow !== undefined && random() * slow.one < 1) await pause(random() * slow.ms);
    const due = pending.filter(
      (fault) => fault.call === call && path.endsWith(fault.file) && ++fault.seen === fault.nth,
    );
    for (const fault of due) {
      if (fault.when === 'torn') await tear?.();
      if (fault.when !== 'after') await act(fault, call, path);
    }
    const result = await run();
    for (const fault of due) if (fault.when === 'after') await act(fault, call, path);
    return result;
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
      sync: () => around('sync', open.path, () => open.sync()),
      stat: () => open.stat(),
      close: () => open.close(),
      tryLock: (...args) => open.tryLock(...args),
      waitLock: (...args) => open.waitLock(...args),
      unlock: (range) => open.unlock(range),
      lockHolder: (range) => open.lockHolder(range),
    };
  }

  return {
    open: async (path, mode) => file(await around('open', path, () => real.open(path, mode))),
    stat: (path) => real.stat(path),
    readDirectory: (path) => real.readDirectory(path),
    makeDirectory: (path) => real.makeDirectory(path),
    removeDirectory: (path) => real.removeDirectory(path),
    rename: (from, to) => around('rename', to, () => real.rename(from, to)),
    unlink: (path) => around('unlink', path, () => real.unlink(path)),
    syncDirectory: (path) => around('syncDirectory', path, () => real.syncDirectory(path)),
    bootId: () => real.bootId(),
    statfsType: (path) => real.statfsType(path),
    watch: (path, listener) => real.watch(path, listener),
  };
}

async function act({ action, ms }, call, path) {
  if (action === 'kill') process.kill(process.pid, 'SIGKILL');
  else if (action === 'stop') process.kill(process.pid, 'SIGSTOP');
  else if (action === 'delay') await pause(ms);
  else {
    if (ms !== undefined) await pause(ms);
    throw Object.assign(new Error(`EIO: planted failure, ${call} '${path}'`), { code: 'EIO', errno: -5, path });
  }
}
