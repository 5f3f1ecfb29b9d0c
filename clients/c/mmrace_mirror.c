/*
 * A device for mmrace in C: mirrors an address space, and has no private memory.
 *
 *     cc -O2 -Wall -o mmrace_mirror mmrace_mirror.c -lwebsockets -lcjson
 *     ./mmrace_mirror --url ws://127.0.0.1:7070/ws --lab demo --name c0
 *
 * Written from docs/PROTOCOL.md alone. Needs libwebsockets 4 and cJSON (Debian: libwebsockets-dev libcjson-dev).
 *
 * It answers what the kernel asks, does the verbs read, write, fault-read, fault-write and page-table when a conductor
 * asks for them, and comes back after a lost connection or a fence with no frame lost or doubled.
 *
 * One thread does everything. While a verb waits for an answer of the server, pump() goes on taking frames, so questions
 * are answered meanwhile; verbs wait for each other. The driver's lock is a flag: it is held while a DMA is under way, and
 * an invalidate that comes then is answered when it is let go.
 */
#define _GNU_SOURCE
#include <cjson/cJSON.h>
#include <errno.h>
#include <libwebsockets.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SUBPROTOCOL "mmrace.v1"
#define PAGE_BYTES 4096
#define PAGES_MAX 34359738368.0 /* 2^35 */
#define RANGE_MAX 512
#define FLAGS 64
#define HMM_VALID 1
#define HMM_WRITE 2
#define ACK_FRAMES 64
#define ACK_BYTES (32 * 1024)
#define RETRIES_MAX 1000
#define HOLDS_MAX 64
#define RETRY_FIRST_MS 50
#define RETRY_LAST_MS 2000
#define COME_BACK 4900
#define OTHERS_MAX 8
#define MOVES_MAX 8
#define EXIT_USAGE 64
#define EXIT_UNAVAILABLE 69

/* What a call came to beside an errno of the kernel: the machine that was asked is gone. */
static const char GONE[] = "gone";
static const char OK[] = "OK";

static void complain(const char *text, const char *more) {
	fprintf(stderr, "mmrace_mirror: %s%s\n", text, more);
}

static void *allocate(size_t bytes) {
	void *memory = calloc(1, bytes ? bytes : 1);
	if (!memory) {
		complain("out of memory", "");
		exit(71);
	}
	return memory;
}

/* Frames. */

struct frame {
	struct frame *next;
	uint64_t seq;
	bool binary;
	size_t length;
	unsigned char bytes[]; /* of one to be sent: behind LWS_PRE */
};

struct queue {
	struct frame *first, **end;
};

static void clear(struct queue *queue) {
	while (queue->first) {
		struct frame *gone = queue->first;
		queue->first = gone->next;
		free(gone);
	}
	queue->end = &queue->first;
}

static void put(struct queue *queue, struct frame *frame) {
	if (!queue->first)
		queue->end = &queue->first;
	*queue->end = frame;
	queue->end = &frame->next;
}

static struct frame *take(struct queue *queue) {
	struct frame *frame = queue->first;
	if (frame) {
		queue->first = frame->next;
		frame->next = NULL;
	}
	return frame;
}

/* Text, or binary with one page behind it: the first 8 bytes of one, the rest of which is zeros. */
static struct frame *encode(cJSON *object, const uint64_t *words, size_t pages) {
	char *text = cJSON_PrintUnformatted(object);
	size_t length = strlen(text), at = LWS_PRE;
	struct frame *frame = allocate(sizeof *frame + LWS_PRE + 4 + length + pages * 10);
	frame->binary = pages > 0;
	if (pages > 0)
		for (int byte = 0; byte < 4; byte++)
			frame->bytes[at++] = length >> 8 * byte & 0xff;
	memcpy(frame->bytes + at, text, length);
	at += length;
	for (size_t page = 0; page < pages; page++) {
		uint64_t word = words[page];
		unsigned count = 0;
		for (uint64_t rest = word; rest; rest >>= 8)
			count++;
		frame->bytes[at++] = count;
		frame->bytes[at++] = 0;
		for (unsigned byte = 0; byte < count; byte++)
			frame->bytes[at++] = word >> 8 * byte & 0xff;
	}
	frame->length = at - LWS_PRE;
	cJSON_free(text);
	cJSON_Delete(object);
	return frame;
}

/* The object of a frame, or NULL; `pages` is set to where its pages begin. */
static cJSON *decode(const struct frame *frame, size_t *pages) {
	*pages = frame->length;
	if (!frame->binary)
		return cJSON_ParseWithLength((const char *)frame->bytes, frame->length);
	if (frame->length < 4)
		return NULL;
	size_t length = 0;
	for (int byte = 3; byte >= 0; byte--)
		length = length << 8 | frame->bytes[byte];
	if (length > frame->length - 4)
		return NULL;
	*pages = 4 + length;
	return cJSON_ParseWithLength((const char *)frame->bytes + 4, length);
}

