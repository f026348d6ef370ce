/* klog, append · sync · publish · settle on one segment (ARCHITECTURE.md, "The write protocol").
 *
 * Disk: a batch is two units. Each unit has what the page cache shows (cu) and what the disk holds (du).
 *   dirty  = a sync will write it.   clean and cu != du = lost by a failed sync: a later sync "succeeds".
 * Control file: A and S, two slots each, cached (cA cS) and on disk (dA dS). seq 0 = torn or never written.
 * Ghost `promised`: batches below it were published, acknowledged or shown to somebody. Whoever raises it must
 *   find them on the disk; whoever cuts or publishes must stay at or above it. That is I1, I2, I3, I5, I7 in one number.
 */
#ifndef NW
#define NW 2            /* writers */
#endif
#ifndef NB
#define NB 2            /* batches in all */
#endif
#ifndef NR
#define NR 0            /* readers: may not write, take no locks */
#endif
#ifndef NF
#define NF 1            /* followers: settle what they find */
#endif
#ifndef KILLS
#define KILLS 0
#endif
#ifndef POWER
#define POWER 0
#endif
#ifndef FAILS
#define FAILS 0         /* failed syncs */
#endif
#ifndef EVICTS
#define EVICTS 0        /* the cache drops its clean pages */
#endif
#ifndef LONE
#define LONE 0          /* 1: a writer may append and sync under one hold */
#endif
#ifndef POLLS
#define POLLS 2         /* polls a reader makes in one life */
#endif
#define NP (NW+NF+NR)
#define U  (2*NB)

typedef Slot { byte seq; byte pos; byte boot; byte cuts };

byte cu[U], du[U], csize, dsize;  bit dirty[U];
Slot cA[2], dA[2], cS[2], dS[2];
bit  syncing;
byte boot = 1, Q, AP, SY;               /* locks: 0 free, else the holder */
byte next = 1, done, promised;
bit  kill[NP+1];
byte kills = KILLS, power = POWER, fails = FAILS, evicts = EVICTS;

#define bA      (cA[0].seq > cA[1].seq -> 0 : 1)
#define bS      (cS[0].seq > cS[1].seq -> 0 : 1)
#define A_POS   cA[bA].pos
#define A_CUTS  cA[bA].cuts
#define S_POS   cS[bS].pos
#define S_BOOT  cS[bS].boot
#define S_CUTS  cS[bS].cuts
#define WHOLE(b) ((b) < NB && 2*(b)+1 < csize && cu[2*(b)] != 0 && cu[2*(b)] == cu[2*(b)+1])
#define ONDISK(b) (du[2*(b)] == cu[2*(b)] && du[2*(b)+1] == cu[2*(b)+1])
#define DIFF(x,y) (x.seq != y.seq || x.pos != y.pos || x.boot != y.boot || x.cuts != y.cuts)

/* when must one settle? */
#ifdef BROKEN_NO_SETTLE
#define STALE (false)
#elif defined(BROKEN_NO_BOOT)
#define STALE (csize != 2*A_POS)
#else
#define STALE (csize != 2*A_POS || S_BOOT != boot)
#endif
#ifdef BROKEN_FOLLOWER_TEXT             /* the first text: only "A, or the file, beyond S" */
#define UNSETTLED (A_POS > S_POS || csize > 2*S_POS)
#else
#define UNSETTLED (A_POS != S_POS || csize != 2*S_POS || S_BOOT != boot || syncing)
#endif

inline copy(x, y) { x.seq = y.seq; x.pos = y.pos; x.boot = y.boot; x.cuts = y.cuts }
inline tear(x)    { x.seq = 0; x.pos = 0; x.boot = 0; x.cuts = 0 }
inline free(p)    { if :: Q == p -> Q = 0 :: else fi; if :: AP == p -> AP = 0 :: else fi; if :: SY == p -> SY = 0 :: else fi }
inline die()      { atomic { free(me); kill[me] = 1 } }           /* the `unless` below takes over */

inline take(L)    { atomic { L == 0 -> L = me } }

/* publishing, acknowledging, showing n batches */
inline promise(n) {
  k = 0;
  do :: k < n -> assert(WHOLE(k) && ONDISK(k)); k++             /* I1 I2 I5 I7 */
     :: else -> break
  od;
  if :: n > promised -> promised = n :: else fi
}

inline put(i, v)  {                                             /* one unit into the cache */
  assert(i >= 2*promised || cu[i] == v);
  cu[i] = v; dirty[i] = (du[i] != v);
  if :: csize < i+1 -> csize = i+1 :: else fi
}

