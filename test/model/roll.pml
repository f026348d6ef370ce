/* klog, the roll to a second segment (ARCHITECTURE.md, "Roll"). Batches are one unit here (value 9 = torn): what tearing,
 * slots and evicted pages do is core.pml's concern. Segment 1 begins at offset `base` and exists as a name in the
 * cached directory (nameC) and on the disk (nameD); the two are made equal only by a sync of the directory.
 */
#ifndef NW
#define NW 2
#endif
#ifndef NB
#define NB 3
#endif
#ifndef NF
#define NF 1
#endif
#ifndef NR
#define NR 0
#endif
#ifndef KILLS
#define KILLS 0
#endif
#ifndef POWER
#define POWER 0
#endif
#ifndef FAILS
#define FAILS 0
#endif
#define NP (NW+NF+NR)
#define TORN 9
#define NONE 15

typedef Rec { bit valid; byte pos; bit seg; bit odd; byte boot };

byte c[NB], d[NB];  bit dirty[NB];      /* by offset: cached, on disk */
byte end0, end1, base = NONE;           /* where the bytes of each segment end, a torn batch counted */
bit  nameC, nameD;
byte Apos; bit Aseg;                    /* A and S: one record each, changed at one blow */
Rec  S, D;                              /* S as cached, and on the disk */
bit  syncing;
byte boot = 1, Q, AP, SY, next = 1, done, promised;
bit  kill[NP+1];
byte kills = KILLS, power = POWER, fails = FAILS;

#define SEGEND  (Aseg -> end1 : end0)
#ifdef BROKEN_ODD_FORGOTTEN             /* the first text: size and boot only */
#define STALE (SEGEND != Apos || S.boot != boot)
#else
#define STALE (SEGEND != Apos || S.boot != boot || S.odd)
#endif
#define UNSETTLED (STALE || !S.valid || S.pos != Apos || S.seg != Aseg || syncing)
#define IN(k, s)  ((k) < NB && (s -> (k) >= base && (k) < end1 : (k) < end0))
#define WHOLE(k, s) (IN(k, s) && c[k] != 0 && c[k] != TORN)

inline free(p) { if :: Q == p -> Q = 0 :: else fi; if :: AP == p -> AP = 0 :: else fi; if :: SY == p -> SY = 0 :: else fi }
inline die()   { atomic { free(me); kill[me] = 1 } }
inline take(L) { atomic { L == 0 -> L = me } }

inline promise(n) {
  k = 0;
  do :: k < n -> assert(c[k] != 0 && c[k] != TORN && d[k] == c[k]);
                 assert(k < base || (nameC && nameD)); assert(k >= base || k < end0); k++
     :: else -> break
  od;
  if :: n > promised -> promised = n :: else fi
}

inline publish(to, segment, layout) {
  atomic { if :: power > 0 -> D.valid = S.valid; D.pos = S.pos; D.seg = S.seg; D.odd = S.odd; D.boot = S.boot   /* write-back */
              :: true fi };
  d_step { assert(to >= promised); S.valid = 1; S.pos = to; S.seg = segment; S.odd = layout; S.boot = boot; promise(to); k = 0 }
}

inline fdatasync_seg(s) {
  atomic {
    k = 0;
    if
    :: ok = 1;    do :: k < NB -> if :: IN(k, s) && dirty[k] -> d[k] = c[k]; dirty[k] = 0 :: else fi; k++ :: else -> break od
    :: fails > 0 -> fails--; ok = 0;
       do :: k < NB -> if :: IN(k, s) && dirty[k] -> dirty[k] = 0; if :: d[k] = c[k] :: true fi :: else fi; k++ :: else -> break od
    fi; k = 0 }
}
inline fsync_dir() { atomic { if :: nameD = nameC; ok = 1 :: fails > 0 -> fails--; ok = 0; if :: nameD = nameC :: true fi fi } }