/* The u64 at the start of the page at `*at`, which is moved behind that page. */
static uint64_t page_word(const struct frame *frame, size_t *at) {
	if (*at + 2 > frame->length)
		return 0;
	size_t length = frame->bytes[*at] | frame->bytes[*at + 1] << 8;
	uint64_t word = 0;
	*at += 2;
	for (size_t byte = 0; byte < length && byte < 8 && *at + byte < frame->length; byte++)
		word |= (uint64_t)frame->bytes[*at + byte] << 8 * byte;
	*at += length;
	return word;
}

/* JSON. */

static double number(const cJSON *object, const char *name) {
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
	return cJSON_IsNumber(member) ? member->valuedouble : -1;
}

static const char *string(const cJSON *object, const char *name) {
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
	return cJSON_IsString(member) ? member->valuestring : "";
}

static cJSON *range_of(double first, double end) {
	cJSON *range = cJSON_CreateObject();
	cJSON_AddNumberToObject(range, "first", first);
	cJSON_AddNumberToObject(range, "end", end);
	return range;
}

/* The session: numbers, resume, servers that keep the same labs. */

struct address {
	char host[256], path[256];
	int port;
};

static bool parse_address(const char *url, struct address *address) {
	snprintf(address->path, sizeof address->path, "/");
	return sscanf(url, "ws://%255[^:/]:%d%255s", address->host, &address->port, address->path) >= 2;
}

static struct {
	struct lws_context *context;
	struct lws *socket;
	struct address at, given, others[OTHERS_MAX]; /* the server that is tried; those to try beside it */
	unsigned others_known, next_other, moves;
	char lab[65], name[65], token[129];
	double epoch; /* 0: there is no session yet */
	enum { AWAY, CONNECTING, GREETING, IN } state;
	uint64_t sent, received;
	struct queue kept;	 /* what the server may not have */
	struct frame *unsent;	 /* the first of them that this connection has not carried */
	struct frame *hello;
	struct queue inbox;
	struct frame *coming;	 /* a message of which more is to come */
	unsigned ack_frames, ack_bytes;
	int wanted_code;	 /* to close with, or 0 */
	int close_code;
	unsigned retry_ms;
	time_t give_up;		 /* of the first connection */
	bool was_in, ends, for_good;
	unsigned fences_told, fences_answered;
	int exit_code;		 /* -1 while it runs */
} session = {.retry_ms = RETRY_FIRST_MS, .exit_code = -1};

static volatile sig_atomic_t stopping;

/* A request and what is known of its answer. There is one at a time. */
static struct {
	double id;
	bool open;
	cJSON *frame; /* the answer */
	struct frame *raw;
	size_t pages;
} asked;

static uint64_t send_frame(cJSON *body, const uint64_t *words, size_t pages) {
	cJSON_AddStringToObject(body, "jsonrpc", "2.0");
	cJSON_AddNumberToObject(body, "seq", ++session.sent);
	struct frame *frame = encode(body, words, pages);
	frame->seq = session.sent;
	put(&session.kept, frame);
	if (!session.unsent)
		session.unsent = frame;
	if (session.state == IN)
		lws_callback_on_writable(session.socket);
	return session.sent;
}

static void notify(const char *method, cJSON *params) {
	cJSON *body = cJSON_CreateObject();
	cJSON_AddStringToObject(body, "method", method);
	cJSON_AddItemToObject(body, "params", params);
	send_frame(body, NULL, 0);
}

/* Takes over `id` and `result`. */
static void answer(cJSON *id, cJSON *result) {
	cJSON *body = cJSON_CreateObject();
	cJSON_AddItemToObject(body, "id", id);
	cJSON_AddItemToObject(body, "result", result);
	send_frame(body, NULL, 0);
}

static void answer_error(cJSON *id, const char *name, const char *message) {
	cJSON *body = cJSON_CreateObject(), *error, *data;
	cJSON_AddItemToObject(body, "id", id);
	error = cJSON_AddObjectToObject(body, "error");
	cJSON_AddNumberToObject(error, "code", -32000);
	cJSON_AddStringToObject(error, "message", message);
	data = cJSON_AddObjectToObject(error, "data");
	cJSON_AddStringToObject(data, "errno", name);
	send_frame(body, NULL, 0);
}

/* Everything up to `seq` has arrived. */
static void forget(uint64_t seq) {
	while (session.kept.first && session.kept.first->seq <= seq) {
		if (session.unsent == session.kept.first)
			session.unsent = session.unsent->next;
		free(take(&session.kept));
	}
}

static void close_with(int code) {
	session.wanted_code = code;
	if (session.socket)
		lws_callback_on_writable(session.socket);
}

static void end_session(int exit_code) {
	if (session.exit_code < 0)
		session.exit_code = exit_code;
}

