/* Exchanging and removing segments beside writers and readers: src/storage/segment-swap.ts, layout-change.ts, log-trim.ts,
 * layout-recovery.ts, covered-segments.ts and the readers' partition-reader.ts.
 *
 * The log: segment X with the offsets 0 and 1, Y with 2, and the last one, which nothing here touches. A compaction makes
 * one segment of X and Y, without the record at 0. So 1 and 2 must be found at any moment, unless they were trimmed.
 *
 * Names, as the directory shows them and as the disk holds them; what was done to names since the last sync of the
 * directory is in `pend`, and of that a power loss takes any part. Content of the new file is on the disk once `written`.
 */
#ifndef NC
#define NC 1            /* compactors */
#endif
#ifndef NT
#define NT 0            /* trims */
#endif
#ifndef NW
#define NW 1            /* writers: take the locks, settle what they find, publish S = A */
#endif
#ifndef NR
#define NR 1            /* readers: take no locks and may not settle */
#endif
#ifndef KILLS
#define KILLS 0
#endif
#ifndef POWER
#define POWER 0
#endif
#define NP (NC+NT+NW+1+NR)
#define OPENER (NC+NT+NW+1)

#define OLD  1          /* what X holds: 0 and 1 */
#define NEW  2          /*               1 and 2 */
#define PART 3          /*               not written to the end */

/* X.log, X.log.cleaned, X.log.swap, Y.log */
typedef Names { byte x; byte cleaned; byte swap; bit y };
typedef Record { byte layout; byte start; bit swapped; byte boot };

Names dir, disk;
bit  written;
byte pend[6], pends;
Record A, S, diskA, diskS;
bit  syncing;
byte boot = 1, UP, AP, SY;              /* locks: 0 free, else the holder */
byte trimmed;                           /* ghost: the log start that somebody was told */
byte runs = NC+NT+NW;                   /* ghost: who has not come to the end */
bit  kill[NP+1];
byte kills = KILLS, power = POWER;

#define ODD(r)   (r.layout % 2 == 1)
#define STALE    (ODD(S) || S.boot != boot)
#define UNSETTLED (STALE || syncing || A.layout != S.layout || A.start != S.start)
#define NEXT(n)  (n.y -> 2 : 3)         /* the base offset behind X */

mtype:change = { MAKE, DECIDE, PLACE, DROP_Y, DROP_X, DROP_CLEANED, DROP_SWAP };

inline copy(to, from) { to.layout = from.layout; to.start = from.start; to.swapped = from.swapped; to.boot = from.boot }
inline take(lock)     { atomic { lock == 0 -> lock = me } }
inline give(lock)     { lock = 0 }
inline free_all(p) {
  if :: UP == p -> UP = 0 :: else fi; if :: AP == p -> AP = 0 :: else fi; if :: SY == p -> SY = 0 :: else fi
}

/* one call on a name; a file that is not there is not renamed */
inline change(n, what) {
  if
  :: what == MAKE -> n.cleaned = PART
  :: what == DECIDE && n.cleaned -> n.swap = n.cleaned; n.cleaned = 0
  :: what == PLACE && n.swap -> n.x = n.swap; n.swap = 0
  :: what == DROP_Y -> n.y = 0
  :: what == DROP_X -> n.x = 0
  :: what == DROP_CLEANED -> n.cleaned = 0
  :: what == DROP_SWAP -> n.swap = 0
  :: else
  fi
}
inline call(what) {
  d_step {
    change(dir, what);
    if :: POWER > 0 -> pend[pends] = what; pends++ :: else fi
  }
}
inline sync_names() {
  d_step {
    disk.x = dir.x; disk.cleaned = dir.cleaned; disk.swap = dir.swap; disk.y = dir.y;
    do :: pends > 0 -> pends--; pend[pends] = 0 :: else -> break od
  }
}
inline sync_control() { d_step { copy(diskA, A); copy(diskS, S) } }

/* the append and sync locks are held */
inline settle() {
  syncing = 1;
  if
  :: dir.swap || (ODD(S) && S.swapped) ->
     if
     :: dir.cleaned -> call(DROP_SWAP); call(DROP_CLEANED)              /* never decided */
     :: else ->
        if :: dir.swap -> call(PLACE); sync_names() :: else fi;
#ifndef BROKEN_NO_COVERED
        if :: dir.x == NEW && dir.y -> call(DROP_Y) :: else fi
#endif
     fi
  :: else
  fi;
  if                                                                    /* what a trim had announced */
  :: ODD(S) ->
     if :: dir.x && NEXT(dir) <= S.start -> call(DROP_X) :: else fi;
     if :: dir.y && S.start == 3 -> call(DROP_Y) :: else fi
  :: else
  fi;
  if :: atomic { dir.cleaned && UP == 0 -> UP = me }; call(DROP_CLEANED); give(UP) :: !dir.cleaned || UP != 0 fi;
  sync_names();
  d_step {
    if :: ODD(S) -> S.layout++ :: else fi;
    S.swapped = 0;
    copy(A, S)
  };
  d_step { S.boot = boot };
  sync_control();
  syncing = 0
}

