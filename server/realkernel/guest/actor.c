// SPDX-License-Identifier: MIT
/*
 * The only program of the guest: one thread per virtual CPU, which does what its slot in memory says. The host writes
 * the slots through the debugger, so any program can be played without building this again. A process that is forked
 * takes over the CPU and the slot of one of the threads.
 *
 * A thread spins in user space while it has nothing to do: it answers interrupts, and is quiescent to RCU.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#define ACTORS 4
#define SLOTS 0x200000000UL
#define PAGE 4096UL
/* What scenarios map. */
#define TESTED_FROM 0x100000000UL
#define PINS 8

/* The order of the fields is known to the host: slot.ts. */
struct slot {
	volatile uint64_t seq;
	volatile uint64_t op;
	volatile uint64_t addr;
	volatile uint64_t value;
	volatile uint64_t more;
	volatile uint64_t device;
	volatile uint64_t done;
	volatile int64_t err;
	volatile uint64_t result;
	volatile uint64_t faults;
	/* Of a thread whose slot a forked process has taken over. */
	volatile uint64_t taken;
	uint64_t pad[5];
};

/* The numbers are known to the host: slot.ts. */
enum op {
	OP_NOTHING,
	OP_LOAD,
	OP_STORE,
	OP_MMAP,
	OP_MUNMAP,
	OP_MPROTECT,
	OP_MREMAP,
	OP_MADVISE,
	OP_DEVICE_OPEN,
	OP_DEVICE_READ,
	OP_DEVICE_WRITE,
	OP_DEVICE_MIGRATE,
	OP_DEVICE_MIGRATE_BACK,
	OP_DEVICE_EXCLUSIVE,
	OP_WHERE,
	OP_FORK,
	OP_PIN,
	OP_UNPIN,
	OP_PIN_READ,
	OP_PIN_WRITE,
	OP_SWAP,
	OP_EXIT,
};

/* The commands of the kernel's test driver for HMM. */
struct dmirror_cmd {
	uint64_t addr;
	uint64_t ptr;
	uint64_t npages;
	uint64_t cpages;
	uint64_t faults;
};
#define DMIRROR(nr) _IOWR('H', nr, struct dmirror_cmd)

static struct slot *slots = (struct slot *)SLOTS;
static int devices[ACTORS];
static __thread sigjmp_buf trapped;
static __thread volatile int trapping;

/* Known to the host by name: the end of an operation is a point like any other. */
__attribute__((noinline)) void op_done(struct slot *slot)
{
	__asm__ volatile("" : : "r"(slot) : "memory");
}

static void on_trap(int sig)
{
	if (trapping)
		siglongjmp(trapped, sig);
	_exit(100 + sig);
}

static int64_t ask_device(int fd, int nr, struct slot *slot, uint64_t *buffer)
{
	struct dmirror_cmd cmd = {
		.addr = slot->addr & ~(PAGE - 1),
		.ptr = (uint64_t)buffer,
		.npages = slot->more ? slot->more : 1,
	};
	int ret = ioctl(fd, DMIRROR(nr), &cmd);

	slot->faults = cmd.faults;
	return ret < 0 ? -errno : 0;
}

static int64_t where_is(uint64_t addr, uint64_t *entry)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = pread(fd, entry, 8, addr / PAGE * 8);
	close(fd);
	return got == 8 ? 0 : -EIO;
}

/*
 * After a fork every page of ours is shared with the other process. Each gets its own at once: else the next operation
 * would begin with faults that the scenario knows nothing of.
 */
static void own_memory(void)
{
	static char maps[16384];
	int fd = open("/proc/self/maps", O_RDONLY);
	ssize_t got = 0, more;

	if (fd < 0)
		return;
	while ((more = read(fd, maps + got, sizeof(maps) - 1 - got)) > 0)
		got += more;
	close(fd);
	maps[got] = 0;
	for (char *line = maps; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		unsigned long from, to;
		char right[5];

		if (sscanf(line, "%lx-%lx %4s", &from, &to, right) != 3 || strcmp(right, "rw-p"))
			continue;
		if (from >= TESTED_FROM && from < SLOTS)
			continue;
		/* Of threads that run meanwhile nothing must be lost. */
		for (; from < to; from += PAGE)
			__atomic_fetch_add((char *)from, 0, __ATOMIC_SEQ_CST);
	}
}

static void *act(void *arg);

/* The new process has the slot of `thread`; its own memory is not that of the parent any more. */
static int64_t fork_to(long thread)
{
	struct slot *slot = &slots[thread];
	pid_t pid;

	slot->taken = 1;
	pid = fork();
	if (pid < 0) {
		slot->taken = 0;
		return -errno;
	}
	if (pid == 0) {
		own_memory();
		act((void *)thread);
	}
	own_memory();
	/* It is told nothing before it listens. */
	while (slot->taken != 2)
		__builtin_ia32_pause();
	return 0;
}