inline settle() {                       /* append and sync locks held */
  syncing = 1;
  e = (S.valid -> S.pos : (nameC -> base : 0));         /* no S: the last segment; all before it were synced by the roll */
  do
  :: atomic { WHOLE(e, 0) -> dirty[e] = (d[e] != c[e]); e++ }
  :: atomic { !WHOLE(e, 0) -> break }
  od;
  atomic { if :: end0 > e -> if :: nameC && base <= e -> skip
                                :: else -> assert(e >= promised); k = e;
                                   do :: k < end0 -> c[k] = 0; dirty[k] = (d[k] != 0); k++ :: else -> break od; end0 = e; k = 0 fi
              :: else fi };
  if :: nameC && base != e && e < base ->               /* a segment behind a gap: its name survived, the bytes before it not */
        d_step { assert(base >= promised); k = base;
                 do :: k < NB -> c[k] = 0; dirty[k] = 0; d[k] = 0; k++ :: else -> break od; nameC = 0; base = NONE; end1 = 0; k = 0 }
     :: else fi;
#ifndef BROKEN_SETTLE_ONE_SEGMENT
  do
  :: atomic { nameC && WHOLE(e, 1) -> dirty[e] = (d[e] != c[e]); e++ }
  :: atomic { !(nameC && WHOLE(e, 1)) -> break }
  od;
  atomic { if :: nameC && end1 > e -> assert(e >= promised); k = e;
                 do :: k < end1 -> c[k] = 0; dirty[k] = (d[k] != 0); k++ :: else -> break od; end1 = e; k = 0
              :: else fi };
#endif
  fdatasync_seg(0); if :: !ok -> die() :: else fi;
  fdatasync_seg(1); if :: !ok -> die() :: else fi;
  fsync_dir();      if :: !ok -> die() :: else fi;
  d_step { Apos = e; Aseg = nameC };
  publish(e, nameC, 0);
  atomic { syncing = 0; e = 0; ok = 0 }
}

inline create() { d_step { nameC = 1; base = Apos; end1 = Apos } }

inline roll() {                         /* append lock held, log settled */
#ifdef BROKEN_ROLL_CREATE_FIRST
  create();
#endif
#ifdef BROKEN_ROLL_NO_SYNC
  skip;
#elif defined(BROKEN_ROLL_NO_FLAG)      /* the first text: the old segment is synced under the append lock only */
  fdatasync_seg(0); if :: !ok -> die() :: else fi;
  take(SY); publish(Apos, 0, 1); 
#else
  take(SY);
  if :: syncing -> settle() :: else fi;
  syncing = 1;
  fdatasync_seg(0); if :: !ok -> die() :: else fi;
  publish(Apos, 0, 1);
#endif
#ifndef BROKEN_ROLL_CREATE_FIRST
  create();
#endif
#ifndef BROKEN_NO_DIR_FSYNC
  fsync_dir(); if :: !ok -> die() :: else fi;
#endif
  Aseg = 1;
#ifndef BROKEN_ROLL_NO_SYNC
  publish(Apos, 1, 0);
#endif
  atomic { syncing = 0; ok = 0; if :: SY == me -> SY = 0 :: else fi }
}

proctype writer(byte me) {
  byte id, pos, e, k, ap; bit ok, seg, as, odd;
restart:
  {
  do
  :: atomic { next <= NB -> id = next; next++ };
     take(Q); take(AP); Q = 0;
     if :: STALE -> take(SY); settle(); SY = 0 :: else fi;
     if :: !nameC && Apos > 0 -> roll() :: skip fi;
     d_step { pos = Apos; seg = Aseg; assert(nameC == seg); assert(SEGEND == pos); assert(!seg || end0 == base);   /* I4 */
              k = 0; do :: k < pos -> assert(c[k] != 0 && c[k] != TORN); k++ :: else -> break od; k = 0 };
     d_step { c[pos] = TORN; dirty[pos] = 1; if :: seg -> end1 = pos+1 :: else -> end0 = pos+1 fi };
     d_step { c[pos] = id; dirty[pos] = 1 };
     Apos = pos+1;
     AP = 0;
again:
     do
     :: atomic { S.valid && S.pos > pos && S.boot == boot -> goto covered }
     :: atomic { SY == 0 -> SY = me; break }
     od;
     if
     :: S.valid && S.pos > pos && S.boot == boot ->
covered: atomic { assert(promised > pos && c[pos] == id && d[pos] == id); free(me) }
     :: else ->
        if
        :: syncing -> SY = 0; take(Q); take(AP); Q = 0; take(SY);
           if :: UNSETTLED -> settle() :: else fi; atomic { SY = 0; AP = 0 }; goto again
        :: else ->
           atomic { ap = Apos; as = Aseg };
           syncing = 1;
#ifdef BROKEN_STALE_FD
           fdatasync_seg(0);                             /* the descriptor of its first open */
#else
           fdatasync_seg(as);
#endif
           if :: !ok -> die() :: else fi;
           odd = S.odd; publish(ap, as, odd);
           atomic { syncing = 0; SY = 0; ap = 0; as = 0; ok = 0 };
           goto again
        fi
     fi;
     atomic { id = 0; pos = 0; seg = 0 }
  :: atomic { next > NB -> break }
  od;
  done++
  } unless { atomic { kill[me] -> kill[me] = 0; id = 0; pos = 0; e = 0; k = 0; ap = 0; ok = 0; seg = 0; as = 0 }; goto restart };
  end: kill[me] -> atomic { kill[me] = 0; done--; goto restart }
}

