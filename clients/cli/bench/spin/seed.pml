/*
 * seed.pml - "seed" race of Linux HMM zero-page migration, for SPIN 6.
 *
 * One address space, one page V of a private anonymous VMA.  N devices mirror
 * it.  Devices 0..M-1 migrate V to their own memory; devices M..N-1 take a
 * read fault on V through hmm_range_fault() and then read through the mirror.
 *
 * Compile-time parameters (spin -D...):
 *   N        devices                        (default 2)
 *   M        migrating devices, 0 < M <= N  (default 1)
 *   FIXED    1: migrate_vma_pages() invalidates a second time
 *            0: "patched" kernel without that second invalidation
 *   INITPTE  PTE of V at start: 0 none, 1 special zero page (default 1)
 *   LTLINV   check the invariant by a never claim instead of by assertions
 *   NLOCK    give the notifier's spinlock its own acquire and release steps
 *
 * One Promela transition = one lock acquire, one lock release, one PTE read,
 * one PTE write, one mirror write, one write of a subscription's sequence
 * count, or one critical section of the notifier's own spinlock (begin,
 * inv_start, inv_end; see NLOCK).  Branches and clean-up of dead locals ride
 * along with the step they follow.  Processes block for ever at their end (no
 * exit steps).
 */
#ifndef N
#define N 2
#endif
#ifndef M
#define M 1
#endif
#ifndef FIXED
#define FIXED 1
#endif
#ifndef INITPTE
#define INITPTE 1
#endif

/* values of the PTE and of a mirror entry */
#define NONE	0		/* PTE none, mirror entry invalid */
#define ZERO	1		/* the special zero page */
#define DEV(k)	((k) + 2)	/* page in the memory of device k */

byte pte = INITPTE;
bit  ptl;			/* page table lock */
byte mmap_rd;			/* mmap_lock: readers (nobody writes) */
byte nactive;			/* active_invalidate_ranges */
byte nseq = 2;			/* subscriptions->invalidate_seq */
byte sub[N] = 1;		/* interval_sub->invalidate_seq */
bit  drv[N];			/* driver lock */
byte mirror[N];

#define OK(k)	(mirror[k] == NONE || mirror[k] == pte)
#if N == 1
#define OKALL	OK(0)
#elif N == 2
#define OKALL	(OK(0) && OK(1))
#elif N == 3
#define OKALL	(OK(0) && OK(1) && OK(2))
#elif N == 4
#define OKALL	(OK(0) && OK(1) && OK(2) && OK(3))
#elif N == 5
#define OKALL	(OK(0) && OK(1) && OK(2) && OK(3) && OK(4))
#elif N == 6
#define OKALL	(OK(0) && OK(1) && OK(2) && OK(3) && OK(4) && OK(5))
#endif
#define INV	(nactive != 0 || OKALL)

#ifdef LTLINV
ltl inv { [] INV }
#define CHECK	skip
#else
#define CHECK	assert(INV)
#endif

#define LOCK(l)		d_step { l == 0 -> l = 1 }
#define UNLOCK(l)	l = 0
#define MMAP_READ_LOCK	mmap_rd++
#define MMAP_READ_UNLOCK mmap_rd--

#ifdef NLOCK
bit nlock;
#define NL	LOCK(nlock);
#define NU	; UNLOCK(nlock)
#else
#define NL
#define NU
#endif

/* the driver's callback: sequence, then mirror entry, under its lock */
#define CB(k)	LOCK(drv[k]); sub[k] = nseq; mirror[k] = NONE; UNLOCK(drv[k])

#define INV_START						\
	NL d_step { nactive++; nseq = nseq | 1 } NU;		\
	CB(0) CB1 CB2 CB3 CB4 CB5
#define INV_END_IF(cond)					\
	d_step {						\
		cond -> nactive--;				\
		if						\
		:: nactive == 0 -> nseq++	/* even */	\
		:: else						\
		fi;						\
		CHECK						\
	} NU