/* The device: the page table, the driver's lock, the subscription. */

struct entry {
	double page, frame;
	bool writable;
};

static struct {
	unsigned machine; /* counts the machines, and the sessions */
	bool to_open;
	double subscription, seq; /* subscription -1: none */
	double early, early_seq;  /* an invalidate that overtook the answer to the insert */
	struct entry *entries;	  /* by page */
	size_t count, room;
	bool locked;
	struct question {
		struct question *next;
		cJSON *id, *params;
	} *invalidates, *performs; /* that wait: for the lock, for the verb before */
	char *holds[HOLDS_MAX];
	int hold_count;
	bool held;
} device = {.subscription = -1, .early = -1, .to_open = true};

static void queue_question(struct question **list, cJSON *id, const cJSON *params) {
	while (*list)
		list = &(*list)->next;
	*list = allocate(sizeof **list);
	(*list)->id = id;
	(*list)->params = cJSON_Duplicate(params, true);
}

static struct question next_question(struct question **list) {
	struct question taken = **list;
	free(*list);
	*list = taken.next;
	return taken;
}

static void drop_questions(struct question **list) {
	while (*list) {
		struct question gone = next_question(list);
		cJSON_Delete(gone.id);
		cJSON_Delete(gone.params);
	}
}

static void forget_holds(void) {
	while (device.hold_count > 0)
		free(device.holds[--device.hold_count]);
	device.held = false;
}

/* Nothing of the machine before reaches the next one. */
static void begin_machine(void) {
	device.machine++;
	device.to_open = true;
	device.subscription = device.early = -1;
	device.count = 0;
	device.locked = false;
	drop_questions(&device.invalidates);
	drop_questions(&device.performs);
	forget_holds();
	session.fences_told = session.fences_answered = 0;
}

/* The index of the first entry that is not before `page`. */
static size_t place_of(double page) {
	size_t low = 0, high = device.count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (device.entries[middle].page < page)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct entry *entry_of(double page) {
	size_t at = place_of(page);
	return at < device.count && device.entries[at].page == page ? &device.entries[at] : NULL;
}

static void add_change(cJSON *changes, const struct entry *entry, bool mapped) {
	cJSON *change = cJSON_CreateObject(), *now;
	cJSON_AddNumberToObject(change, "page", entry->page);
	now = cJSON_AddObjectToObject(change, "entry");
	cJSON_AddStringToObject(now, "state", mapped ? "mapped" : "none");
	if (mapped) {
		cJSON_AddNumberToObject(now, "pfn", entry->frame);
		cJSON_AddStringToObject(now, "access", entry->writable ? "write" : "read");
	}
	cJSON_AddItemToArray(changes, change);
}

static void tell_mirror(cJSON *changes) {
	if (cJSON_GetArraySize(changes) == 0) {
		cJSON_Delete(changes);
		return;
	}
	cJSON *params = cJSON_CreateObject();
	cJSON_AddItemToObject(params, "changes", changes);
	notify("mirror_changed", params);
}

/* Under the driver's lock. */
static void enter(struct entry entry, cJSON *changes) {
	size_t at = place_of(entry.page);
	if (at == device.count || device.entries[at].page != entry.page) {
		if (device.count == device.room) {
			device.room = device.room ? device.room * 2 : 64;
			device.entries = realloc(device.entries, device.room * sizeof entry);
			if (!device.entries)
				exit(71);
		}
		memmove(device.entries + at + 1, device.entries + at, (device.count++ - at) * sizeof entry);
	}
	device.entries[at] = entry;
	add_change(changes, &entry, true);
}

/* Under the driver's lock. */
static void drop(double first, double end) {
	for (size_t from = place_of(first), to; from < place_of(end); ) {
		cJSON *changes = cJSON_CreateArray();
		to = place_of(end) - from > RANGE_MAX ? from + RANGE_MAX : place_of(end);
		for (size_t at = from; at < to; at++)
			add_change(changes, &device.entries[at], false);
		memmove(device.entries + from, device.entries + to, (device.count - to) * sizeof *device.entries);
		device.count -= to - from;
		tell_mirror(changes);
	}
}

static void invalidate(cJSON *id, const cJSON *params) {
	const cJSON *range = cJSON_GetObjectItemCaseSensitive(params, "range");
	double seq = number(params, "seq"), subscription = number(params, "subscription");
	cJSON *result = cJSON_CreateObject();
	/* It may come before the answer to the insert: then nothing is mapped yet, and its sequence is kept. */
	if (subscription == device.subscription) {
		device.seq = seq;
	} else {
		device.early = subscription;
		device.early_seq = seq;
	}
	drop(number(range, "first"), number(range, "end"));
	cJSON_AddStringToObject(result, "result", "done");
	cJSON_AddNumberToObject(result, "invalidate_seq", seq);
	answer(id, result);
}

static void unlock(void) {
	device.locked = false;
	while (device.invalidates) {
		struct question waited = next_question(&device.invalidates);
		invalidate(waited.id, waited.params);
		cJSON_Delete(waited.params);
	}
}

/* What the server asks and tells, in the order in which it comes. */

static void on_question(const char *method, const cJSON *given, const cJSON *params) {
	cJSON *id = cJSON_Duplicate(given, true);
	if (strcmp(method, "invalidate") == 0) {
		if (!device.locked) {
			invalidate(id, params);
		} else if (strcmp(string(params, "blocking"), "non-blockable") == 0) {
			cJSON *again = cJSON_CreateObject();
			cJSON_AddStringToObject(again, "result", "again");
			cJSON_AddNumberToObject(again, "invalidate_seq", device.seq);
			answer(id, again);
		} else {
			queue_question(&device.invalidates, id, params);
		}
	} else if (strcmp(method, "perform") == 0) {
		queue_question(&device.performs, id, params);
	} else if (strcmp(method, "release") == 0) {
		drop(0, PAGES_MAX);
		answer(id, cJSON_CreateObject());
	} else if (strcmp(method, "hold") == 0) {
		if (device.hold_count == HOLDS_MAX) {
			answer_error(id, "EAGAIN", "too many holds are armed; send go first");
			return;
		}
		device.holds[device.hold_count++] = strdup(string(params, "after"));
		answer(id, cJSON_CreateObject());
	} else if (strcmp(method, "go") == 0) {
		answer(id, cJSON_CreateObject());
		forget_holds();
	} else if (strcmp(method, "reset") == 0) {
		begin_machine();
		answer(id, cJSON_CreateObject());
	} else {
		/* migrate_to_ram is never asked of a device without private memory. */
		answer_error(id, "EINVAL", "not a question that this device can answer");
	}
}

static void on_notification(const char *method, const cJSON *params) {
	if (strcmp(method, "going") == 0) {
		session.ends = !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(params, "resumable"));
		session.for_good = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(params, "forGood"));
	} else if (strcmp(method, "fenced") == 0) {
		complain("fenced: ", string(params, "why"));
		/* One that a resume has told already is old news. */
		if (++session.fences_told > session.fences_answered)
			close_with(COME_BACK);
	}
}