inline fdatasync_log() {
  atomic {
    k = 0;
    if
    :: ok = 1;
       do :: k < U -> if :: dirty[k] || k >= csize -> du[k] = cu[k]; dirty[k] = 0 :: else fi; k++
          :: else -> break
       od;
       dsize = csize
    :: fails > 0 -> fails--; ok = 0;
       do :: k < U -> if :: dirty[k] -> du[k] = cu[k] :: true fi; dirty[k] = 0; k++   /* written or lost, clean now */
          :: else -> break
       od;
       if :: dsize = csize :: true fi
    fi; k = 0
  }
}

/* a record: first torn, then whole; the version before may have reached the disk by write-back */
inline write_A(p, c) {
  atomic { q = 1 - bA; if :: power > 0 && DIFF(cA[q], dA[q]) -> copy(dA[q], cA[q]) :: true fi; tear(cA[q]) }
  d_step { cA[q].pos = p; cA[q].cuts = c; cA[q].seq = cA[1-q].seq + 1; q = 0 }
}
inline write_S(p, c) {
  atomic {
#ifdef BROKEN_ONE_SLOT
    q = bS;
#else
    q = 1 - bS;
#endif
    if :: power > 0 && DIFF(cS[q], dS[q]) -> copy(dS[q], cS[q]) :: true fi; tear(cS[q]) }
  d_step {
#ifdef BROKEN_ONE_SLOT
    cS[q].seq = 1;
#else
    cS[q].seq = cS[1-q].seq + 1;
#endif
    cS[q].pos = p; cS[q].cuts = c; cS[q].boot = boot; q = 0;
    assert(p >= promised);                                      /* I3 */
    promise(p)
  }
}

/* settle: append and sync locks are held */
inline settle() {
#ifndef BROKEN_SETTLE_NO_FLAG
  syncing = 1;
#endif
  e = S_POS;
#ifdef BROKEN_CUT_AT_S
  skip;
#elif defined(BROKEN_TRUST_A)
  e = A_POS;
#else
  do                                                            /* verify, write the same bytes again */
  :: atomic { WHOLE(e) ->
#ifndef BROKEN_NO_REWRITE
       dirty[2*e]   = (du[2*e] != cu[2*e]);
       dirty[2*e+1] = (du[2*e+1] != cu[2*e+1]);
#endif
       e++ }
  :: atomic { !WHOLE(e) -> break }
  od;
#endif
  atomic {                                                      /* cut the torn tail */
    if
    :: csize > 2*e ->
       assert(e >= promised);                                   /* I1 I2: nothing promised is cut */
       k = 2*e;
       do :: k < U -> if :: dirty[k] && power > 0 -> du[k] = cu[k] :: true fi; cu[k] = 0; dirty[k] = (du[k] != 0); k++
          :: else -> break
       od;
       csize = 2*e; k = 0
    :: else
    fi
  };
#ifndef BROKEN_SETTLE_NO_SYNC
  fdatasync_log();
  if :: !ok -> die() :: else fi;
#endif
  c = (A_CUTS > S_CUTS -> A_CUTS : S_CUTS);
  if :: e < A_POS -> c++ :: else fi;                            /* A goes back: waiters must notice */
  write_A(e, c);
  write_S(e, c);
  atomic { syncing = 0; e = 0; c = 0; ok = 0 }
}