#if N > 1
#define CB1	; CB(1)
#else
#define CB1
#endif
#if N > 2
#define CB2	; CB(2)
#else
#define CB2
#endif
#if N > 3
#define CB3	; CB(3)
#else
#define CB3
#endif
#if N > 4
#define CB4	; CB(4)
#else
#define CB4
#endif
#if N > 5
#define CB5	; CB(5)
#else
#define CB5
#endif

active [M] proctype migrator()
{
	bit can;	/* the page is (still) ours to migrate */

	MMAP_READ_LOCK;

	/* migrate_vma_setup(): the none or zero PTE stays in place */
	INV_START;
	LOCK(ptl);
	can = (pte <= ZERO);
	UNLOCK(ptl);
	NL
	if
	:: INV_END_IF(can)
	:: INV_END_IF(!can); goto fini	/* nothing was collected */
	fi;

	skip;				/* allocate and clear the device page */

	/* migrate_vma_pages() */
#if FIXED
	INV_START;
#endif
	LOCK(ptl);
	can = (pte <= ZERO);
#if FIXED
	if
	:: d_step { can -> pte = DEV(_pid); CHECK }; UNLOCK(ptl)
	:: d_step { !can -> UNLOCK(ptl) }
	fi;
	NL
	if
	:: INV_END_IF(can)
	:: INV_END_IF(!can); goto fini	/* somebody else was first */
	fi;
#else
	if
	:: d_step { can -> pte = DEV(_pid); CHECK }; UNLOCK(ptl)
	:: d_step { !can -> UNLOCK(ptl) }; goto fini
	fi;
#endif

	/* the driver maps its own page */
	LOCK(drv[_pid]);
	d_step { mirror[_pid] = DEV(_pid); can = 0; CHECK };
	UNLOCK(drv[_pid]);

fini:	skip;				/* migrate_vma_finalize() */
	MMAP_READ_UNLOCK;
end:	false
}

#if N > M
active [N - M] proctype reader()
{
	byte seq;	/* from mmu_interval_read_begin() */
	byte val;	/* what hmm_range_fault() found */

again:	/* mmu_interval_read_begin() */
#ifdef NLOCK
	atomic { nlock == 0 -> nlock = 1 };	/* LOCK(nlock), jumped to */
	d_step { seq = sub[_pid]; val = (seq == nseq) };
	UNLOCK(nlock);
	d_step { val == 0 || nseq != seq -> val = 0 };
#else
	if
	:: d_step { sub[_pid] != nseq -> seq = sub[_pid] }
	:: d_step { sub[_pid] == nseq -> seq = sub[_pid] };
		nseq != seq			/* wait_event() */
	fi;
#endif
	MMAP_READ_LOCK;

walk:	/* hmm_range_fault() */
	atomic { ptl == 0 -> ptl = 1 };	/* LOCK(ptl); no jump may enter a d_step */
	val = pte;
	UNLOCK(ptl);
	if
	:: d_step { val == ZERO -> MMAP_READ_UNLOCK }
	:: d_step { val == NONE && ptl == 0 -> ptl = 1 }; /* handle_mm_fault() */
		d_step {
			if
			:: pte == NONE -> pte = ZERO
			:: else
			fi;
			CHECK
		};
		UNLOCK(ptl);
		goto walk
	:: d_step { val > ZERO -> MMAP_READ_UNLOCK; seq = 0; val = 0 };
		goto stop	/* device private: needs a fault, stop here */
	fi;

	LOCK(drv[_pid]);
	if	/* mmu_interval_read_retry() */
	:: d_step { sub[_pid] != seq -> seq = 0; val = 0 };
		UNLOCK(drv[_pid]);
		goto again
	:: d_step { sub[_pid] == seq -> seq = 0 }
	fi;
	d_step { mirror[_pid] = val; val = 0; CHECK };
	UNLOCK(drv[_pid]);

	/* the device reads through its mirror entry */
	CHECK;
stop:
end:	false
}
#endif