static bool is_one_of(const char *word, const char *const *words) {
	for (; *words; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return false;
}

/* Refusals of a hello that pass by themselves; those behind NULL only for a client that was in before. */
static const char *const PASSING[] = {
	"going", "restoring", "stalled", "under-pressure", NULL, "lab-full", "too-many-labs", "insufficient-storage", NULL,
};
static const char *const SESSION_GONE[] = {"bad-resume", "resume-too-old", NULL};

static void forget_session(void) {
	session.epoch = 0;
	session.sent = session.received = 0;
	session.ends = session.for_good = false;
	session.ack_frames = session.ack_bytes = 0;
	clear(&session.kept);
	session.unsent = NULL;
	begin_machine();
}

static void hello_refused(const cJSON *error) {
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(error, "data");
	const char *code = string(data, "code");
	if (strcmp(code, "moved") == 0 && session.moves < MOVES_MAX && parse_address(string(data, "address"), &session.at)) {
		session.moves++;
		session.retry_ms = 0;
	} else if (session.epoch > 0 && is_one_of(code, SESSION_GONE)) {
		complain("the server does not know this session any more: a new one begins", "");
		forget_session();
	} else if (!is_one_of(code, PASSING) && !(session.was_in && is_one_of(code, PASSING + 5))) {
		fprintf(stderr, "mmrace_mirror: hello: %s: %s\n", string(data, "errno"), string(error, "message"));
		end_session(EXIT_UNAVAILABLE);
	}
	close_with(COME_BACK);
}

static void remember_others(const cJSON *others) {
	const cJSON *one;
	session.others_known = session.next_other = session.moves = 0;
	cJSON_ArrayForEach(one, others)
		if (session.others_known < OTHERS_MAX && cJSON_IsString(one) &&
		    parse_address(one->valuestring, &session.others[session.others_known]))
			session.others_known++;
}

/* In turn: the one that was given, then those that the last one knew. */
static void try_another(void) {
	unsigned turn = session.next_other++ % (session.others_known + 1);
	session.at = turn == session.others_known ? session.given : session.others[turn];
}

static void greeted(const cJSON *frame) {
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(frame, "error");
	if (error) {
		hello_refused(error);
		return;
	}
	const cJSON *welcome = cJSON_GetObjectItemCaseSensitive(frame, "result");
	if (session.epoch == 0) {
		session.sent = session.received = 1;
	} else {
		forget(number(welcome, "received"));
	}
	session.epoch = number(welcome, "epoch");
	remember_others(cJSON_GetObjectItemCaseSensitive(welcome, "others"));
	session.was_in = true;
	session.retry_ms = 0;
	snprintf(session.token, sizeof session.token, "%s", string(welcome, "resumeToken"));
	snprintf(session.name, sizeof session.name, "%s", string(welcome, "actor"));
	session.state = IN;
	session.unsent = session.kept.first;
	if (session.unsent)
		lws_callback_on_writable(session.socket);
	if (strcmp(string(welcome, "state"), "fenced") == 0) {
		session.fences_answered++;
		device.count = 0;
		device.subscription = -1;
		device.to_open = true;
	}
}

static void arrived(struct frame *raw) {
	size_t pages;
	cJSON *frame = decode(raw, &pages);
	if (session.state == GREETING) {
		greeted(frame);
		cJSON_Delete(frame);
		free(raw);
		return;
	}
	if (number(frame, "seq") != (double)(session.received + 1)) {
		close_with(COME_BACK);
		cJSON_Delete(frame);
		free(raw);
		return;
	}
	session.received++;
	session.ack_frames++;
	session.ack_bytes += raw->length;
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(frame, "id");
	const char *method = string(frame, "method");
	if (*method && id) {
		on_question(method, id, cJSON_GetObjectItemCaseSensitive(frame, "params"));
	} else if (*method) {
		on_notification(method, cJSON_GetObjectItemCaseSensitive(frame, "params"));
	} else if (asked.open && cJSON_IsNumber(id) && id->valuedouble == asked.id) {
		asked.open = false;
		asked.frame = frame;
		asked.raw = raw;
		asked.pages = pages;
		frame = NULL;
		raw = NULL;
	}
	cJSON_Delete(frame);
	free(raw);
	if (session.ack_frames >= ACK_FRAMES || session.ack_bytes >= ACK_BYTES) {
		cJSON *ack = cJSON_CreateObject();
		cJSON_AddNumberToObject(ack, "seq", session.received);
		session.ack_frames = session.ack_bytes = 0;
		notify("ack", ack);
	}
}

/* The connection. */

static void say_hello(void) {
	cJSON *hello = cJSON_CreateObject(), *params;
	cJSON_AddStringToObject(hello, "jsonrpc", "2.0");
	cJSON_AddNumberToObject(hello, "seq", 1);
	cJSON_AddNumberToObject(hello, "id", 0);
	cJSON_AddStringToObject(hello, "method", "hello");
	params = cJSON_AddObjectToObject(hello, "params");
	cJSON_AddStringToObject(params, "protocol", SUBPROTOCOL);
	cJSON_AddStringToObject(params, "lab", session.lab);
	cJSON_AddStringToObject(params, "role", "device");
	cJSON_AddStringToObject(params, "name", session.name);
	if (session.epoch > 0) {
		cJSON *resume = cJSON_AddObjectToObject(params, "resume");
		cJSON_AddStringToObject(resume, "token", session.token);
		cJSON_AddNumberToObject(resume, "epoch", session.epoch);
		cJSON_AddNumberToObject(resume, "since", session.received);
	}
	free(session.hello);
	session.hello = encode(hello, NULL, 0);
	session.state = GREETING;
	lws_callback_on_writable(session.socket);
}

static void received(struct lws *socket, const void *bytes, size_t length) {
	size_t before = session.coming ? session.coming->length : 0;
	struct frame *frame = realloc(session.coming, sizeof *frame + before + length);
	if (!frame)
		exit(71);
	memcpy(frame->bytes + before, bytes, length);
	frame->length = before + length;
	frame->next = NULL;
	frame->binary = lws_frame_is_binary(socket);
	session.coming = frame;
	if (lws_is_final_fragment(socket) && lws_remaining_packet_payload(socket) == 0) {
		put(&session.inbox, frame);
		session.coming = NULL;
	}
}

/* Writes one frame. Returns what libwebsockets is to do: -1 to close. */
static int writable(struct lws *socket) {
	struct frame *frame = session.hello ? session.hello : session.state == IN ? session.unsent : NULL;
	if (session.wanted_code) {
		lws_close_reason(socket, session.wanted_code, NULL, 0);
		return -1;
	}
	if (!frame)
		return 0;
	enum lws_write_protocol kind = frame->binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
	if (lws_write(socket, frame->bytes + LWS_PRE, frame->length, kind) < (int)frame->length)
		return -1;
	if (frame == session.hello) {
		free(session.hello);
		session.hello = NULL;
	} else {
		session.unsent = frame->next;
	}
	if (session.unsent && session.state == IN)
		lws_callback_on_writable(socket);
	return 0;
}

static int on_socket(struct lws *socket, enum lws_callback_reasons reason, void *user, void *in, size_t length) {
	(void)user;
	switch (reason) {
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		say_hello();
		return 0;
	case LWS_CALLBACK_CLIENT_RECEIVE:
		received(socket, in, length);
		return 0;
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		return writable(socket);
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		if (length >= 2)
			session.close_code = ((unsigned char *)in)[0] << 8 | ((unsigned char *)in)[1];
		return 0;
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
	case LWS_CALLBACK_CLIENT_CLOSED:
		if (socket == session.socket || session.state == CONNECTING) {
			session.socket = NULL;
			session.state = AWAY;
		}
		return 0;
	default:
		return 0;
	}
}

static void pause_ms(unsigned ms) {
	struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
	nanosleep(&time, NULL);
}

/* What the end of a connection means, then another connection. */
static void connect_again(void) {
	static bool tried;
	int code = session.wanted_code ? session.wanted_code : session.close_code;
	clear(&session.inbox);
	free(session.coming);
	session.coming = NULL;
	free(session.hello);
	session.hello = NULL;
	bool was_silent = session.wanted_code == 0 && session.close_code == 0;
	session.wanted_code = session.close_code = 0;
	if (code == 4001 || code == 4004 || code == 4005 || code == 4009 || code == 4012 || code == 4013) {
		fprintf(stderr, "mmrace_mirror: the server closed with %d\n", code);
		end_session(EXIT_UNAVAILABLE);
	} else if (code == 1000 || stopping || (code == 4000 && session.for_good)) {
		end_session(0);
	} else if (!session.was_in && tried && time(NULL) >= session.give_up) {
		fprintf(stderr, "mmrace_mirror: no server answers at ws://%s:%d%s\n", session.at.host, session.at.port,
			session.at.path);
		end_session(EXIT_UNAVAILABLE);
	} else if (session.epoch > 0 && (code == 4007 || (code == 4000 && session.ends))) {
		forget_session();
	}
	if (session.exit_code >= 0)
		return;
	/* Its own server first: a connection may have been lost, and no more. */
	if (session.was_in && was_silent && session.retry_ms > 0)
		try_another();
	if (tried)
		pause_ms(session.retry_ms);
	if (tried)
		session.retry_ms = session.retry_ms == 0 ? RETRY_FIRST_MS
				 : session.retry_ms * 2 > RETRY_LAST_MS ? RETRY_LAST_MS : session.retry_ms * 2;
	tried = true;
	struct lws_client_connect_info info = {
		.context = session.context,
		.address = session.at.host,
		.port = session.at.port,
		.path = session.at.path,
		.host = session.at.host,
		.protocol = SUBPROTOCOL,
		.pwsi = &session.socket,
	};
	session.state = CONNECTING;
	if (!lws_client_connect_via_info(&info))
		session.state = AWAY;
}

/* Takes one frame, or lets the socket work until there is something. */
static void pump(void) {
	if (stopping && session.wanted_code == 0) {
		if (session.state == IN)
			close_with(1000);
		else
			end_session(0);
	}
	struct frame *frame = take(&session.inbox);
	if (frame)
		arrived(frame);
	else if (session.state == AWAY)
		connect_again();
	else
		lws_service(session.context, 0);
}

/* Calls, and the driver. */

struct result {
	cJSON *frame;
	struct frame *raw;
	size_t pages;
};

static const cJSON *member(const struct result *result, const char *name) {
	return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(result->frame, "result"), name);
}

