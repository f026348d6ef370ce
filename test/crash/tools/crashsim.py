#!/usr/bin/env python3
"""Power-loss simulator: record a command's file operations, then rebuild the
directory states a crash could have left behind and run a checker on each.
See README.md."""
import argparse
import base64
import bisect
import collections
import itertools
import json
import os
import pickle
import random
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import tracer

# ---------------------------------------------------------------- recording
# An operation: kind, the call, numbers of its start and end, and its subject.
# Files and directories are known by ids, so renames do not confuse them.
Op = collections.namedtuple("Op", "kind call start end ino data")


class Recorder:
    def __init__(self, root, stdout_path):
        self.root, self.stdout_path = root, stdout_path
        self.ops, self.warnings, self.tick = [], [], 0
        self.ids, self.next_id = {}, 0
        self.writing = {}  # which thread is in a write to which file
        self.dirs, self.files, self.links = {}, {}, {}
        self.root_id = self.load(root)

    def load(self, path):
        """Take what the directory holds before the run."""
        me = self.id_of(path, new=True)
        self.dirs[me] = {}
        for entry in sorted(os.scandir(path), key=lambda e: e.name):
            if entry.is_dir(follow_symlinks=False):
                child = self.load(entry.path)
            else:
                known = self.key(entry.path) in self.ids
                child = self.id_of(entry.path, new=not known)
                if entry.is_symlink():
                    self.links[child] = os.readlink(entry.path)
                elif not known:
                    with open(entry.path, "rb") as f:
                        self.files[child] = f.read()
            self.dirs[me][entry.name] = child
        return me

    @staticmethod
    def key(path, follow=False):
        st = os.stat(path) if follow else os.lstat(path)
        return st.st_dev, st.st_ino

    def id_of(self, path, new=False, follow=False):
        key = self.key(path, follow)
        if new or key not in self.ids:  # inode numbers are reused: a new file gets a new id
            self.ids[key] = self.next_id
            self.next_id += 1
        return self.ids[key]

    def slot(self, path):
        return self.id_of(os.path.dirname(path)), os.path.basename(path)

    def warn(self, text):
        if text not in self.warnings:
            self.warnings.append(text)

    def entry(self, call):
        paths = call.paths()
        to_stdout = call.name in tracer.WRITES and paths[0] == self.stdout_path
        inside = [tracer.under(p, self.root) for p in paths]
        if not (any(inside) or to_stdout or call.name == "sync") or (
                "open" in call.name and paths[0] == self.root):
            call.note["skip"] = True
            return
        if call.name == "mmap":
            call.note["skip"] = True
            if call.args[2] & 2 and call.args[3] & 1:
                self.warn("shared writable mmap of %s: its stores are not seen" % paths[0])
            return
        if call.name in tracer.WRITES:
            # one write to a file at a time, so that its place in the file is known
            file = self.key("/proc/%d/fd/%d" % (call.tid, call.fd(0)), follow=True)
            if os.path.exists("/proc/%d" % self.writing.get(file, 0)):
                return "wait"
            self.writing[file] = call.tid
            call.note["file"] = file
        self.tick += 1
        call.note.update(start=self.tick, paths=paths, inside=inside, stdout=to_stdout)
        if call.name in ("open", "openat", "openat2", "creat"):
            flags = call.open_flags()
            call.note.update(flags=flags, existed=os.path.exists(paths[0]))
            if not flags & (os.O_CREAT | os.O_TRUNC):
                call.note["skip"] = True
        elif "unlink" in call.name or call.name == "rmdir" or "rename" in call.name:
            call.note["ino"] = self.id_of(paths[0]) if os.path.lexists(paths[0]) and inside[0] else None
            if len(paths) > 1:
                call.note["slots"] = [self.slot(p) if i else None for p, i in zip(paths, inside)]
            else:
                call.note["slots"] = [self.slot(paths[0])]

    def exit(self, call):
        self.writing.pop(call.note.get("file"), None)
        if call.ret is None or call.ret < 0:
            return
        self.tick += 1
        note, name, paths = call.note, call.name, call.note["paths"]

        def add(kind, ino=None, *data):
            self.ops.append(Op(kind, name, note["start"], self.tick, ino, data))

        def fd_id(i=0):
            return self.id_of("/proc/%d/fd/%d" % (call.tid, call.fd(i)), follow=True)

        def sync_if(flags, ino):
            if flags & os.O_DSYNC:  # O_SYNC includes this bit
                self.tick += 1
                self.ops.append(Op("fsync", "O_SYNC", self.tick - 1, self.tick, ino, ()))

        if note["stdout"]:
            add("out", None, call.data(call.ret))
        elif name in tracer.WRITES:
            pos, flags = call.fdinfo()
            if flags & os.O_APPEND and name not in ("write", "writev"):
                pos = os.stat("/proc/%d/fd/%d" % (call.tid, call.fd(0))).st_size
            elif name not in ("write", "writev"):
                pos = call.args[3] + call.ret
            ino = fd_id()
            add("write", ino, pos - call.ret, call.data(call.ret))
            sync_if(flags, ino)
        elif name in ("open", "openat", "openat2", "creat"):
            fd = "/proc/%d/fd/%d" % (call.tid, call.ret)
            if note["flags"] & 0o20000000 == 0o20000000 and not note["flags"] & os.O_CREAT:
                self.warn("O_TMPFILE is not modelled")
            if not note["existed"]:
                parent, base = self.slot(paths[0])
                ino = self.id_of(fd, new=True, follow=True)
                add("link", ino, parent, base, "file")
            elif note["flags"] & os.O_TRUNC:
                add("truncate", self.id_of(fd, follow=True), 0)
        elif name in ("ftruncate", "truncate"):
            ino = fd_id() if name == "ftruncate" else self.id_of(paths[0], follow=True)
            add("truncate", ino, call.args[1])
        elif name == "fallocate":
            mode = call.args[1]
            if mode == 0:
                add("extend", fd_id(), call.args[2] + call.args[3])
            elif mode & ~1:
                self.warn("fallocate mode %#x is not modelled" % mode)
        elif name in ("copy_file_range", "sendfile"):
            out = 2 if name == "copy_file_range" else 0
            with open("/proc/%d/fd/%d" % (call.tid, call.fd(out)), "rb") as f:
                pos, _ = call.fdinfo(out)
                if name == "copy_file_range" and call.args[3]:
                    pos = int.from_bytes(call.mem(call.args[3], 8), "little")
                f.seek(pos - call.ret)
                add("write", fd_id(out), pos - call.ret, f.read(call.ret))
        elif name in ("fsync", "fdatasync"):
            add("fsync", fd_id(), name)
        elif name in ("sync", "syncfs"):
            add("sync")
        elif name in ("mkdir", "mkdirat"):
            parent, base = self.slot(paths[0])
            add("link", self.id_of(paths[0], new=True), parent, base, "dir")
        elif name in ("symlink", "symlinkat"):
            parent, base = self.slot(paths[0])
            add("link", self.id_of(paths[0], new=True), parent, base, "->" + call.cstr(call.args[0]))
        elif name in ("link", "linkat"):
            parent, base = self.slot(paths[1])
            add("link", self.id_of(paths[1]), parent, base, "hard")
        elif "unlink" in name or name == "rmdir":
            add("unlink", note["ino"], *note["slots"][0])
        elif "rename" in name:
            if name == "renameat2" and call.args[4] & 2:
                self.warn("RENAME_EXCHANGE is not modelled")
            if not all(note["inside"]):
                self.warn("rename across the directory's edge: %s -> %s" % tuple(paths))
                return
            (d1, n1), (d2, n2) = note["slots"]
            add("rename", note["ino"], d1, n1, d2, n2)


