#!/usr/bin/env python3
"""Kill a command, or make it fail, at its Nth file-changing system call, for
many N; then run a checker.  See README.md."""
import argparse
import errno
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile

import tracer
from crashsim import Checker

MODES = ("kill-before", "kill-after", "kill-torn", "kill-one", "enospc", "eio", "edquot",
         "emfile", "erofs", "short", "full")


class Point:
    """Counts the run's calls on the directory and acts at the Nth."""

    def __init__(self, root, calls, mode=None, at=0, lasting=False):
        self.root, self.calls, self.mode, self.at, self.lasting = root, calls, mode, at, lasting
        self.count, self.hit, self.full = 0, None, False

    def entry(self, call):
        if call.name not in self.calls or call.name == "mmap":
            call.note["skip"] = True
            return None
        paths = call.paths()
        if not any(tracer.under(p, self.root) for p in paths) or (
                "open" in call.name and not call.open_flags() & (os.O_CREAT | os.O_TRUNC)):
            call.note["skip"] = True
            return None
        self.count += 1
        later = self.at and self.count > self.at
        if self.count != self.at and not (self.lasting and later) and not (
                self.mode == "full" and self.count == self.at + 1):
            call.note["skip"] = True
            return None
        mode = self.mode
        is_write = call.name in ("write", "pwrite64") and call.args[2] > 1
        if mode == "full" and not (later and self.full):
            # What is left of the disk goes to this write; if it is none, nothing happens.
            self.full = self.count == self.at and is_write
            if not self.full:
                call.note["skip"] = True
                return None
        else:
            self.hit = self.hit or "%s %s" % (call.name, os.path.relpath(paths[0], self.root))
        if mode == "kill-before":
            return "kill"
        if mode == "kill-one":
            return "kill-one"
        if mode == "kill-after":
            call.note["kill"] = True
        elif mode == "full" and later:
            call.fail(errno.ENOSPC)
        elif mode in ("kill-torn", "short", "full"):
            if is_write:
                call.shorten(random.Random(self.at).randrange(1, call.args[2]))
            call.note["kill"] = mode == "kill-torn"
        else:
            call.fail(getattr(errno, mode.upper()))
        return None

    def exit(self, call):
        return "kill" if call.note.get("kill") else None


def one_run(args, calls, mode, at, work):
    where = os.path.join(work, "dir")
    out_path = os.path.join(work, "stdout")
    shutil.rmtree(where, ignore_errors=True)
    if args.start:
        shutil.copytree(args.start, where, symlinks=True)
    else:
        os.makedirs(where)
    where = os.path.realpath(where)
    point = Point(where, calls, mode, at, args.lasting)
    out = os.open(out_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
    err = os.open(os.path.join(work, "stderr"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
    argv = [a.replace("{dir}", where) for a in args.argv]
    status = tracer.run(argv, point.entry, point.exit, stdout=out, stderr=err, timeout=args.run_timeout)
    os.close(out)
    os.close(err)
    return where, out_path, point, os.waitstatus_to_exitcode(status)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    g = p.add_mutually_exclusive_group(required=True)
    g.add_argument("--check", help="shell command; {dir} and {out} are filled in; "
                   "CRASH_RC, CRASH_MODE and CRASH_AT are set; exit 0 is good")
    g.add_argument("--server", help="shell command of a checker that answers one line a run, or unix:PATH; "
                   "it is told rc, mode, at, hit (the call) and err (the file of the command's error output) too")
    p.add_argument("--modes", default="kill-before,kill-torn", help="of: " + " ".join(MODES))
    p.add_argument("--points", default="1-", help="FROM-TO, the calls to act at")
    p.add_argument("--sample", type=int, help="act only at this many of them, chosen by --seed")
    p.add_argument("--seed", default="1")
    p.add_argument("--calls", help="count only these calls, for example write,fsync")
    p.add_argument("--lasting", action="store_true", help="errors: every later call fails too")
    p.add_argument("--start", help="a folder to start each run from (a copy of it)")
    p.add_argument("--timeout", type=float, default=60)
    p.add_argument("--run-timeout", type=float, default=60)
    p.add_argument("--work", help="folder for the runs")
    p.add_argument("--keep", help="folder that keeps the failing runs")
    p.add_argument("--max-fails", type=int, default=100)
    p.add_argument("command", nargs=argparse.REMAINDER, help="-- COMMAND, with {dir} for its directory")
    args = p.parse_args()
    args.argv = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not args.argv:
        p.error("no command")
    calls = set(args.calls.split(",")) if args.calls else set(tracer.NR) - {"mmap", "io_uring_setup"}
    modes = args.modes.split(",")
    if set(modes) - set(MODES):
        p.error("unknown mode")
    work = tempfile.mkdtemp(prefix="kill-", dir=args.work)
    checker = Checker(args.check or args.server, bool(args.server), args.timeout)
    fails = runs = missed = 0
    try:
        _, _, point, code = one_run(args, calls, None, 0, work)
        total = point.count
        print("the whole run: exit %s, %d calls on the directory" % (code, total), flush=True)
        if code:
            print(open(os.path.join(work, "stderr"), errors="replace").read()[-500:])
            sys.exit("the command fails when nothing is done to it")
        first, _, last = args.points.partition("-")
        points = range(int(first), min(int(last or total), total) + 1)
        if args.sample and args.sample < len(points):
            points = sorted(random.Random(args.seed).sample(points, args.sample))
        for mode in modes:
            for at in points:
                if fails >= args.max_fails:
                    break
                where, out, point, code = one_run(args, calls, mode, at, work)
                runs += 1
                if not point.hit:
                    missed += 1
                os.environ.update(CRASH_RC=str(code), CRASH_MODE=mode, CRASH_AT=str(at))
                kept = None
                if args.keep:  # the check may change the directory: kept as the run left it
                    kept = os.path.join(args.keep, "%s-%d" % (mode, at))
                    shutil.rmtree(kept, ignore_errors=True)
                    shutil.copytree(work, kept, symlinks=True)
                problem = checker.check(where, out, rc=code, mode=mode, at=at, hit=point.hit or "",
                                        err=os.path.join(work, "stderr"))
                if kept and not problem:
                    shutil.rmtree(kept)
                if problem:
                    fails += 1
                    print("FAIL %s at call %d (%s), command's exit %s\n  check: %s" % (
                        mode, at, point.hit, code, problem))
    finally:
        checker.close()
        shutil.rmtree(work, ignore_errors=True)
    print("%d runs (%s), %d did not reach their call, %d trials of the checker's own, %d failed" % (
        runs, " ".join(modes), missed, checker.trials, fails))
    return 1 if fails else 0


if __name__ == "__main__":
    sys.exit(main())