inline take_settled() {
  take(AP); take(SY);
  if :: STALE || syncing -> settle() :: else fi
}

/* S goes to the disk with an odd layout before a name changes */
inline announce(start_, swapped_) {
  syncing = 1;
#ifndef BROKEN_NO_ODD
  d_step { S.layout++; S.swapped = swapped_;
#ifndef BROKEN_START_LATE
    S.start = start_
#endif
  };
#ifndef BROKEN_ODD_NOT_SYNCED
  sync_control()
#endif
#endif
}
inline conclude(start_) {
#ifdef BROKEN_NO_ODD
  d_step { A.layout = S.layout + 2; A.start = start_ };
  d_step { S.layout = S.layout + 2; S.start = start_ };
#else
#ifndef BROKEN_A_NOT_WRITTEN
  d_step { A.layout = S.layout + 1; A.start = start_; A.swapped = 0 };
#endif
  d_step { S.layout = S.layout + 1; S.start = start_; S.swapped = 0 };
#endif
  syncing = 0
}

proctype compactor(byte me) {
  bit had_x, had_y;
restart:
  {
#ifndef BROKEN_NO_UPKEEP_LOCK
  take(UP);
#endif
  take_settled(); give(SY); give(AP);
  d_step { had_x = (dir.x == OLD); had_y = dir.y };
  if
  :: had_x && had_y ->
     atomic { written = 0; call(MAKE) };
     d_step { if :: dir.cleaned == PART -> dir.cleaned = NEW :: else fi };
#ifndef BROKEN_NO_CONTENT_SYNC
     d_step { if :: dir.cleaned == NEW -> written = 1 :: else fi };
#endif
     sync_names();
     take_settled();
     if
#ifdef BROKEN_NO_SOURCE_CHECK
     :: dir.cleaned ->
#else
     :: dir.cleaned && dir.x && dir.y ->
#endif
        announce(S.start, 1);
#ifdef BROKEN_UNLINK_FIRST
        call(DROP_Y); sync_names();
#endif
        call(DECIDE);
#ifndef BROKEN_NO_NAME_SYNC
        sync_names();
#endif
        call(PLACE);
#ifndef BROKEN_NO_NAME_SYNC
        sync_names();
#endif
        call(DROP_Y);
        sync_names();
        conclude(S.start)
     :: else -> call(DROP_CLEANED)
     fi;
     give(SY); give(AP)
  :: else
  fi;
  atomic { if :: UP == me -> UP = 0 :: else fi; runs--; had_x = 0; had_y = 0 }
  } unless { atomic { kill[me] -> kill[me] = 0; had_x = 0; had_y = 0 }; goto restart };
  end: kill[me] -> atomic { kill[me] = 0; runs++; goto restart }
}

proctype trimmer(byte me) {
  byte to; bit drop_x, drop_y;
restart:
  {
  if :: to = 2 :: to = 3 fi;
#ifdef BROKEN_TRIM_LISTED_EARLY
  d_step { drop_x = (dir.x && NEXT(dir) <= to); drop_y = (dir.y && to == 3) };
#endif
  take_settled();
  if
  :: to > S.start ->
#ifndef BROKEN_TRIM_LISTED_EARLY
     d_step { drop_x = (dir.x && NEXT(dir) <= to); drop_y = (dir.y && to == 3) };
#endif
     if
     :: drop_x || drop_y ->
        announce(to, 0);
        if :: drop_x -> call(DROP_X) :: else fi;
        if :: drop_y -> call(DROP_Y) :: else fi;
        sync_names();
        conclude(to)
     :: else -> d_step { A.start = to }; d_step { S.start = to }; sync_control()
     fi;
     atomic { trimmed = to }
  :: else
  fi;
  give(SY); give(AP);
  atomic { runs--; to = 0; drop_x = 0; drop_y = 0 }
  } unless { atomic { kill[me] -> kill[me] = 0; to = 0; drop_x = 0; drop_y = 0 }; goto restart };
  end: kill[me] -> atomic { kill[me] = 0; runs++; goto restart }
}

/* appends nothing that is looked at: what matters is when it settles, and that its sync makes S of A */
proctype writer(byte me) {
restart:
  {
  take(AP);
#ifndef BROKEN_WRITER_IGNORES_ODD
  if :: STALE -> take(SY); settle(); give(SY) :: else fi;
#endif
  give(AP);
again:
  take(SY);
  if
#ifndef BROKEN_WRITER_IGNORES_ODD
  :: syncing -> give(SY); take_settled(); give(SY); give(AP); goto again
#endif
  :: else -> d_step { copy(S, A); S.boot = boot }; give(SY)
  fi;
  runs--
  } unless { atomic { kill[me] -> kill[me] = 0 }; goto restart };
  end: kill[me] -> atomic { kill[me] = 0; runs++; goto restart }
}