static void done_with(struct result *result) {
	cJSON_Delete(result->frame);
	free(result->raw);
}

static void stand_at_hold(const char *method, unsigned machine) {
	for (int at = 0; at < device.hold_count; at++) {
		if (strcmp(device.holds[at], method) != 0)
			continue;
		cJSON *params = cJSON_CreateObject();
		cJSON_AddStringToObject(params, "after", method);
		free(device.holds[at]);
		device.holds[at] = device.holds[--device.hold_count];
		device.held = true;
		notify("held", params);
		while (device.held && device.machine == machine && session.exit_code < 0)
			pump();
		return;
	}
}

/* Asks, and goes on with everything else until the answer is there. Takes over `params`. Returns OK, an errno, or GONE;
 * with OK `result` is to be freed. */
static const char *call(const char *method, cJSON *params, const uint64_t *words, size_t pages, struct result *result) {
	static char refused[32];
	static double last_id;
	unsigned machine = device.machine;
	cJSON *body = cJSON_CreateObject();
	cJSON_AddNumberToObject(body, "id", ++last_id);
	cJSON_AddStringToObject(body, "method", method);
	cJSON_AddItemToObject(body, "params", params);
	uint64_t seq = send_frame(body, words, pages);
	asked.id = last_id;
	asked.open = true;
	while (asked.open) {
		if (device.machine != machine || session.exit_code >= 0) {
			asked.open = false;
			return GONE;
		}
		pump();
	}
	forget(seq);
	*result = (struct result){asked.frame, asked.raw, asked.pages};
	if (device.machine == machine)
		stand_at_hold(method, machine);
	if (device.machine != machine) {
		done_with(result);
		return GONE;
	}
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(result->frame, "error");
	if (!error)
		return OK;
	snprintf(refused, sizeof refused, "%s", string(cJSON_GetObjectItemCaseSensitive(error, "data"), "errno"));
	done_with(result);
	return refused;
}