def record(root, argv, trace, timeout=None):
    root = os.path.realpath(root)
    os.makedirs(trace, exist_ok=True)
    out_path = os.path.join(os.path.realpath(trace), "stdout")
    out = os.open(out_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
    rec = Recorder(root, out_path)
    status = tracer.run(argv, rec.entry, rec.exit, stdout=out, timeout=timeout)
    os.close(out)
    ops = sorted(rec.ops, key=lambda o: o.end)
    kept = {"root": rec.root_id, "dirs": rec.dirs, "files": rec.files, "links": rec.links,
            "ops": [tuple(o) for o in ops], "status": status}
    with open(os.path.join(trace, "trace.pickle"), "wb") as f:
        pickle.dump(kept, f)
    for w in rec.warnings:
        print("warning: " + w, file=sys.stderr)
    differ = compare(Explorer(kept, ["strict"], 512, 0).final(), root)
    if differ:
        sys.exit("the recording does not explain the directory (a call the tracer does not "
                 "know, or another program writing there): " + ", ".join(differ[:5]))
    counts = collections.Counter(o.kind for o in ops)
    print("recorded %d operations (%s), exit status %s" % (
        len(ops), ", ".join("%s %d" % c for c in sorted(counts.items())),
        os.waitstatus_to_exitcode(status)))
    return status


def compare(disk, root):
    """The paths where the modelled directory and the real one differ."""
    modelled = {path: (kind, body) for path, kind, body in disk.walk()}
    real = {}
    for at, dirs, files in os.walk(root):
        for name in dirs + files:
            full = os.path.join(at, name)
            path = os.path.relpath(full, root)
            if os.path.islink(full):
                real[path] = ("link", os.readlink(full))
            elif os.path.isdir(full):
                real[path] = ("dir", None)
            elif os.path.isfile(full):
                with open(full, "rb") as f:
                    real[path] = ("file", f.read())
    return sorted(p for p in set(modelled) | set(real) if modelled.get(p) != real.get(p))


# ------------------------------------------------------------ crash states
NAMES = ("link", "unlink", "rename")
DATA = ("write", "truncate", "extend")


def involved_dirs(op):
    return {op.data[0], op.data[2]} if op.kind == "rename" else {op.data[0]}


class Disk:
    """A directory tree held in memory."""

    def __init__(self, trace):
        self.root = trace["root"]
        self.dirs = {k: dict(v) for k, v in trace["dirs"].items()}
        self.files = dict(trace["files"])
        self.links = dict(trace["links"])

    def copy(self):
        new = object.__new__(Disk)
        new.root = self.root
        new.dirs = {k: dict(v) for k, v in self.dirs.items()}
        new.files, new.links = dict(self.files), dict(self.links)
        return new

    def apply_name(self, op):
        if op.kind == "rename":
            d1, n1, d2, n2 = op.data
            if self.dirs.get(d1, {}).get(n1) == op.ino:
                del self.dirs[d1][n1]
            self.dirs.setdefault(d2, {})[n2] = op.ino
            return
        parent, base = op.data[:2]
        if op.kind == "unlink":
            self.dirs.setdefault(parent, {}).pop(base, None)
            return
        what = op.data[2]
        self.dirs.setdefault(parent, {})[base] = op.ino
        if what == "dir":
            self.dirs.setdefault(op.ino, {})
        elif what == "file":
            self.files.setdefault(op.ino, b"")
        elif what.startswith("->"):
            self.links[op.ino] = what[2:]

    def apply_data(self, op, pieces=None, fill=None):
        """pieces: the (from, to) parts of a write that reached the disk."""
        buf = self.files.get(op.ino, b"")
        if not isinstance(buf, bytearray):  # changed from now on: a copy of its own, until it is frozen
            buf = self.files[op.ino] = bytearray(buf)
        if op.kind in ("truncate", "extend"):
            size = op.data[0]
            if op.kind == "truncate":
                del buf[size:]
            buf += bytes(max(0, size - len(buf)))
            return
        off, data = op.data
        if fill is not None:
            pieces, data = [(0, len(data))], fill(len(data))
        for a, b in [(0, len(data))] if pieces is None else pieces:
            if len(buf) < off + a:
                buf += bytes(off + a - len(buf))
            buf[off + a:off + b] = data[a:b]

    def freeze(self):
        """No file changes any more."""
        for ino, body in self.files.items():
            if isinstance(body, bytearray):
                self.files[ino] = bytes(body)
        return self

    def walk(self, ino=None, at=""):
        ino = self.root if ino is None else ino
        for name in sorted(self.dirs[ino]):
            child, path = self.dirs[ino][name], at + name
            if child in self.dirs:
                yield path, "dir", None
                yield from self.walk(child, path + "/")
            elif child in self.links:
                yield path, "link", self.links[child]
            else:
                yield path, "file", self.files.get(child, b"")

    def write_to(self, where):
        os.makedirs(where)
        for path, kind, body in self.walk():
            full = os.path.join(where, path)
            if kind == "dir":
                os.mkdir(full)
            elif kind == "link":
                os.symlink(body, full)
            else:
                with open(full, "wb") as f:
                    f.write(body)


class Explorer:
    def __init__(self, trace, models, sector, seed):
        self.trace, self.models, self.sector = trace, models, sector
        self.ops = [Op(*o) for o in trace["ops"]]
        self.rng, self.cut = random.Random(seed), {}
        self.syncs = self.find_syncs()
        self.ticks = sorted({t for o in self.ops for t in (o.start, o.end)})
        self.situations = {model: self.find_situations(model) for model in models}
        self.named = [Disk(trace)]  # [k]: the directory after the first k name changes
        self.names = [o for o in self.ops if o.kind in NAMES]
        self.versions = {ino: [body] for ino, body in trace["files"].items()}  # of a file, after each change
        self.changes = collections.defaultdict(list)
        for o in self.ops:
            if o.kind in DATA:
                self.changes[o.ino].append(o)
        self.outputs = list(itertools.accumulate(
            ((o.start, o.data[0]) for o in sorted(self.ops, key=lambda o: o.start) if o.kind == "out"),
            lambda said, more: (more[0], said[1] + more[1]), initial=(-1, b"")))

    def find_syncs(self):
        """Every sync, and whether it commits a file system's journal.

        A journaling file system commits all earlier name changes with any fsync,
        and with an fdatasync of a file that is new or was changed since."""
        found, changed, journal = [], collections.defaultdict(list), 0
        for o in self.ops:
            if o.kind in DATA or o.kind == "link":
                changed[o.ino].append(o.end)
            elif o.kind in ("fsync", "sync"):
                commits = "fdatasync" not in o.data or any(
                    journal < end < o.start for end in changed[o.ino])
                if commits:
                    journal = max(journal, o.start)
                changed[o.ino] = []
                found.append((o, commits))
        return found

    def find_situations(self, model):
        """For every tick: how many name changes and how many changes of each file are settled for good, and the
        operations behind them, in order: (operation, whether it is pending).

        Changes of different files, and of names, do not touch each other. Of one file those that are settled come
        first; a settled name change may stand behind a pending one."""
        file_sync, any_sync, journal = collections.defaultdict(int), 0, 0
        syncs, waiting = collections.deque(self.syncs), sorted(range(len(self.ops)), key=lambda n: self.ops[n].start)
        waiting = collections.deque(n for n in waiting if self.ops[n].kind in NAMES + DATA)
        pending, sure_names, name_index, changed = [], set(), {}, collections.Counter()
        for n, o in enumerate(self.ops):
            if o.kind in NAMES:
                name_index[n] = len(name_index)
        order = sorted(name_index, key=name_index.get)
        settled, found = 0, {}
        for tick in self.ticks:
            while waiting and self.ops[waiting[0]].start <= tick:
                bisect.insort(pending, waiting.popleft())
            while syncs and syncs[0][0].end <= tick:
                s, commits = syncs.popleft()
                if s.kind == "sync":
                    any_sync = max(any_sync, s.start)
                else:
                    file_sync[s.ino] = max(file_sync[s.ino], s.start)
                if commits:
                    journal = max(journal, s.start)
            still = []
            for n in pending:
                o = self.ops[n]
                if model == "killed":
                    if o.end <= tick:
                        if o.kind in DATA:
                            changed[o.ino] += 1
                        else:
                            sure_names.add(n)
                        continue
                elif o.kind in DATA:
                    if o.end < max(any_sync, file_sync[o.ino]):
                        changed[o.ino] += 1
                        continue
                else:
                    synced = max(any_sync, min(file_sync[d] for d in involved_dirs(o)))
                    if o.end < (max(synced, journal) if model == "journal" else synced):
                        sure_names.add(n)
                        continue
                still.append(n)
            pending = still
            while settled < len(order) and order[settled] in sure_names:
                sure_names.remove(order[settled])
                settled += 1
            rest = sorted([(n, True) for n in pending] + [(n, False) for n in sure_names])
            found[tick] = settled, dict(changed), rest
        return found

    def base(self, model, tick):
        """The disk with all that is settled, and the operations behind that."""
        settled, changed, rest = self.situations[model][tick]
        while len(self.named) <= settled:
            disk = self.named[-1].copy()
            disk.apply_name(self.names[len(self.named) - 1])
            self.named.append(disk)
        disk = self.named[settled].copy()
        for ino, count in changed.items():
            disk.files[ino] = self.version(ino, count)
        return disk, rest

    def version(self, ino, count):
        """A file's bytes after so many changes."""
        bodies = self.versions.setdefault(ino, [b""])
        while len(bodies) <= count:
            disk = Disk.__new__(Disk)
            disk.files = {ino: bodies[-1]}
            disk.apply_data(self.changes[ino][len(bodies) - 1])
            bodies.append(disk.freeze().files[ino])
        return bodies[count]

    def pending(self, model, tick):
        return [n for n, is_pending in self.situations[model][tick][2] if is_pending]

    @staticmethod
    def apply(disk, op):
        if op.kind in NAMES:
            disk.apply_name(op)
        else:
            disk.apply_data(op)

    def final(self):
        """The directory with every operation done: what a run without a crash leaves."""
        disk = Disk(self.trace)
        for op in self.ops:
            if op.kind in NAMES + DATA:
                self.apply(disk, op)
        return disk.freeze()

    def sectors(self, op):
        """A write cut where the disk's sectors end."""
        found = self.cut.get(id(op))
        if found is not None:
            return found
        off, data = op.data
        cuts = [0] + list(range(self.sector - off % self.sector, len(data), self.sector)) + [len(data)]
        self.cut[id(op)] = found = list(zip(cuts, cuts[1:]))
        return found

    def choose(self, model, tick, family, arg):
        """What becomes of the operations that are not settled: those that reach the disk, each with the parts of a
        write that do (None: all of it) and what fills the rest of what it makes the file grow by (None: nothing)."""
        if model == "killed":
            return self.choose_killed(tick, family, arg)
        return self.choose_lost(model, tick, family, arg)

    def choose_killed(self, tick, family, arg):
        """The kernel lives on: what had returned is there, of a call that had not all, nothing, or of a write a part."""
        chosen, pos = [], 0
        for n, is_pending in self.situations["killed"][tick][2]:
            op, keep, parts = self.ops[n], True, None
            if is_pending:
                if family == "torn":
                    keep = pos <= arg[0]
                    if pos == arg[0]:
                        size = len(op.data[1])
                        parts = ((0, max(1, min(size - 1, round(arg[1] * size)))),)
                else:
                    keep = {"all": True, "none": False, "only": pos == arg, "drop": pos != arg}[family]
                pos += 1
            if keep:
                chosen.append((op, parts, None))
        return chosen

    def choose_lost(self, model, tick, family, arg):
        """After a power loss.

        Each pending one is kept, dropped or (a write) partly kept.  A sector holds the result of a prefix of the
        writes to it: once one is lost there, later ones are too."""
        rng = random.Random("%s %s %s %s" % (model, tick, family, arg))
        pos = {n: i for i, n in enumerate(self.pending(model, tick))}
        coin = rng.choice([0.1, 0.5, 0.9])
        names_alive, lost = True, set()
        chosen = []
        for n, is_pending in self.situations[model][tick][2]:
            op = self.ops[n]
            keep, parts, fill = True, None, None
            if is_pending:
                isname = op.kind in NAMES
                if family == "none":
                    keep = False
                elif family == "names":
                    keep = isname
                elif family == "data":
                    keep = not isname
                elif family == "prefix":
                    keep = pos[n] < arg
                elif family == "drop":
                    keep = pos[n] != arg
                elif family == "only":
                    keep = pos[n] == arg
                elif family in ("torn", "tail") and op.kind == "write":
                    which, cut = arg
                    if pos[n] > which and family == "torn":
                        keep = False
                    elif pos[n] == which:
                        all_parts = self.sectors(op)
                        at = max(1, min(len(all_parts) - 1, round(cut * len(all_parts))))
                        parts = all_parts[:at] if family == "torn" else all_parts[at:]
                elif family == "hole" and op.kind == "write" and pos[n] == arg[0]:
                    # the file's new size reached the disk, one sector of the data did not
                    all_parts = self.sectors(op)
                    at = max(1, min(len(all_parts) - 1, round(arg[1] * len(all_parts))))
                    parts = all_parts[:at] + all_parts[at + 1:]
                    chosen.append((Op("extend", "", 0, 0, op.ino, (op.data[0] + len(op.data[1]),)), None, None))
                elif family == "zeros" and op.kind == "write" and (arg is None or pos[n] == arg):
                    fill = bytes
                elif family == "garbage" and op.kind == "write" and (arg is None or pos[n] == arg):
                    fill = rng.randbytes
                elif family == "random":
                    if op.kind == "write":
                        parts = [p for p in self.sectors(op) if rng.random() < coin]
                        if rng.random() < 0.3:
                            parts = None
                        elif rng.random() < 0.1:
                            parts, fill = None, bytes
                    else:
                        keep = rng.random() < coin
                if model == "journal" and isname:  # name changes reach the disk in order
                    keep = names_alive = keep and names_alive
            if op.kind == "write" and is_pending:
                if not keep:
                    parts = []
                if lost or parts is not None:
                    kept = []
                    off = op.data[0]
                    for a, b in self.sectors(op):
                        spot = (op.ino, (off + a) // self.sector)
                        if parts is not None and (a, b) not in parts:
                            lost.add(spot)
                        elif spot not in lost:
                            kept.append((a, b))
                    if fill is None and kept != self.sectors(op):
                        if kept:
                            chosen.append((op, tuple(kept), None))
                        continue
                chosen.append((op, None if fill is None else tuple(kept if lost or parts is not None else
                                                                  self.sectors(op)), fill))
            elif keep:
                chosen.append((op, None, None))
        return chosen

    def key(self, model, tick, chosen):
        """The same for choices that end in the same state, mostly: operations that follow what is settled count as settled."""
        settled, changed, _ = self.situations[model][tick]
        counts, later = dict(changed), []
        for op, parts, fill in chosen:
            if fill is not None:
                return None
            if op.kind in NAMES:
                if settled < len(self.names) and self.names[settled] is op and not any(o.kind in NAMES for o, _ in later):
                    settled += 1
                    continue
            elif parts is None:
                changes, count = self.changes[op.ino], counts.get(op.ino, 0)
                if count < len(changes) and changes[count] is op and not any(
                        o.ino == op.ino and o.kind in DATA for o, _ in later):
                    counts[op.ino] = count + 1
                    continue
            later.append((op, parts))
        return settled, frozenset(counts.items()), tuple((id(op) if op.call else op, parts) for op, parts in later)

    def build(self, model, tick, chosen):
        """The disk that a choice leaves."""
        disk, _ = self.base(model, tick)
        # Up to there a file's blocks are on the disk, written and settled: a write there leaves old or new bytes.
        written = {}
        for op, parts, fill in chosen:
            if op.kind in DATA and op.ino not in written:
                written[op.ino] = len(disk.files.get(op.ino, b""))
            if fill is not None:  # only of what is new (README.md, "Zeros and foreign bytes")
                off, data = op.data
                new = min(len(data), max(0, written[op.ino] - off))
                disk.apply_data(op, [(a, min(b, new)) for a, b in parts if a < new])
                if new < len(data):
                    disk.apply_data(op._replace(data=(off + new, data[new:])), None, fill)
            elif parts is not None:
                disk.apply_data(op, parts)
            else:
                self.apply(disk, op)
                if op.kind == "truncate":  # what is written behind it gets new blocks
                    written[op.ino] = min(written[op.ino], op.data[0])
        return disk.freeze()

    def state(self, model, tick, family, arg):
        return self.build(model, tick, self.choose(model, tick, family, arg))

    def plan(self):
        """Every systematic choice, as families of (model, tick, family, arg)."""
        families = collections.defaultdict(list)
        for model in self.models:
            for tick in self.ticks:
                pending = self.pending(model, tick)
                add = lambda family, arg=None: families[family].append((model, tick, family, arg))
                add("all")
                if not pending:
                    continue
                add("none")
                if model == "killed":
                    for i, n in enumerate(pending):
                        add("drop", i)
                        add("only", i)
                        if self.ops[n].kind == "write" and len(self.ops[n].data[1]) > 1:
                            for cut in (0, 0.5, 1):
                                add("torn", (i, cut))
                    continue
                add("names")
                add("data")
                add("zeros")
                some = range(len(pending))
                if len(pending) > 40:
                    some = sorted(self.rng.sample(some, 40))
                for i in some:
                    add("drop", i)
                    add("only", i)
                    add("prefix", i)
                    op = self.ops[pending[i]]
                    if op.kind == "write":
                        add("zeros", i)
                        if model == "strict":
                            add("garbage", i)
                        if len(self.sectors(op)) > 1:
                            for cut in (0.01, 0.5, 0.99):
                                add("torn", (i, cut))
                                add("tail", (i, cut))
                                add("hole", (i, cut))
        return families

    def candidates(self, random_states):
        """The plan in a seeded order that gives every family its turn, then random states."""
        families = self.plan()
        for items in families.values():
            self.rng.shuffle(items)
        queues = [collections.deque(families[f]) for f in sorted(families)]
        while any(queues):
            for q in queues:
                if q:
                    yield q.popleft()
        ticks = [(m, t) for m, t, _, _ in families["none"] if m != "killed"]
        for i in range(random_states if ticks else 0):
            model, tick = self.rng.choice(ticks)
            yield model, tick, "random", i

    def stdout_at(self, tick):
        return self.outputs[bisect.bisect_right(self.outputs, tick, key=lambda said: said[0]) - 1][1]

    def path_names(self):
        """A readable name for every id: the last path it had."""
        names = {self.trace["root"]: "."}
        todo = [(self.trace["root"], "")]
        while todo:
            d, at = todo.pop()
            for name, ino in self.trace["dirs"].get(d, {}).items():
                names[ino] = at + name
                todo.append((ino, at + name + "/"))
        for o in self.ops:
            if o.kind in ("link", "rename"):
                d, n = o.data[-2:] if o.kind == "rename" else o.data[:2]
                names[o.ino] = os.path.normpath(os.path.join(names.get(d, "?"), n))
        return names

    def describe(self, n, names):
        o = self.ops[n]
        what = names.get(o.ino, "")
        if o.kind == "write":
            return "%s %s at %d, %d bytes" % (o.call, what, o.data[0], len(o.data[1]))
        if o.kind in ("truncate", "extend"):
            return "%s %s to %d" % (o.call, what, o.data[0])
        if o.kind == "out":
            return "output %r" % o.data[0][:60]
        if o.kind == "rename":
            return "rename %s/%s to %s" % (names.get(o.data[0]), o.data[1], what)
        if o.kind in NAMES:
            return "%s %s/%s" % (o.call, names.get(o.data[0]), o.data[1])
        return "%s %s" % (o.call, what)

    def explain(self, model, tick, family, arg):
        names = self.path_names()
        pending = self.pending(model, tick)
        last = max((n for n, o in enumerate(self.ops) if o.start <= tick), key=lambda n: self.ops[n].start)
        running = " (unfinished)" if self.ops[last].end > tick else ""
        lines = ["model %s, crash after: %s%s" % (model, self.describe(last, names), running)]
        which = arg[0] if isinstance(arg, tuple) else arg
        for i, n in enumerate(pending):
            mark = " <- %s" % family if which == i and family not in ("prefix", "random") else ""
            lines.append("  pending: %s%s" % (self.describe(n, names), mark))
        lines.append("  choice: %s %s" % (family, "" if arg is None else arg))
        if family == "prefix":
            lines[-1] = "  choice: the first %d pending reached the disk" % arg
        return "\n".join(lines)


# ---------------------------------------------------------------- checking
class Checker:
    """Runs the check once for each state, or keeps one checker process, or one connection to a checker that listens."""

    def __init__(self, command, server, timeout):
        self.command, self.server, self.timeout, self.proc = command, server, timeout, None
        self.lines = None  # to the checker, from it
        self.trials = 0  # of the checker's own, beyond the states it was given

    def check(self, where, out, **more):
        if self.server:
            self.send({"dir": where, "out": out, **more})
            return self.answer()
        command = self.command.replace("{dir}", shlex.quote(where)).replace("{out}", shlex.quote(out))
        env = dict(os.environ, CRASH_DIR=where, CRASH_STDOUT=out)
        try:
            r = subprocess.run(["sh", "-c", command], env=env, timeout=self.timeout,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except subprocess.TimeoutExpired:
            return "the check ran past %s s" % self.timeout
        text = r.stdout.decode(errors="replace").strip()
        return None if r.returncode == 0 else "exit %d: %s" % (r.returncode, text[-500:])

    def connect(self):
        if self.command.startswith("unix:"):
            link = socket.socket(socket.AF_UNIX)
            link.connect(self.command[len("unix:"):])
            self.lines = link.makefile("w"), link.makefile("r")
            link.close()  # the two files keep it
            return
        self.proc = subprocess.Popen(["sh", "-c", self.command], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True)
        self.lines = self.proc.stdin, self.proc.stdout

    def send(self, state):
        try:
            if self.lines is None:
                self.connect()
            self.lines[0].write(json.dumps(state) + "\n")
            self.lines[0].flush()
        except OSError:
            pass  # the answer tells

    def answer(self):
        try:
            answer = self.lines[1].readline() if self.lines else ""
        except OSError:
            answer = ""
        if not answer:  # and it stays dead: who has sent what is not known any more
            return "the checker died"
        if not re.fullmatch(r"ok( \d+)?\s*", answer):
            return answer.strip()
        self.trials += int(answer[2:].strip() or 0)
        return None

    def close(self):
        for file in self.lines or ():
            try:
                file.close()
            except OSError:
                pass
        if self.proc:
            self.proc.wait()
        self.lines = self.proc = None


class Images:
    """States as messages: the names, and the bytes of each file by a number, sent when they are new."""

    LARGEST = 64 << 20  # bytes that the checker keeps, before it is told to forget them

    def __init__(self):
        self.numbers, self.next, self.size = {}, 0, 0

    def message(self, disk, said, mode):
        forget = self.size > self.LARGEST
        if forget:
            self.numbers, self.size = {}, 0
        tree, fresh = [], {}
        for path, kind, body in disk.walk():
            if kind == "file":
                if body not in self.numbers:
                    self.numbers[body] = self.next
                    fresh[self.next] = base64.b64encode(body).decode()
                    self.next += 1
                    self.size += len(body)
                body = self.numbers[body]
            tree.append((path, kind, body))
        return {"tree": tree, "said": said.decode("latin-1"), "bytes": fresh, "forget": forget, **mode}


AHEAD = 64  # states that are sent while the checker judges earlier ones


def explore(trace_dir, args):
    with open(os.path.join(trace_dir, "trace.pickle"), "rb") as f:
        trace = pickle.load(f)
    ex = Explorer(trace, args.models.split(","), args.sector, args.seed)
    checker = Checker(args.check or args.server, bool(args.server), args.timeout)
    work = tempfile.mkdtemp(prefix="crash-", dir=args.work)
    where, out = os.path.join(work, "dir"), os.path.join(work, "stdout")
    seen, chosen_before, fails, tried, begun = set(), set(), [], 0, time.time()
    per_family, images = collections.Counter(), Images()
    underway = collections.deque()

    def judged(cand, problem):
        if not problem:
            return
        fails.append({"state": list(cand), "problem": problem, "what": ex.explain(*cand)})
        if args.keep:
            kept = os.path.join(args.keep, "fail-%04d" % len(fails))
            shutil.rmtree(kept, ignore_errors=True)
            ex.state(*cand).write_to(os.path.join(kept, "dir"))
            with open(os.path.join(kept, "stdout"), "wb") as f:
                f.write(ex.stdout_at(cand[1]))
            with open(os.path.join(kept, "why"), "w") as f:
                f.write(fails[-1]["what"] + "\n" + problem + "\n")

    try:
        for cand in ex.candidates(args.states * 4):
            if len(seen) >= args.states or len(fails) >= args.max_fails:
                break
            tried += 1
            chosen, said = ex.choose(*cand), ex.stdout_at(cand[1])
            quick = ex.key(*cand[:2], chosen), len(said)
            if quick in chosen_before:
                continue
            if quick[0] is not None:
                chosen_before.add(quick)
            disk = ex.build(*cand[:2], chosen)
            key = hash((said, tuple(disk.walk())))
            if key in seen:
                continue
            seen.add(key)
            per_family[cand[2]] += 1
            if args.server:
                if len(underway) == AHEAD:  # half of them at once: each waiting costs a change of processes
                    for _ in range(AHEAD // 2):
                        judged(underway.popleft(), checker.answer())
                mode = {"mode": "kill-simulated"} if cand[0] == "killed" else {}
                checker.send(images.message(disk, said, mode))
                underway.append(cand)
                continue
            disk.write_to(where)
            with open(out, "wb") as f:
                f.write(said)
            problem = checker.check(where, out)
            shutil.rmtree(where)
            judged(cand, problem)
        while underway:
            judged(underway.popleft(), checker.answer())
    finally:
        checker.close()
        shutil.rmtree(work, ignore_errors=True)
    report = {"operations": len(ex.ops), "states_built": tried, "states_checked": len(seen),
              "by_family": dict(per_family), "seed": args.seed, "models": args.models,
              "sector": args.sector, "failed": len(fails), "seconds": round(time.time() - begun, 1),
              "failures": fails}
    if args.report:
        with open(args.report, "w") as f:
            json.dump(report, f, indent=1)
    groups = collections.defaultdict(list)
    for x in fails:
        groups[re.sub(r"\d+", "N", x["problem"])].append(x)
    for items in groups.values():
        shortest = min(items, key=lambda x: (x["what"].count("\n"), x["what"]))
        how = collections.Counter("%s/%s" % (x["state"][0], x["state"][2]) for x in items)
        print("FAIL in %d states (%s); the simplest:\n%s\n  check: %s" % (
            len(items), ", ".join("%s %d" % c for c in sorted(how.items())),
            shortest["what"], shortest["problem"]))
    print("%d crash states checked (%d built, %s), %d trials of the checker's own, %d failed, %.1f s" % (
        len(seen), tried, ", ".join("%s %d" % c for c in sorted(per_family.items())),
        checker.trials, len(fails), time.time() - begun))
    return 1 if fails else 0


def sample(trace_dir, args):
    """Writes some of the states to folders 0, 1, ..., each with the output so far."""
    with open(os.path.join(trace_dir, "trace.pickle"), "rb") as f:
        ex = Explorer(pickle.load(f), args.models.split(","), args.sector, args.seed)
    for number, cand in zip(range(args.states), ex.candidates(args.states)):
        where = os.path.join(args.into, str(number))
        ex.state(*cand).write_to(os.path.join(where, "dir"))
        with open(os.path.join(where, "stdout"), "wb") as f:
            f.write(ex.stdout_at(cand[1]))
    return 0


def main():
    p = argparse.ArgumentParser(description=__doc__)
    sub = p.add_subparsers(dest="what", required=True)
    for name in ("record", "explore", "run", "sample"):
        q = sub.add_parser(name)
        q.add_argument("--trace", required=name != "run", help="folder for the recording")
        if name in ("record", "run"):
            q.add_argument("--dir", required=True, help="the directory the command changes")
            q.add_argument("--run-timeout", type=float)
            q.add_argument("command", nargs=argparse.REMAINDER)
        if name == "sample":
            q.add_argument("--into", required=True, help="folder for the states")
        if name in ("explore", "run"):
            g = q.add_mutually_exclusive_group(required=True)
            g.add_argument("--check", help="shell command; {dir} and {out} are filled in; exit 0 is good")
            g.add_argument("--server", help="shell command of a checker that answers one line a state, "
                           "or unix:PATH where one listens")
            q.add_argument("--timeout", type=float, default=60, help="seconds for one check")
            q.add_argument("--work", help="folder for the states (a tmpfs is fastest)")
            q.add_argument("--keep", help="folder that keeps the failing states")
            q.add_argument("--max-fails", type=int, default=100)
            q.add_argument("--report", help="write a JSON report here")
        if name != "record":
            q.add_argument("--states", type=int, default=1000, help="distinct states to check at most")
            q.add_argument("--seed", default="1")
            q.add_argument("--models", default="journal,strict")
            q.add_argument("--sector", type=int, default=512)
    args = p.parse_args()
    if args.what == "explore":
        return explore(args.trace, args)
    if args.what == "sample":
        return sample(args.trace, args)
    argv = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not argv:
        p.error("no command to record")
    trace = args.trace or tempfile.mkdtemp(prefix="crash-trace-")
    try:
        status = record(args.dir, argv, trace, args.run_timeout)
        if args.what == "record":
            return 0 if status == 0 else 1
        if status:
            print("the recorded command itself failed", file=sys.stderr)
            return 2
        return explore(trace, args)
    finally:
        if not args.trace:
            shutil.rmtree(trace, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