/* settles what it finds, if nobody is busy */
proctype opener(byte me) {
restart:
  {
  true;
end:
  do
  :: atomic { UNSETTLED && AP == 0 && SY == 0 -> AP = me; SY = me };
     settle(); give(SY); give(AP)
  od
  } unless { atomic { kill[me] -> kill[me] = 0 }; goto restart }
}

/* reads 1, then 2, going on in the file it has open. `missing`: it looks again, and says damage if nothing has changed */
inline missing() {
#ifdef BROKEN_READER_NO_RETRY
  assert(false);
#endif
  atomic { tries++; goto look }
}

proctype reader(byte me) {
  Record view; byte tries, before, open; bit has_x, has_y;
restart:
  {
  true;
look:
  atomic {                                                              /* who exchanges files is waited for */
    !ODD(S) || SY == 0 || S.boot != boot -> before = view.layout; copy(view, S); open = 0;
    assert(tries < 2 || before != view.layout)                          /* damage, said of a log that has none */
  };
  d_step { has_x = (dir.x != 0); has_y = dir.y };
#ifndef BROKEN_READER_NO_COVERED
  if
  :: ODD(view) && view.swapped && has_x -> d_step { if :: dir.x == NEW -> has_y = 0 :: else fi }
  :: else
  fi;
#endif
  if
  :: view.start < 2 ->
     if :: has_x -> skip :: else -> missing() fi;
     open = dir.x;
     assert(open != PART);
     if :: open == 0 -> missing() :: else fi;
     if :: open == NEW && has_y -> missing() :: else fi                 /* 2 stands here and in Y */
  :: else
  fi;
  if
  :: view.start < 3 ->
     if
     :: has_y -> if :: dir.y -> skip :: else -> missing() fi
     :: !has_y && has_x ->
        if :: open == 0 -> open = dir.x :: else fi;
        assert(open != PART);
        if :: open == NEW -> skip :: else -> missing() fi
     :: else -> missing()
     fi
  :: else
  fi;
  d_step { view.layout = 0; view.start = 0; view.swapped = 0; view.boot = 0; tries = 0; before = 0; open = 0; has_x = 0; has_y = 0 }
  } unless { atomic { kill[me] -> kill[me] = 0;
      view.layout = 0; view.start = 0; view.swapped = 0; view.boot = 0; tries = 0; before = 0; open = 0; has_x = 0; has_y = 0 };
      goto restart };
  end: kill[me] -> atomic { kill[me] = 0; goto restart }
}

inline content(file)  { if :: file == NEW && !written -> file = PART :: file == PART && written -> file = NEW :: else fi }
inline lose(r, d) { if :: copy(r, d) :: copy(d, r) fi }

proctype nemesis() {
  byte n;
  do
  :: atomic { kills > 0 -> kills--; n = 1;                              /* SIGKILL: the kernel frees the locks */
       do :: n < OPENER -> n++ :: break od;
       if :: !kill[n] -> free_all(n); kill[n] = 1 :: else fi; n = 0 }
  :: atomic { power > 0 -> power--; boot++; UP = 0; AP = 0; SY = 0;
       n = 1; do :: n <= NP -> kill[n] = 1; n++ :: else -> break od;
       n = 0;
       do
       :: n < pends -> if :: change(disk, pend[n]) :: skip fi; pend[n] = 0; n++
       :: else -> break
       od;
       pends = 0; n = 0;
       content(disk.cleaned); content(disk.swap); content(disk.x);
       dir.x = disk.x; dir.cleaned = disk.cleaned; dir.swap = disk.swap; dir.y = disk.y;
       lose(A, diskA); lose(S, diskS);
       if :: syncing = 0 :: syncing = 1 fi }
  :: break
  od
}

proctype judge() {                                                      /* nothing can move any more */
  timeout ->
  d_step {
    assert(runs == 0 && UP == 0 && AP == 0 && SY == 0);                 /* nobody is stuck */
    assert(!UNSETTLED && !dir.swap);
    assert(S.start >= trimmed);                                         /* what was deleted stays so */
    assert(S.start > 1 || dir.x == OLD || dir.x == NEW);                /* 1 is there */
    assert(S.start > 2 || dir.x == NEW || dir.y);                       /* and 2, once */
    assert(!(dir.x == NEW && dir.y));
    assert(dir.x != OLD || S.start < 2 || !dir.y);                      /* and what was trimmed is not */
    assert((!dir.x && !dir.y) || S.start < 3)
  }
}

init {
  byte i;
  atomic {
    dir.x = OLD; dir.y = 1; disk.x = OLD; disk.y = 1;
    A.layout = 2; copy(S, A); S.boot = 1; copy(diskA, A); copy(diskS, S);
    i = 1;
    do :: i <= NC -> run compactor(i); i++ :: else -> break od;
    do :: i <= NC+NT -> run trimmer(i); i++ :: else -> break od;
    do :: i <= NC+NT+NW -> run writer(i); i++ :: else -> break od;
    run opener(i); i++;
    do :: i <= NP -> run reader(i); i++ :: else -> break od;
    run nemesis(); run judge(); i = 0
  }
}