proctype writer(byte me) {
  byte id, pos, cut, e, c, k, q, ap, as, ac; bit ok, hold;
restart:
  {
  do
  :: atomic { next <= NB -> id = next; next++; hold = 0 };
     take(Q); take(AP); Q = 0;
#if LONE
     if :: hold = 1 :: hold = 0 fi;
#endif
     if :: STALE -> take(SY); settle(); SY = 0 :: else fi;
     d_step { pos = A_POS; cut = A_CUTS;
       if :: EVICTS == 0 -> k = 0;                              /* I4: dense, nothing torn below */
             do :: k < pos -> assert(WHOLE(k)); k++ :: else -> break od; assert(csize == 2*pos); k = 0
          :: else fi };
     d_step { put(2*pos, id) };
     d_step { put(2*pos+1, id) };
#ifdef BROKEN_ACK_WRITTEN
     atomic { promise(pos+1) };
#endif
     write_A(pos+1, cut);
     if :: !hold -> AP = 0 :: else fi;
again:
#ifndef BROKEN_S_NO_LOCK
     do                                                         /* S, read without its lock while one waits for it */
     :: d_step { as = cS[0].seq; ap = cS[0].pos; ac = cS[0].cuts; e = cS[0].boot };
        d_step { if :: cS[1].seq > as -> as = cS[1].seq; ap = cS[1].pos; ac = cS[1].cuts; e = cS[1].boot :: else fi };
        if
        :: as > 0 && ap > pos && e == boot &&
#ifndef BROKEN_LOOK_NO_CUT
           ac == cut ->
#else
           true ->
#endif
           atomic { as = 0; ap = 0; ac = 0; e = 0; goto covered }
        :: else -> atomic { as = 0; ap = 0; ac = 0; e = 0 }
        fi
     :: atomic { SY == 0 -> SY = me; break }
     od;
#endif
     if
#ifdef BROKEN_NO_CUT_COUNT
     :: S_POS > pos && S_BOOT == boot ->
#else
     :: S_POS > pos && S_BOOT == boot && S_CUTS == cut ->
#endif
covered:
        atomic { assert(promised > pos && cu[2*pos] == id && ONDISK(pos)); free(me) }   /* acknowledged: I1 */
#ifndef BROKEN_NO_CUT_COUNT
     :: S_CUTS != cut || A_CUTS != cut -> atomic { free(me) }   /* bytes were cut meanwhile: outcome unknown, not acknowledged */
#endif
     :: else ->
        if
        :: syncing ->                                           /* the last leader failed or died */
#ifdef BROKEN_LOCK_ORDER
           if :: !hold -> take(AP) :: else fi; settle(); atomic { SY = 0; AP = 0 };
#else
           if :: !hold -> SY = 0; take(Q); take(AP); Q = 0; take(SY) :: else fi;
           if :: UNSETTLED -> settle() :: else fi;              /* somebody may have done it meanwhile */
           SY = 0; if :: !hold -> AP = 0 :: else fi;
#endif
           goto again
        :: else ->
#ifdef BROKEN_PUBLISH_FIRST
           atomic { ap = A_POS; ac = A_CUTS }; syncing = 1; write_S(ap, ac); fdatasync_log(); if :: !ok -> die() :: else fi;
#elif defined(BROKEN_COPY_LATE)
           syncing = 1; fdatasync_log(); if :: !ok -> die() :: else fi; atomic { ap = A_POS; ac = A_CUTS }; write_S(ap, ac);
#else
           do                                                   /* A, read without its lock */
           :: d_step { as = cA[0].seq; ap = cA[0].pos; ac = cA[0].cuts };
              d_step { if :: cA[1].seq > as -> as = cA[1].seq; ap = cA[1].pos; ac = cA[1].cuts :: else fi };
              if :: as > 0 -> break :: else fi
           od;
#ifndef BROKEN_NO_SYNCING
           syncing = 1;
#endif
           fdatasync_log();
           if :: !ok -> die() :: else fi;                       /* syncing stays set */
           write_S(ap, ac);
#endif
           atomic { syncing = 0; if :: SY == me -> SY = 0 :: else fi; ap = 0; as = 0; ac = 0; ok = 0 };
           goto again
        fi
     fi;
     atomic { id = 0; pos = 0; cut = 0; hold = 0 }
  :: atomic { next > NB -> break }
  od;
  done++
  } unless { atomic { kill[me] -> kill[me] = 0; id = 0; pos = 0; cut = 0; e = 0; c = 0; k = 0; q = 0; ap = 0; as = 0; ac = 0; ok = 0; hold = 0 } ; goto restart };
  end: kill[me] -> atomic { kill[me] = 0; done--; goto restart }
}

proctype follower(byte me) {
  byte e, c, k, q; bit ok;
restart:
  {
  do
  :: end: atomic { UNSETTLED && AP == 0 && SY == 0 -> AP = me };
     if :: atomic { SY == 0 -> SY = me }; if :: UNSETTLED -> settle() :: else fi; SY = 0
#ifdef BROKEN_LOCK_ORDER
        :: take(SY); if :: UNSETTLED -> settle() :: else fi; SY = 0
#else
        :: atomic { SY != 0 -> skip }                           /* busy: a later poll */
#endif
     fi;
     AP = 0
  od
  } unless { atomic { kill[me] -> kill[me] = 0; e = 0; c = 0; k = 0; q = 0; ok = 0 }; goto restart }
}

/* reads S slot by slot, without a lock */
inline read_S(s, p, b) {
  do
  :: d_step { s = cS[0].seq; p = cS[0].pos; b = cS[0].boot };
     d_step { if :: cS[1].seq > s -> s = cS[1].seq; p = cS[1].pos; b = cS[1].boot :: else fi };
     if
     :: s > 0 -> break
#ifdef BROKEN_TORN_IS_NONE
     :: else -> break
#else
     :: atomic { s == 0 && SY == 0 && cS[0].seq == 0 && cS[1].seq == 0 -> break }   /* torn for good: shared look under the lock */
     :: atomic { s == 0 && !(SY == 0 && cS[0].seq == 0 && cS[1].seq == 0) -> skip } /* being written: again */
#endif
     fi
  od
}