/* A page that the kernel has pinned for good, and a file that the kernel copies from and to it. */
static struct pin {
	int ring;
	int file;
	struct io_uring_sqe *entries;
	unsigned int *tail, *mask, *array;
	unsigned int *done, *seen, *done_mask;
	struct io_uring_cqe *results;
	uint64_t address;
} pins[PINS];

static int64_t pin_page(struct pin *pin, uint64_t address)
{
	struct io_uring_params params = { 0 };
	struct iovec page = { (void *)address, PAGE };
	char *ring;

	pin->ring = syscall(SYS_io_uring_setup, 1, &params);
	pin->file = memfd_create("io", 0);
	if (pin->ring < 0 || pin->file < 0)
		return -errno;
	ring = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, pin->ring,
		    IORING_OFF_SQ_RING);
	pin->entries = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, pin->ring,
			    IORING_OFF_SQES);
	if (ring == MAP_FAILED || pin->entries == MAP_FAILED)
		return -errno;
	pin->tail = (unsigned int *)(ring + params.sq_off.tail);
	pin->mask = (unsigned int *)(ring + params.sq_off.ring_mask);
	pin->array = (unsigned int *)(ring + params.sq_off.array);
	pin->seen = (unsigned int *)(ring + params.cq_off.head);
	pin->done = (unsigned int *)(ring + params.cq_off.tail);
	pin->done_mask = (unsigned int *)(ring + params.cq_off.ring_mask);
	pin->results = (struct io_uring_cqe *)(ring + params.cq_off.cqes);
	pin->address = address & ~(PAGE - 1);
	page.iov_base = (void *)pin->address;
	return syscall(SYS_io_uring_register, pin->ring, IORING_REGISTER_BUFFERS, &page, 1) ? -errno : 0;
}