/* At first, for another machine, and after a fence. */
static void open_device(void) {
	struct result inserted;
	cJSON *params = cJSON_CreateObject();
	device.to_open = false;
	cJSON_AddItemToObject(params, "range", range_of(0, PAGES_MAX));
	const char *came = call("mmu_interval_notifier_insert", params, NULL, 0, &inserted);
	if (came != OK)
		return;
	device.subscription = member(&inserted, "subscription")->valuedouble;
	device.seq = member(&inserted, "invalidate_seq")->valuedouble;
	if (device.early == device.subscription && device.early_seq > device.seq)
		device.seq = device.early_seq;
	done_with(&inserted);
}

static const char *fault(double first, double end, bool write) {
	for (int tries = 0; tries < RETRIES_MAX; tries++) {
		double subscription = device.subscription;
		struct result walked;
		cJSON *params = cJSON_CreateObject();
		if (subscription < 0) {
			cJSON_Delete(params);
			return "ENOTCONN";
		}
		cJSON_AddNumberToObject(params, "subscription", subscription);
		cJSON_AddNumberToObject(params, "invalidate_seq", device.seq);
		cJSON_AddItemToObject(params, "range", range_of(first, end));
		cJSON_AddStringToObject(params, "default_flags", write ? "fault-write" : "fault");
		const char *came = call("hmm_range_fault_unlocked", params, NULL, 0, &walked);
		if (strcmp(came, "EBUSY") == 0)
			continue;
		if (came != OK)
			return came;
		/* The walk ran without the lock: its answer counts only if nothing was invalidated since. */
		if (subscription != device.subscription || member(&walked, "seq")->valuedouble != device.seq) {
			done_with(&walked);
			continue;
		}
		cJSON *changes = cJSON_CreateArray();
		const cJSON *pfn;
		double page = first;
		cJSON_ArrayForEach(pfn, member(&walked, "pfns")) {
			uint64_t bits = pfn->valuedouble;
			bool writable = bits & HMM_WRITE;
			if (!(bits & HMM_VALID) || (write && !writable)) {
				came = "EFAULT";
				break;
			}
			enter((struct entry){page++, bits / FLAGS, writable}, changes);
		}
		tell_mirror(changes);
		done_with(&walked);
		return came;
	}
	return "EBUSY";
}