proctype reader(byte me) {
  byte k, n, polls, s, p, b, s2, p2, b2, old;
restart:
  {
  do
  :: polls < POLLS ->
     atomic { polls++; n = 0; s = 0; p = 0; b = 0; s2 = 0; p2 = 0; b2 = 0 };
#ifdef BROKEN_READER_AT_A
     d_step { n = A_POS; promise(n); k = 0 }
#else
     read_S(s, p, b);
     if
     :: s > 0 && b == boot -> d_step { promise(p); k = 0 }      /* same boot: S is exact */
     :: else ->                                                 /* another boot, or no S: the whole batches */
        d_step { n = 0; do :: WHOLE(n) -> n++ :: else -> break od; k = 0 };
#if !defined(BROKEN_NO_RECHECK) && !defined(BROKEN_TORN_IS_NONE)
        read_S(s2, p2, b2);
        if :: s2 == s && b2 == b -> d_step { promise(n); k = 0 } :: else fi
#else
        d_step { promise(n); k = 0 }
#endif
     fi
#endif
  :: atomic { polls == POLLS -> break }
  od
  } unless { atomic { kill[me] -> kill[me] = 0; polls = 0; k = 0; n = 0; s = 0; p = 0; b = 0; s2 = 0; p2 = 0; b2 = 0 }; goto restart };
  end: kill[me] -> atomic { kill[me] = 0; goto restart }
}

inline lose(x, y) { if :: !DIFF(x, y) :: DIFF(x, y) -> copy(x, y) :: DIFF(x, y) -> skip :: DIFF(x, y) -> tear(x) fi; copy(y, x) }

proctype nemesis() {
  byte k, n;
  do
  :: atomic { kills > 0 -> kills--; n = 1;
       do :: n < NW+NF -> n++ :: break od;                      /* any writer or follower */
       if :: !kill[n] -> free(n); kill[n] = 1 :: else fi; n = 0 }
#ifdef LIMIT_CONTROL_LOST                                       /* klog.end: write-back failed and its page was dropped */
  :: atomic { fails > 0 -> fails--; copy(cA[0], dA[0]); copy(cA[1], dA[1]); copy(cS[0], dS[0]); copy(cS[1], dS[1]); syncing = 0 }
#endif
  :: atomic { evicts > 0 -> evicts--; k = 0;
       do :: k < U -> if :: !dirty[k] -> cu[k] = du[k] :: else fi; k++ :: else -> break od; k = 0 }
  :: atomic { power > 0 -> power--; boot++; Q = 0; AP = 0; SY = 0;
       k = 1; do :: k <= NP -> kill[k] = 1; k++ :: else -> break od;
       k = 0;                                                   /* each dirty unit made it or not */
       do :: k < U -> if :: dirty[k] :: true -> cu[k] = du[k] fi; k++ :: else -> break od;
       n = dsize;                                               /* and the size any value on the way */
       do :: n < csize -> n++ :: n > csize -> n-- :: break od;
       csize = n; dsize = n; k = 0; n = 0;
       do :: k < U -> if :: k >= csize -> cu[k] = 0 :: else fi; du[k] = cu[k]; dirty[k] = 0; k++ :: else -> break od;
       k = 0;
       lose(cA[0], dA[0]); lose(cA[1], dA[1]); lose(cS[0], dS[0]); lose(cS[1], dS[1]);
       if :: syncing = 0 :: syncing = 1 fi }
  :: break
  od
}

proctype judge() {                                              /* I6: nothing can move any more */
  byte k;
  timeout ->
  d_step {
    assert(done == NW);                                         /* no writer stuck */
    assert(Q == 0 && AP == 0 && SY == 0);
    if :: NF > 0 -> assert(S_BOOT == boot && !syncing && csize == 2*S_POS && A_POS == S_POS)   /* settled */
       :: else fi;
    assert(NF == 0 || S_POS >= promised);
    k = 0; do :: k < promised -> assert(WHOLE(k) && ONDISK(k)); k++ :: else -> break od
  }
}

init {
  byte i;
  atomic {
    cS[0].seq = 1; cS[0].boot = 1; copy(dS[0], cS[0]);
    cA[0].seq = 1; copy(dA[0], cA[0]);
    i = 1;
    do :: i <= NW -> run writer(i); i++ :: else -> break od;
    do :: i <= NW+NF -> run follower(i); i++ :: else -> break od;
    do :: i <= NP -> run reader(i); i++ :: else -> break od;
    run nemesis(); run judge(); i = 0
  }
}