/* The kernel copies the first word of the page to the file, or from there. */
static int64_t copy_pinned(struct pin *pin, int code)
{
	unsigned int tail = *pin->tail;
	struct io_uring_sqe *entry = &pin->entries[tail & *pin->mask];
	int64_t result;

	memset(entry, 0, sizeof(*entry));
	entry->opcode = code;
	entry->fd = pin->file;
	entry->addr = pin->address;
	entry->len = sizeof(uint64_t);
	pin->array[tail & *pin->mask] = tail & *pin->mask;
	__atomic_store_n(pin->tail, tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, pin->ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return -errno;
	result = pin->results[*pin->seen & *pin->done_mask].res;
	__atomic_store_n(pin->seen, *pin->seen + 1, __ATOMIC_RELEASE);
	return result < 0 ? result : 0;
}

static int64_t failed(void *at)
{
	return at == MAP_FAILED ? -errno : 0;
}

/* A RAM disk to swap to, of so many pages: what mkswap writes, and swapon. */
static int64_t make_swap(uint64_t pages)
{
	static const char disk[] = "/dev/ram0";
	static char header[4096];
	uint32_t *info = (uint32_t *)(header + 1024);
	int fd = open(disk, O_RDWR);
	int64_t err = 0;

	if (fd < 0)
		return -errno;
	swapoff(disk);
	info[0] = 1;
	/* The number of the last one: the first page is the header. */
	info[1] = pages;
	memcpy(header + sizeof(header) - 10, "SWAPSPACE2", 10);
	if (pwrite(fd, header, sizeof(header), 0) != sizeof(header) || fsync(fd) || swapon(disk, 0))
		err = -errno;
	close(fd);
	return err;
}

static int64_t perform(struct slot *slot, uint64_t *buffer)
{
	volatile uint64_t *word = (volatile uint64_t *)slot->addr;
	int fd = devices[slot->device % ACTORS];
	char name[40];

	switch (slot->op) {
	case OP_NOTHING:
		return 0;
	case OP_LOAD:
		slot->result = *word;
		return 0;
	case OP_STORE:
		*word = slot->value;
		return 0;
	case OP_MMAP:
		return failed(mmap((void *)slot->addr, slot->more * PAGE, slot->value,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	case OP_MUNMAP:
		return munmap((void *)slot->addr, slot->more * PAGE) ? -errno : 0;
	case OP_MPROTECT:
		return mprotect((void *)slot->addr, slot->more * PAGE, slot->value) ? -errno : 0;
	case OP_MREMAP:
		return failed(mremap((void *)slot->addr, slot->more * PAGE, slot->more * PAGE,
				     MREMAP_MAYMOVE | MREMAP_FIXED, (void *)slot->value));
	case OP_MADVISE:
		return madvise((void *)slot->addr, slot->more * PAGE, slot->value) ? -errno : 0;
	case OP_DEVICE_OPEN:
		snprintf(name, sizeof(name), "/dev/hmm_dmirror%d", (int)slot->value);
		fd = open(name, O_RDWR);
		if (fd < 0)
			return -errno;
		devices[slot->device % ACTORS] = fd;
		return 0;
	case OP_DEVICE_READ: {
		int64_t err = ask_device(fd, 0, slot, buffer);

		slot->result = buffer[(slot->addr % PAGE) / 8];
		return err;
	}
	case OP_DEVICE_WRITE:
		memset(buffer, 0, PAGE);
		buffer[(slot->addr % PAGE) / 8] = slot->value;
		return ask_device(fd, 1, slot, buffer);
	case OP_DEVICE_MIGRATE:
		return ask_device(fd, 2, slot, buffer);
	case OP_DEVICE_MIGRATE_BACK:
		return ask_device(fd, 3, slot, buffer);
	case OP_DEVICE_EXCLUSIVE:
		return ask_device(fd, 5, slot, buffer);
	case OP_WHERE: {
		uint64_t entry = 0;
		int64_t err = where_is(slot->addr, &entry);

		slot->result = entry;
		return err;
	}
	/* Of a forked process. The host waits for it in the kernel. */
	case OP_EXIT:
		_exit(0);
	case OP_SWAP:
		return make_swap(slot->value);
	case OP_FORK:
		return fork_to(slot->value);
	case OP_PIN:
		return pin_page(&pins[slot->value % PINS], slot->addr);
	case OP_UNPIN:
		return close(pins[slot->value % PINS].ring) ? -errno : 0;
	case OP_PIN_READ: {
		struct pin *pin = &pins[slot->more % PINS];
		int64_t err = copy_pinned(pin, IORING_OP_WRITE_FIXED);
		uint64_t word = 0;

		if (!err && pread(pin->file, &word, sizeof(word), 0) != sizeof(word))
			err = -EIO;
		slot->result = word;
		return err;
	}
	case OP_PIN_WRITE: {
		struct pin *pin = &pins[slot->more % PINS];
		uint64_t word = slot->value;

		if (pwrite(pin->file, &word, sizeof(word), 0) != sizeof(word))
			return -EIO;
		return copy_pinned(pin, IORING_OP_READ_FIXED);
	}
	default:
		return -ENOSYS;
	}
}

static void *act(void *arg)
{
	long n = (long)arg;
	struct slot *slot = &slots[n];
	uint64_t *buffer = (uint64_t *)(SLOTS + (16 + n * 16) * PAGE);
	uint64_t last = slot->seq;
	int forked = slot->taken == 1;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(n, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	if (forked)
		slot->taken = 2;
	for (;;) {
		int sig;

		while (slot->seq == last) {
			/* Its CPU is that of the new process now. */
			if (!forked && slot->taken)
				for (;;)
					pause();
			__builtin_ia32_pause();
		}
		last = slot->seq;
		slot->faults = 0;
		sig = sigsetjmp(trapped, 1);
		if (sig) {
			/* No errno is above a thousand. */
			slot->err = -1000 - sig;
		} else {
			trapping = 1;
			slot->err = perform(slot, buffer);
		}
		trapping = 0;
		slot->done = last;
		op_done(slot);
	}
	return NULL;
}

/* "17 hmm_dmirror" in /proc/devices: nodes are made by hand, as no daemon does it. */
static void make_nodes(void)
{
	FILE *file = fopen("/proc/devices", "r");
	char line[128], path[40];
	int major;

	while (file && fgets(line, sizeof(line), file)) {
		if (!strstr(line, "HMM_DMIRROR") && !strstr(line, "hmm_dmirror"))
			continue;
		major = atoi(line);
		for (int minor = 0; minor < 4; minor++) {
			snprintf(path, sizeof(path), "/dev/hmm_dmirror%d", minor);
			mknod(path, S_IFCHR | 0600, makedev(major, minor));
		}
	}
	if (file)
		fclose(file);
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_trap, .sa_flags = SA_NODEFER };
	pthread_t threads[ACTORS];
	size_t size = (16 + ACTORS * 16) * PAGE;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	mkdir("/proc", 0755);
	mkdir("/dev", 0755);
	mount("proc", "/proc", "proc", 0, "");
	mount("dev", "/dev", "devtmpfs", 0, "");
	make_nodes();
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	mmap((void *)SLOTS, size, PROT_READ | PROT_WRITE,
	     MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1, 0);
	mlock((void *)SLOTS, size);
	for (long n = 1; n < cpus && n < ACTORS; n++)
		pthread_create(&threads[n], NULL, act, (void *)n);
	printf("READY %ld\n", cpus);
	fflush(stdout);
	act((void *)0);
	return 0;
}