/* Reads or writes one page by the number of its frame, under the driver's lock. */
static const char *dma(const struct entry *entry, bool write, uint64_t *word) {
	struct result copied;
	unsigned machine = device.machine;
	cJSON *params = cJSON_CreateObject(), *target = cJSON_CreateObject();
	cJSON_AddNumberToObject(target, "page", entry->page);
	cJSON_AddNumberToObject(target, "pfn", entry->frame);
	cJSON_AddItemToArray(cJSON_AddArrayToObject(params, "targets"), target);
	device.locked = true;
	const char *came = call(write ? "dma_write" : "dma_read", params, word, write ? 1 : 0, &copied);
	if (device.machine == machine)
		unlock();
	if (came != OK)
		return came;
	if (!write)
		*word = page_word(copied.raw, &copied.pages);
	done_with(&copied);
	return OK;
}

static const char *copy(double first, double end, bool write, uint64_t *words) {
	int stuck = 0;
	for (double page = first; page < end; ) {
		const struct entry *entry = entry_of(page);
		const char *came;
		if (entry && (entry->writable || !write)) {
			came = dma(entry, write, &words[(size_t)(page - first)]);
			stuck = 0;
			page++;
		} else {
			came = ++stuck > RETRIES_MAX ? "EBUSY" : fault(page, end, write);
		}
		if (came != OK)
			return came;
	}
	return OK;
}

/* Verbs, as the ready-made devices do them. */

static const char VERBS[] = "verb: expected one of read, write, fault-read, fault-write, page-table";

static const char *words_of(const cJSON *params, int count, uint64_t *words) {
	const cJSON *values = cJSON_GetObjectItemCaseSensitive(params, "values"), *value;
	if (!cJSON_IsArray(values) || cJSON_GetArraySize(values) != count)
		return "values: expected one a page";
	cJSON_ArrayForEach(value, values) {
		char *end = NULL;
		errno = 0;
		if (cJSON_IsString(value) && strncmp(value->valuestring, "0x", 2) == 0 && value->valuestring[2])
			*words++ = strtoull(value->valuestring, &end, 16);
		if (!end || *end || errno)
			return "values: expected u64 as 0x-hexadecimal strings";
	}
	return NULL;
}