proctype follower(byte me) {
  byte e, k; bit ok;
restart:
  {
  do
  :: end: atomic { UNSETTLED && AP == 0 && SY == 0 -> AP = me };
     if :: atomic { SY == 0 -> SY = me }; if :: UNSETTLED -> settle() :: else fi; SY = 0
        :: atomic { SY != 0 -> skip }
     fi;
     AP = 0
  od
  } unless { atomic { kill[me] -> kill[me] = 0; e = 0; k = 0; ok = 0 }; goto restart }
}

proctype reader(byte me) {              /* a poll; waits while the layout is odd */
  byte k, n; Rec r;
restart:
  {
  atomic { r.valid = S.valid; r.pos = S.pos; r.seg = S.seg; r.odd = S.odd; r.boot = S.boot };
  if
  :: r.valid && r.boot == boot && r.odd -> (!S.odd || S.boot != boot); goto restart
  :: r.valid && r.boot == boot && !r.odd -> d_step { promise(r.pos); k = 0 }
  :: else ->
     d_step { n = 0; do :: WHOLE(n, 0) -> n++ :: else -> break od;
              if :: nameC && n == base -> do :: WHOLE(n, 1) -> n++ :: else -> break od :: else fi; k = 0 };
     if :: d_step { r.valid == S.valid && r.pos == S.pos && r.odd == S.odd && r.boot == S.boot -> promise(n); k = 0 }
        :: else fi
  fi
  } unless { atomic { kill[me] -> kill[me] = 0; k = 0; n = 0; r.valid = 0; r.pos = 0; r.seg = 0; r.odd = 0; r.boot = 0 }; goto restart };
  done++;
  end: kill[me] -> atomic { kill[me] = 0; done--; goto restart }
}

proctype nemesis() {
  byte k, n;
  do
  :: atomic { kills > 0 -> kills--; n = 1; do :: n < NW+NF -> n++ :: break od;
       if :: !kill[n] -> free(n); kill[n] = 1 :: else fi; n = 0 }
  :: atomic { power > 0 -> power--; boot++; Q = 0; AP = 0; SY = 0;
       k = 1; do :: k <= NP -> kill[k] = 1; k++ :: else -> break od; k = 0;
       if :: nameC != nameD -> if :: nameC = nameD :: true fi :: else fi;
       nameD = nameC;
       do :: k < NB ->
             if :: dirty[k] :: true -> c[k] = d[k] :: dirty[k] && c[k] != 0 -> c[k] = TORN fi;
             if :: k >= base && !nameC -> c[k] = 0 :: else fi;
             d[k] = c[k]; dirty[k] = 0; k++
          :: else -> break
       od;
       if :: !nameC -> base = NONE; end1 = 0 :: else -> end1 = base fi;
       end0 = 0; k = 0;
       do :: k < NB -> if :: c[k] != 0 -> if :: k < base -> end0 = k+1 :: else -> end1 = k+1 fi :: else fi; k++ :: else -> break od;
       k = 0;
       if :: true                                                       /* S: new, old, or torn */
          :: S.valid = D.valid; S.pos = D.pos; S.seg = D.seg; S.odd = D.odd; S.boot = D.boot
          :: S.valid = 0; S.pos = 0; S.seg = 0; S.odd = 0; S.boot = 0 fi;
       D.valid = S.valid; D.pos = S.pos; D.seg = S.seg; D.odd = S.odd; D.boot = S.boot;
       if :: true :: Apos = 0; Aseg = 0 fi; if :: syncing = 0 :: syncing = 1 fi }
  :: break
  od
}

proctype judge() {
  byte k;
  timeout ->
  d_step { assert(done == NW+NR); assert(Q == 0 && AP == 0 && SY == 0); assert(NF == 0 || !UNSETTLED); assert(NF == 0 || S.pos >= promised);
           k = 0; do :: k < promised -> assert(c[k] != 0 && c[k] != TORN && c[k] == d[k]); k++ :: else -> break od }
}

init {
  byte i;
  atomic { S.valid = 1; S.boot = 1; D.valid = 1; D.boot = 1; i = 1;
    do :: i <= NW -> run writer(i); i++ :: else -> break od;
    do :: i <= NW+NF -> run follower(i); i++ :: else -> break od;
    do :: i <= NP -> run reader(i); i++ :: else -> break od;
    run nemesis(); run judge(); i = 0 }
}