static cJSON *page_table(void) {
	cJSON *result = cJSON_CreateObject(), *entries = cJSON_AddArrayToObject(result, "entries");
	for (size_t at = 0; at < device.count; at++) {
		cJSON *entry = cJSON_CreateObject();
		cJSON_AddNumberToObject(entry, "page", device.entries[at].page);
		cJSON_AddNumberToObject(entry, "pfn", device.entries[at].frame);
		cJSON_AddStringToObject(entry, "access", device.entries[at].writable ? "write" : "read");
		cJSON_AddStringToObject(entry, "memory", "system");
		cJSON_AddItemToArray(entries, entry);
	}
	return result;
}

static void perform(cJSON *id, const cJSON *params) {
	const char *verb = string(params, "verb"), *came, *wrong = NULL;
	const cJSON *range = cJSON_GetObjectItemCaseSensitive(params, "range");
	double first = number(range, "first"), end = number(range, "end");
	bool write = strstr(verb, "write") != NULL, faults = strncmp(verb, "fault-", 6) == 0;
	uint64_t words[RANGE_MAX];
	static const char *const KNOWN[] = {"read", "write", "fault-read", "fault-write", NULL};
	if (strcmp(verb, "page-table") == 0) {
		answer(id, page_table());
		return;
	}
	if (!is_one_of(verb, KNOWN))
		wrong = VERBS;
	else if (first < 0 || end <= first || end > first + RANGE_MAX || end > PAGES_MAX || first != (uint64_t)first || end != (uint64_t)end)
		wrong = "range: expected {first, end} of 1 to 512 pages";
	else if (strcmp(verb, "write") == 0)
		wrong = words_of(params, end - first, words);
	if (wrong) {
		answer_error(id, "EINVAL", wrong);
		return;
	}
	came = faults ? fault(first, end, write) : copy(first, end, write, words);
	if (came == GONE) {
		/* Nobody of this machine waits any more. */
		cJSON_Delete(id);
		return;
	}
	cJSON *result = cJSON_CreateObject();
	cJSON_AddStringToObject(result, "errno", came);
	if (came == OK && !faults)
		cJSON_AddNumberToObject(result, "cpages", end - first);
	if (came == OK && strcmp(verb, "read") == 0) {
		cJSON *values = cJSON_AddArrayToObject(result, "values");
		for (size_t page = 0; page < (size_t)(end - first); page++) {
			char text[24];
			snprintf(text, sizeof text, "0x%llx", (unsigned long long)words[page]);
			cJSON_AddItemToArray(values, cJSON_CreateString(text));
		}
	}
	answer(id, result);
}

/* The process. */

static void stop(int signal_number) {
	(void)signal_number;
	stopping = 1;
}

static const char *setting(const char *variable, const char *otherwise) {
	const char *value = getenv(variable);
	return value && *value ? value : otherwise;
}

static int usage(const char *wrong) {
	fprintf(stderr, "mmrace_mirror: %s\nusage: mmrace_mirror [--url ws://HOST:PORT/ws] [--lab LAB] [--name NAME] [--connect-seconds N]\n", wrong);
	return EXIT_USAGE;
}

int main(int count, char **arguments) {
	const char *url = setting("MMRACE_URL", "ws://127.0.0.1:7070/ws");
	const char *lab = setting("MMRACE_LAB", "demo"), *name = setting("MMRACE_NAME", "c0"), *seconds = "10";
	for (int at = 1; at < count; at += 2) {
		const char **option = strcmp(arguments[at], "--url") == 0 ? &url
				    : strcmp(arguments[at], "--lab") == 0 ? &lab
				    : strcmp(arguments[at], "--name") == 0 ? &name
				    : strcmp(arguments[at], "--connect-seconds") == 0 ? &seconds : NULL;
		if (!option || at + 1 == count)
			return usage(arguments[at]);
		*option = arguments[at + 1];
	}
	if (!parse_address(url, &session.given))
		return usage("--url: expected ws://HOST:PORT/ws");
	session.at = session.given;
	snprintf(session.lab, sizeof session.lab, "%s", lab);
	snprintf(session.name, sizeof session.name, "%s", name);
	session.give_up = time(NULL) + atoi(seconds);

	struct sigaction action = {.sa_handler = stop};
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	lws_set_log_level(0, NULL);
	static const struct lws_protocols protocols[] = {
		{.name = SUBPROTOCOL, .callback = on_socket, .rx_buffer_size = 65536},
		{.name = NULL},
	};
	struct lws_context_creation_info info = {.port = CONTEXT_PORT_NO_LISTEN, .protocols = protocols};
	session.context = lws_create_context(&info);
	if (!session.context)
		return EXIT_UNAVAILABLE;

	while (session.exit_code < 0) {
		if (device.to_open && session.state == IN) {
			open_device();
		} else if (device.performs && device.subscription >= 0) {
			struct question next = next_question(&device.performs);
			perform(next.id, next.params);
			cJSON_Delete(next.params);
		} else {
			pump();
		}
	}
	lws_context_destroy(session.context);
	return session.exit_code;
}
