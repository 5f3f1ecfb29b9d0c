#!/usr/bin/env python3
"""A device for mmrace in Python: mirrors an address space, has private memory, migrates there and back.

    python3 mmrace_device.py --url ws://127.0.0.1:7070/ws --lab demo --name gpu0

Written from docs/PROTOCOL.md alone. Needs Python 3.9 and the package websockets 10, or newer ones (Debian:
python3-websockets).

It answers what the kernel asks (invalidate, migrate_to_ram, release), does the verbs of the ready-made devices when a
conductor asks for them, and comes back after a lost connection with no frame lost or doubled, also to a server that was
killed and started again. If that one does not know the session any more it begins a new one, with nothing.

Session is the protocol: numbers, answers, resume. Device is the driver. Use them for a device of your own.
"""

import argparse
import asyncio
import collections
import contextlib
import json
import os
import signal
import struct
import sys

try:
    import websockets
except ImportError:
    sys.exit("mmrace_device.py: there is no package websockets: apt-get install python3-websockets")

SUBPROTOCOL = "mmrace.v1"
PAGE_SIZE = 4096
PAGES_MAX = 2**35
RANGE_MAX = 512
SERVER_FRAME_BYTES_MAX = 64 * 1024 * 1024
ACK_FRAMES = 64
ACK_BYTES = 32 * 1024
RETRY_FIRST_S, RETRY_LAST_S = 0.05, 2.0
RETRY_SOON_S = 0.25
# What a server has for a connection where others may have the lab.
CONNECT_S = 3
MIRROR_CHANGES_MAX = 512

# Close codes after which we would be closed again, or another has our session.
FINAL_CODES = {4001, 4004, 4005, 4009, 4012, 4013}
GOING, EXPIRED = 4000, 4007
COME_BACK = 4900
# Refusals of a hello that pass by themselves for a client that was in before, and those of a session that is gone.
PASSING_FIRST = {"going", "moved", "restoring", "stalled", "under-pressure"}
PASSING = PASSING_FIRST | {"lab-full", "too-many-labs", "insufficient-storage"}
# Of those, the ones that pass in a moment; and servers in a row that send a client on, whatever time it was given.
SOON, MOVES_MAX = {"moved", "restoring"}, 8
SESSION_GONE = {"bad-resume", "resume-too-old"}
# The exit code of a session that its server has refused or ended for good (sysexits.h: EX_UNAVAILABLE).
UNAVAILABLE = 69

HMM_VALID, HMM_WRITE, HMM_ERROR, HMM_ZERO, HMM_PRIVATE, HMM_PMD = 1, 2, 4, 8, 16, 32
MIGRATE_VALID, MIGRATE_MIGRATE, MIGRATE_WRITE = 1, 2, 8
FLAGS = 64

# One kernel call handles so many pages; a chunk of private memory has so many frames.
BATCH_PAGES = 64
CHUNK_PAGES = 4096
# Collisions in a row after which a verb gives up with EBUSY.
RETRIES_MAX = 1000
EVICTION_PASSES_MAX = 8
HOLDS_MAX = 64
LOOP_THREADS_MAX = 16


class Refused(Exception):
    """The server did not do what it was asked. `errno` is the kernel's name, `code` the word of the protocol."""

    def __init__(self, method, error):
        data = error.get("data") or {}
        self.errno = data.get("errno", "EIO")
        self.code = data.get("code", "internal")
        self.definite = data.get("definite", False)
        self.address = data.get("address")
        super().__init__(f"{method}: {self.errno}: {error.get('message', '')} {data.get('remedy', '')}".strip())


class VerbRefused(Exception):
    """A verb that is unknown or makes no sense: answered with EINVAL."""


class SessionOver(Exception):
    """The session is over for good. `exit_code` is that of the process."""

    def __init__(self, text, exit_code):
        super().__init__(text)
        self.exit_code = exit_code


def encode(frame, pages):
    """One frame as WebSocket sends it: text, or binary with the pages behind the text."""
    text = json.dumps(frame, separators=(",", ":"))
    if not pages:
        return text
    raw = text.encode()
    parts = [struct.pack("<I", len(raw)), raw]
    for page in pages:
        short = page.rstrip(b"\0")
        parts += [struct.pack("<H", len(short)), short]
    return b"".join(parts)


def decode(message):
    """The object of a frame, and its pages without their trailing zeros."""
    if isinstance(message, str):
        return json.loads(message), []
    (length,) = struct.unpack_from("<I", message)
    at = 4 + length
    frame, pages = json.loads(message[4:at]), []
    while at < len(message):
        (length,) = struct.unpack_from("<H", message, at)
        pages.append(message[at + 2 : at + 2 + length])
        at += 2 + length
    return frame, pages


class Session:
    """One session with a server, over as many connections as it takes.

    `asked(id, method, params)` and `told(method, params)` are called for each question and notification, in order;
    `greeted(result)` after each hello that was accepted; `anew()` when the session is gone and another begins. None of
    them may wait.
    """

    def __init__(self, url, lab, role, name, *, asked, told, greeted, anew, take_over=False):
        self.hello = {"protocol": SUBPROTOCOL, "lab": lab, "role": role, "name": name}
        if take_over:
            self.hello["takeOver"] = True
        self.asked, self.told, self.greeted, self.anew = asked, told, greeted, anew
        self.given, self.addresses = url, [url]  # where the lab is, or who may know: the first is tried next
        self.moves, self.soon, self.heard = 0, False, False
        self.last_id = 0
        self._begin()
        self.websocket = None
        self.outbox = None  # frames on their way into the present connection

    def _begin(self):
        """A session that has not begun yet."""
        self.sent, self.received = 1, 0  # the fresh hello is frame 1
        self.kept = collections.deque()  # (seq, frame): what the server may not have
        self.open = {}  # id: (seq, method, future)
        self.welcome = None  # the answer to the last hello
        self.unacked = [0, 0]  # frames, bytes
        self.ends = False  # the server has said that it keeps nothing of it
        self.for_good = False  # nor does another server come in its place

    def call(self, method, params, pages=()):
        """Asks; the future has (result, pages), or raises Refused. While the connection is away it waits."""
        self.last_id += 1
        future = asyncio.get_running_loop().create_future()
        seq = self._send({"id": self.last_id, "method": method, "params": params}, pages)
        self.open[self.last_id] = (seq, method, future)
        return future

    def ping(self):
        """What the server knows of this session; the future has (result, []), as of call()."""
        return self.call("ping", {})

    def notify(self, method, params, pages=()):
        self._send({"method": method, "params": params}, pages)

    def answer(self, question, result):
        self._send({"id": question, "result": result})

    def answer_error(self, question, errno, message):
        self._send({"id": question, "error": {"code": -32000, "message": message, "data": {"errno": errno}}})

    def come_back(self):
        """Breaks the connection, so that the session is resumed on another: how a device comes back from a fence."""
        if self.websocket is not None:
            asyncio.ensure_future(self.websocket.close(COME_BACK))

    async def leave(self):
        """Ends the session."""
        if self.websocket is not None:
            await self.websocket.close(1000)

    async def run(self, connect_s):
        """Runs to the end for good, which it raises as SessionOver. The first connection is tried for connect_s."""
        loop = asyncio.get_running_loop()
        self.give_up, self.name_free = loop.time() + connect_s, 0
        wait = RETRY_FIRST_S
        while True:
            try:
                code = await self._connection()
                if self.welcome is None:
                    # The server may have heard the hello, and we not its answer.
                    self.name_free = max(self.name_free, self.give_up)
                elif code is not None:
                    grace = self.welcome["graceMs"] / 1000
                    self.give_up, self.name_free, wait = float("inf"), loop.time() + grace, 0
            except (OSError, asyncio.TimeoutError, websockets.exceptions.WebSocketException) as error:
                code = getattr(error, "code", 1006)
                self.addresses.append(self.addresses.pop(0))
                if loop.time() >= self.give_up:
                    raise SessionOver(f"no server answers at {self.given}", UNAVAILABLE) from error
            if code in FINAL_CODES:
                raise SessionOver(f"the server closed with {code}", UNAVAILABLE)
            if code == 1000 or (code == GOING and self.for_good):
                raise SessionOver("left", 0)
            if self.welcome is not None and (code == EXPIRED or (code == GOING and self.ends)):
                self._anew()
            await asyncio.sleep(min(wait, RETRY_SOON_S) if self.soon or len(self.addresses) > 1 else wait)
            self.soon = False
            wait = min(RETRY_LAST_S, wait * 2 or RETRY_FIRST_S)

    def _anew(self):
        old = list(self.open.values())
        self._begin()
        for _, _, future in old:
            future.cancel()
        self.anew()

    async def _connection(self):
        """One connection, from hello to its end. Returns the close code; None if the hello is to be said again."""
        async with websockets.connect(
            self.addresses[0],
            subprotocols=[SUBPROTOCOL],
            compression=None,
            max_size=SERVER_FRAME_BYTES_MAX,
            ping_interval=None,
            open_timeout=CONNECT_S if len(self.addresses) > 1 else 10,
        ) as websocket:
            self.websocket = websocket
            try:
                if not await self._greet(websocket):
                    return None
                writer = asyncio.ensure_future(self._write(websocket, self.outbox))
                watch = asyncio.ensure_future(self._watch(websocket))
                try:
                    async for message in websocket:
                        self.heard = True
                        self._arrived(message)
                finally:
                    self.outbox = None
                    writer.cancel()
                    watch.cancel()
            except websockets.exceptions.ConnectionClosed:
                pass  # its code says it all
            finally:
                self.websocket = None
        return websocket.close_code if websocket.close_code is not None else 1006

    async def _watch(self, websocket):
        """A server that stands still closes nothing: it is asked after a heartbeat of silence, and has another to answer."""
        quiet = 0
        while quiet < 3:
            self.heard = False
            await asyncio.sleep(self.welcome["heartbeatMs"] / 1000)
            quiet = 0 if self.heard else quiet + 1
            if quiet == 2:
                self.ping().add_done_callback(lambda future: future.cancelled() or future.exception())
        # Another server may have the lab; this one will not agree to a close.
        self.addresses.append(self.addresses.pop(0))
        websocket.transport.abort()

    async def _greet(self, websocket):
        resume = {}
        if self.welcome is not None:
            token, epoch = self.welcome["resumeToken"], self.welcome["epoch"]
            resume = {"resume": {"token": token, "epoch": epoch, "since": self.received}}
        hello = {"jsonrpc": "2.0", "seq": 1, "id": 0, "method": "hello", "params": {**self.hello, **resume}}
        await websocket.send(encode(hello, ()))
        frame, _ = decode(await websocket.recv())
        if "error" in frame:
            self._hello_refused(Refused("hello", frame["error"]))
            return False
        fresh, self.welcome = self.welcome is None, frame["result"]
        self.addresses, self.moves = self._known(self.welcome.get("others", ())), 0
        if fresh:
            self.received = frame["seq"]
        arrived = 1 if fresh else self.welcome["received"]
        self._forget(arrived)
        # From here on nothing waits: whatever is sent comes behind what is sent again.
        self.outbox = asyncio.Queue()
        for _, kept in self.kept:
            self.outbox.put_nowait(kept)
        # The lab may have given it: a resume says the name that it has.
        self.hello["name"] = self.welcome["actor"]
        self.greeted(self.welcome)
        return True

    def _known(self, others):
        """Addresses, each once: the one that is tried now, the one that was given, and others."""
        return list(dict.fromkeys([self.addresses[0], self.given, *others]))

    def _hello_refused(self, refused):
        """Raises SessionOver unless the hello is to be said again."""
        self.soon = refused.code in SOON
        if refused.code == "moved":
            self.addresses.insert(0, refused.address)
            self.addresses, self.moves = self._known(self.addresses), self.moves + 1
            if self.moves <= MOVES_MAX:
                return
        was_in = self.give_up == float("inf")
        if self.welcome is not None and refused.code in SESSION_GONE:
            self._anew()
            return
        passes = refused.code in PASSING if was_in else refused.code in PASSING_FIRST
        now = asyncio.get_running_loop().time()
        # Until its grace is over the old session may have the name.
        mine = self.welcome is None and refused.code == "name-taken" and now < self.name_free
        if not (passes or mine) or now >= self.give_up:
            raise SessionOver(str(refused), UNAVAILABLE)

    @staticmethod
    async def _write(websocket, outbox):
        with contextlib.suppress(websockets.exceptions.ConnectionClosed):
            while True:
                await websocket.send(await outbox.get())

    def _send(self, body, pages=()):
        self.sent += 1
        frame = encode({"jsonrpc": "2.0", "seq": self.sent, **body}, pages)
        self.kept.append((self.sent, frame))
        if self.outbox is not None:
            self.outbox.put_nowait(frame)
        return self.sent

    def _forget(self, seq):
        while self.kept and self.kept[0][0] <= seq:
            self.kept.popleft()

    def _arrived(self, message):
        frame, pages = decode(message)
        if frame["seq"] != self.received + 1:
            self.come_back()
            return
        self.received = frame["seq"]
        if "method" not in frame:
            self._answered(frame, pages)
        elif "id" in frame:
            self.asked(frame["id"], frame["method"], frame["params"])
        else:
            self.told(frame["method"], frame["params"])
        self.unacked = [self.unacked[0] + 1, self.unacked[1] + len(message)]
        if self.unacked[0] >= ACK_FRAMES or self.unacked[1] >= ACK_BYTES:
            self.unacked = [0, 0]
            self.notify("ack", {"seq": self.received})

    def _answered(self, frame, pages):
        if frame["id"] is None:
            refused = Refused("a frame", frame["error"])
            # What was told between the fence and hearing of it is void anyway.
            if refused.code != "fenced":
                complain(str(refused))
            return
        seq, method, future = self.open.pop(frame["id"])
        self._forget(seq)
        if future.done():
            return  # whoever asked was cancelled
        if "error" in frame:
            future.set_exception(Refused(method, frame["error"]))
        else:
            future.set_result((frame["result"], pages))


class Subscription:
    """An interval notifier; `seq` is guarded by the driver's lock."""

    def __init__(self, number, seq):
        self.number, self.seq = number, seq


class OwnMigration:
    """A migration of ours that is open. `again`: pages to look at when it has ended."""

    def __init__(self, part, select):
        self.first, self.end, self.select, self.again = part["first"], part["end"], select, set()

    def takes(self, page, select):
        return self.first <= page < self.end and self.select == select


class Device:
    """The driver: a page table that mirrors the whole address space, and private memory. One for each machine."""

    def __init__(self, session, name):
        self.session, self.name = session, name
        self.lock = asyncio.Lock()  # the driver's lock: guards table and the sequences
        self.table = {}  # page: (frame, access)
        self.sub = None
        self.early = {}
        self.memory = {}  # private frame in use: contents
        self.homes = {}  # private frame in use: the page that it was taken for
        self.chunks = []  # [first, count, frames handed out at least once, 'in-use' or 'removed']
        self.freed = []
        self.migrating = []  # migrations of our own that are open
        self.exclusives = []  # (first, end, pages that others invalidated since)
        self.opened = asyncio.Event()
        self.holds = []
        self.loops = {}
        self.hand = None  # a migration in steps, by hand
        self.freed_event = asyncio.Event()
        self.tasks = set()
        self.alive = True

    # Tasks, calls and holds.

    def start(self, work):
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def end(self):
        """The machine is gone: nothing of this device may reach the next one."""
        self.alive = False
        for task in list(self.tasks):
            task.cancel()

    async def call(self, method, params=None, pages=()):
        result, _ = await self._call(method, params or {}, pages)
        return result

    async def _call(self, method, params, pages=()):
        if not self.alive:
            raise asyncio.CancelledError
        answer = await self.session.call(method, params, pages)
        for hold in self.holds:
            if hold["after"] == method and hold["state"] == "armed":
                hold["state"] = "held"
                self.session.notify("held", {"after": method})
                await hold["go"].wait()
                break
        return answer

    def hold(self, after):
        if len(self.holds) == HOLDS_MAX:
            return False
        self.holds.append({"after": after, "state": "armed", "go": asyncio.Event()})
        return True

    def go(self):
        holds, self.holds = self.holds, []
        for hold in holds:
            hold["state"] = "gone"
            hold["go"].set()

    # The life of the device.

    async def open(self):
        await self.add_chunk()
        await self.subscribe()

    async def recover(self):
        """After a fence: the subscription is gone and the page table void; private memory is as it was."""
        async with self.lock:
            self.table.clear()
            self.sub = self.hand = None
        await self.subscribe()

    async def subscribe(self):
        whole = {"first": 0, "end": PAGES_MAX}
        inserted = await self.call("mmu_interval_notifier_insert", {"range": whole})
        number, seq = inserted["subscription"], inserted["invalidate_seq"]
        # An invalidate may have overtaken the answer: the later one counts.
        self.sub = Subscription(number, max(seq, self.early.pop(number, seq)))
        self.opened.set()

    async def add_chunk(self):
        first = (await self.call("memremap_pages", {"count": CHUNK_PAGES}))["first"]
        self.chunks.append([first, CHUNK_PAGES, 0, "in-use"])

    # What the kernel asks.

    async def invalidate(self, params):
        first, end = params["range"]["first"], params["range"]["end"]
        if params["blocking"] == "non-blockable" and self.lock.locked():
            return {"result": "again", "invalidate_seq": self.sub.seq if self.sub else params["seq"]}
        async with self.lock:
            # It may come before the answer to the insert: then nothing is mapped yet, and its sequence is kept.
            if self.sub is not None and self.sub.number == params["subscription"]:
                self.sub.seq = params["seq"]
            else:
                self.early[params["subscription"]] = params["seq"]
            own = params["event"] if params["owner"] == self.name else "none"
            # One page more than asked for, as lib/test_hmm.c does: harmless, and recorded traces of Linux show it.
            self.drop([page for page in self.table if first <= page <= end and self.goes(page, own)])
            if own != "migrate":
                for migration in self.migrating:
                    migration.again.difference_update(range(max(migration.first, first), min(migration.end, end + 1)))
            for start, stop, lost in self.exclusives:
                pages = range(max(start, first), min(stop, end))
                if own == "exclusive":
                    lost.difference_update(pages)
                else:
                    lost.update(pages)
        return {"result": "done", "invalidate_seq": params["seq"]}

    def goes(self, page, own):
        """Whether an invalidation takes the entry: one of our own migration takes only what that may migrate."""
        if own != "migrate":
            return True
        frame, access = self.table[page]
        select = "device-private" if self.chunk_of(frame) is not None else "system"
        takers = [each for each in self.migrating if access != "exclusive" and each.takes(page, select)]
        for taker in takers:
            taker.again.add(page)
        return bool(takers)

    async def migrate_to_ram(self, params):
        whole = {"first": params["page"], "end": params["page"] + 1}
        try:
            await self.migrate_back(params["mm"], whole, params["pfn"])
        except Refused as refused:
            return {"result": refused.errno}
        return {"result": "OK"}

    async def release(self, _params):
        async with self.lock:
            self.drop(list(self.table))
        return {}

    def page_free(self, frame):
        self.memory.pop(frame, None)
        self.homes.pop(frame, None)
        chunk = self.chunk_of(frame)
        if chunk is not None and chunk[3] == "in-use":
            self.freed.append(frame)
        self.freed_event.set()

    # The page table. Under the driver's lock.

    def drop(self, pages):
        for page in pages:
            del self.table[page]
        self.tell_mirror([(page, None) for page in pages])

    def enter(self, entries):
        """`entries`: (page, frame, access)."""
        for page, frame, access in entries:
            self.table[page] = (frame, access)
        self.tell_mirror([(page, (frame, access)) for page, frame, access in entries])

    def tell_mirror(self, changes):
        for at in range(0, len(changes), MIRROR_CHANGES_MAX):
            told = [{"page": page, "entry": entry_view(entry)} for page, entry in changes[at : at + MIRROR_CHANGES_MAX]]
            self.session.notify("mirror_changed", {"changes": told})

    # Faults.

    async def fault(self, first, end, access):
        for start in range(first, end, BATCH_PAGES):
            await self.fault_batch(start, min(end, start + BATCH_PAGES), access)

    async def fault_batch(self, first, end, access):
        flags = "fault-write" if access == "write" else "fault"
        for _ in range(RETRIES_MAX):
            sub = self.sub
            if sub is None:
                raise failed("ENOTCONN")
            begun = await self.read_begin(sub)
            try:
                pfns = await self.walk(sub, begun, first, end, flags)
            except Refused as refused:
                if refused.errno == "EBUSY":
                    continue
                raise
            async with self.lock:
                # The walk ran without this lock: its answer counts only if nothing was invalidated since.
                if sub is not self.sub or sub.seq != begun:
                    continue
                self.install(first, pfns, access)
                return
        raise failed("EBUSY")

    async def read_begin(self, sub):
        known = {"subscription": sub.number, "invalidate_seq": sub.seq}
        return (await self.call("mmu_interval_read_begin", known))["seq"]

    async def walk(self, sub, begun, first, end, flags):
        async with self.mmap_lock():
            return await self.walk_locked(sub, begun, first, end, flags)

    async def walk_locked(self, sub, begun, first, end, flags):
        """With mmap_lock held."""
        request = {
            "subscription": sub.number,
            "notifier_seq": begun,
            "range": {"first": first, "end": end},
            "default_flags": flags,
        }
        return (await self.call("hmm_range_fault", request))["pfns"]

    def install(self, first, pfns, access):
        entries = []
        for page, pfn in enumerate(pfns, first):
            rights = "write" if pfn & HMM_WRITE else "read"
            if not pfn & HMM_VALID or (access == "write" and rights == "read"):
                self.enter(entries)
                raise failed("EFAULT")
            entries.append((page, pfn // FLAGS, rights))
        self.enter(entries)

    @contextlib.asynccontextmanager
    async def mmap_lock(self):
        await self.call("mmap_read_lock")
        try:
            yield
        finally:
            # After a fence it is not ours any more.
            with contextlib.suppress(Refused):
                await self.call("mmap_read_unlock")

    # Reading and writing through the page table.

    async def copy_out(self, first, end, values):
        """Appends contents to `values`, under the driver's lock. Returns the first page without an entry."""
        page = first
        while page < end:
            run, frame = self.run_of_system_frames(page, end, "read")
            if run:
                _, pages = await self._call("dma_read", {"targets": run})
                values += pages
                page += len(run)
            elif frame is None:
                break
            else:
                contents = self.memory.get(frame, b"")
                self.tell_access(page, frame, "read", contents)
                values.append(contents)
                page += 1
        return page

    async def copy_in(self, first, end, contents):
        page = first
        while page < end:
            run, frame = self.run_of_system_frames(page, end, "write")
            if run:
                pages = contents[page - first : page - first + len(run)]
                await self._call("dma_write", {"targets": run}, pages)
                page += len(run)
            elif frame is None:
                break
            else:
                if frame in self.memory:
                    self.memory[frame] = contents[page - first]
                self.tell_access(page, frame, "write", contents[page - first])
                page += 1
        return page

    def run_of_system_frames(self, first, end, access):
        """Pages in a row whose entries name system frames; if there are none, the private frame of the first page."""
        targets = []
        for page in range(first, min(end, first + BATCH_PAGES)):
            frame, rights = self.table.get(page, (None, "none"))
            if frame is None or (access == "write" and rights != "write"):
                return targets, None
            if self.chunk_of(frame) is not None:
                return targets, frame
            targets.append({"page": page, "pfn": frame})
        return targets, None

    def tell_access(self, page, frame, mode, contents):
        accesses = [{"page": page, "pfn": frame, "mode": mode}]
        self.session.notify("private_memory_accessed", {"accesses": accesses}, [contents])

    async def copy_with_faults(self, first, end, access, copy):
        faults = stuck = 0
        while True:
            async with self.lock:
                reached = await copy(first, end)
            if reached == end:
                return faults
            stuck = stuck + 1 if reached == first else 0
            if stuck > RETRIES_MAX:
                raise failed("EBUSY")
            first = reached
            await self.fault(first, end, access)
            faults += 1

    async def read_mapped(self, first, end):
        values = []
        async with self.lock:
            if await self.copy_out(first, end, values) < end:
                raise failed("ENOENT")
        return {"values": words(values), "cpages": len(values)}

    # Private memory.

    def chunk_of(self, frame):
        return next((chunk for chunk in self.chunks if chunk[0] <= frame < chunk[0] + chunk[1]), None)

    def take_frame(self, page):
        frame = self.freed.pop() if self.freed else None
        for chunk in self.chunks:
            if frame is None and chunk[3] == "in-use" and chunk[2] < chunk[1]:
                frame = chunk[0] + chunk[2]
                chunk[2] += 1
        if frame is not None:
            self.memory[frame], self.homes[frame] = b"", page
        return frame

    async def take_frames(self, pages):
        """A private frame, referenced and locked, for as many of `pages` as there is memory for."""
        frames = []
        while len(frames) < len(pages):
            taken = []
            for page in pages[len(frames) :]:
                frame = self.take_frame(page)
                if frame is None:
                    break
                taken.append(frame)
            if taken:
                self.session.notify("zone_device_page_init", {"pfns": taken})
            frames += taken
            if len(frames) < len(pages):
                try:
                    await self.add_chunk()
                except Refused:
                    break
        return frames

    # Migration.

    async def each_vma(self, first, end, migrate):
        """Hands each part of the range that lies within one mapping to `migrate`, with mmap_lock held."""
        async with self.mmap_lock():
            while first < end:
                try:
                    vma = await self.call("find_vma", {"page": first})
                except Refused as refused:
                    raise (failed("EINVAL") if refused.errno == "ENOENT" else refused)
                if vma["range"]["first"] > first or vma["prot"] == "none":
                    raise failed("EINVAL")
                part = min(end, vma["range"]["end"], first + BATCH_PAGES)
                await migrate({"first": first, "end": part}, vma["prot"])
                first = part

    @contextlib.asynccontextmanager
    async def migration(self, kind, setup, params):
        """A migration, finalized however it ends."""
        begun = await self.call(setup, params)
        try:
            yield begun["migrate"], begun["src"]
        finally:
            with contextlib.suppress(Refused):
                await self.call(f"{kind}_finalize", {"migrate": begun["migrate"]})

    @contextlib.asynccontextmanager
    async def vma_migration(self, mm, part, select, fault_page):
        """A migration whose pages are mapped, by what is there then, when it has ended. With mmap_lock held."""
        own = OwnMigration(part, select)
        if mm == 0:  # of another mm nothing is mapped here
            self.migrating.append(own)
        try:
            setup = {"mm": mm, "range": part, "select": select, "fault_page": fault_page}
            async with self.migration("migrate_vma", "migrate_vma_setup", setup) as (number, src):
                async with self.lock:
                    # An entry may have come back between the invalidation and the answer.
                    collected = [page for page, entry in enumerate(src, own.first) if entry & MIGRATE_MIGRATE]
                    mapped = [page for page in collected if mm == 0 and page in self.table]
                    own.again.update(mapped)
                    self.drop(mapped)
                yield number, src, own
        finally:
            if mm == 0:
                self.migrating.remove(own)
        if own.again:
            await self.look_again(own)

    async def migrate_to_device(self, part, prot):
        async with self.vma_migration(0, part, "system", "none") as (number, src, own):
            await self.commit(number, await self.destinations(part["first"], src, prot), own)

    async def destinations(self, first, src, prot):
        """A private frame with a copy for each source that may migrate. Returns dst."""
        wanted = [at for at, entry in enumerate(src) if entry & MIGRATE_MIGRATE]
        frames = await self.take_frames([first + at for at in wanted])
        moves = dict(zip(wanted, frames))
        try:
            await self.fill(first, src, moves)
        except Refused:
            await self.put_frames(frames)
            raise
        dst = [0] * len(src)
        for at, frame in moves.items():
            hole = not src[at] & MIGRATE_VALID
            writable = src[at] & MIGRATE_WRITE or (hole and prot == "rw")
            dst[at] = frame * FLAGS + MIGRATE_VALID + (MIGRATE_WRITE if writable else 0)
        return dst

    async def commit(self, number, dst, own):
        """Returns the pages that moved, each with its entry of dst. Whoever lost the race to a page lost the flag."""
        src = (await self.call("migrate_vma_pages", {"migrate": number, "dst": dst}))["src"]
        moved = {own.first + at: entry for at, entry in enumerate(dst) if entry and src[at] & MIGRATE_MIGRATE}
        own.again.update(moved)
        return moved

    async def look_again(self, own):
        """Maps what is there now, without faulting: somebody may have taken pages away since they moved."""
        for _ in range(RETRIES_MAX):
            sub = self.sub
            if sub is None:
                return
            begun = await self.read_begin(sub)
            try:
                pfns = await self.walk_locked(sub, begun, own.first, own.end, "snapshot")
            except Refused as refused:
                if refused.errno == "EBUSY":
                    continue
                return
            async with self.lock:
                if sub.seq != begun:
                    continue
                self.enter(
                    [
                        (page, pfn // FLAGS, "write" if pfn & HMM_WRITE else "read")
                        for page, pfn in enumerate(pfns, own.first)
                        if page in own.again and pfn & HMM_VALID and (own.select == "system" or pfn & HMM_PRIVATE)
                    ]
                )
                return

    async def put_frames(self, frames):
        for frame in frames:
            with contextlib.suppress(Refused):
                await self.call("put_device_page", {"pfn": frame})

    async def fill(self, first, src, moves):
        """Copies the sources into private frames; a hole or the zero page is zeros."""
        sources = [at for at in moves if src[at] & MIGRATE_VALID]
        pages = []
        if sources:
            targets = [{"page": first + at, "pfn": src[at] // FLAGS} for at in sources]
            _, pages = await self._call("dma_read", {"targets": targets})
        for at, page in zip(sources, pages):
            self.memory[moves[at]] = page

    async def migrate_back(self, mm, part, fault_page):
        """Returns how many pages moved."""
        async with self.vma_migration(mm, part, "device-private", fault_page) as (number, src, _):
            pages = list(range(part["first"], part["end"]))
            dst = await self.copy_to_system(src, pages)
            src = (await self.call("migrate_vma_pages", {"migrate": number, "dst": dst}))["src"]
        return sum(1 for entry in src if entry & MIGRATE_VALID and entry & MIGRATE_MIGRATE)

    async def copy_to_system(self, src, pages):
        """A system frame with a copy for each private source that may migrate. Returns dst."""
        wanted = [at for at, entry in enumerate(src) if entry & MIGRATE_VALID and entry & MIGRATE_MIGRATE]
        moves = dict(zip(wanted, await self.alloc_frames(len(wanted))))
        async with self.lock:
            # Nobody may write to the private frame once it is copied.
            self.drop([pages[at] for at in moves if pages[at] in self.table])
            contents = [self.memory.get(src[at] // FLAGS, b"") for at in moves]
        if moves:
            targets = [{"page": pages[at], "pfn": frame} for at, frame in moves.items()]
            try:
                await self._call("dma_write", {"targets": targets}, contents)
            except Refused:
                await self.put_frames(moves.values())
                raise
        dst = [0] * len(src)
        for at, frame in moves.items():
            dst[at] = frame * FLAGS + MIGRATE_VALID + (src[at] & MIGRATE_WRITE)
        return dst

    async def alloc_frames(self, count):
        """As many of `count` locked system frames as there are: all at once, else one by one."""
        if count == 0:
            return []
        with contextlib.suppress(Refused):
            return (await self.call("alloc_pages", {"count": count}))["frames"]
        frames = []
        with contextlib.suppress(Refused):
            while len(frames) < count:
                frames += (await self.call("alloc_pages", {"count": 1}))["frames"]
        return frames

    # Verbs, as the ready-made devices do them.

    async def perform(self, params):
        verb = params.get("verb")
        work = self.VERBS.get(verb)
        if work is None:
            raise VerbRefused(f"verb: expected one of {', '.join(self.VERBS)}")
        await self.opened.wait()
        if self.hand is not None and verb in self.FAULTING and self.hand.overlaps(*pages_of(params)):
            return {"errno": "EDEADLK"}  # it would wait for itself
        try:
            return await work(self, params)
        except Refused as refused:
            return {"errno": refused.errno}

    async def verb_read(self, params):
        first, end = pages_of(params)
        values = []
        faults = await self.copy_with_faults(first, end, "read", lambda at, to: self.copy_out(at, to, values))
        return {"errno": "OK", "values": words(values), "cpages": len(values), "faults": faults}

    async def verb_write(self, params):
        first, end = pages_of(params)
        contents = contents_of(params, end - first)
        faults = await self.copy_with_faults(
            first, end, "write", lambda at, to: self.copy_in(at, to, contents[at - first :])
        )
        return {"errno": "OK", "cpages": end - first, "faults": faults}

    async def verb_migrate_to_dev(self, params):
        first, end = pages_of(params)
        await self.each_vma(first, end, self.migrate_to_device)
        return {"errno": "OK", **await self.read_mapped(first, end)}

    async def verb_migrate_to_sys(self, params):
        first, end = pages_of(params)
        moved = []

        async def back(part, _prot):
            moved.append(await self.migrate_back(0, part, "none"))

        await self.each_vma(first, end, back)
        return {"errno": "OK", "cpages": sum(moved)}

    async def verb_snapshot(self, params):
        first, end = pages_of(params)
        prot = []
        for start in range(first, end, BATCH_PAGES):
            end_of_batch = min(end, start + BATCH_PAGES)
            prot += await self.snapshot_batch(start, end_of_batch, lambda pfns: [prot_of(pfn) for pfn in pfns])
        return {"errno": "OK", "prot": prot}

    async def snapshot_batch(self, first, end, use):
        """What the CPU page table has, for `use`, under the driver's lock."""
        for _ in range(RETRIES_MAX):
            sub = self.sub
            begun = await self.read_begin(sub)
            try:
                pfns = await self.walk(sub, begun, first, end, "snapshot")
            except Refused as refused:
                if refused.errno == "EBUSY":
                    continue
                raise
            async with self.lock:
                if sub.seq == begun:
                    return use(pfns)
        raise failed("EBUSY")

    async def verb_exclusive(self, params):
        first, end = pages_of(params)
        async with self.mmap_lock():
            for start in range(first, end, BATCH_PAGES):
                await self.make_exclusive(start, min(end, start + BATCH_PAGES))
        return {"errno": "OK", **await self.read_mapped(first, end)}

    async def make_exclusive(self, first, end):
        lost = set()
        watch = (first, end, lost)
        self.exclusives.append(watch)
        try:
            made = await self.call("make_device_exclusive_range", {"range": {"first": first, "end": end}})
        except Refused as refused:
            self.exclusives.remove(watch)
            raise (refused if refused.errno == "ENOTCONN" else failed("EBUSY"))
        got = [(page, frame) for page, frame in enumerate(made["frames"], first) if frame != "none"]
        complete = len(made["frames"]) == end - first
        async with self.lock:
            self.exclusives.remove(watch)
            kept = [(page, frame, "exclusive") for page, frame in got if complete and page not in lost]
            self.enter(kept)
        if got:
            await self.call("unlock_and_put_pages", {"frames": [frame for _, frame in got]})
        if len(kept) < end - first:
            raise failed("EBUSY")

    async def verb_check_exclusive(self, params):
        first, end = pages_of(params)
        async with self.lock:
            exclusive = any(self.table.get(page, (0, ""))[1] == "exclusive" for page in range(first, end))
        return {"errno": "EPERM" if exclusive else "OK"}

    async def verb_release(self, _params):
        for chunk in [chunk for chunk in self.chunks if chunk[3] == "in-use"]:
            chunk[3] = "removed"
            self.freed = [frame for frame in self.freed if self.chunk_of(frame) is not chunk]
            for _ in range(EVICTION_PASSES_MAX):
                for start in range(0, chunk[2], BATCH_PAGES):
                    await self.evict(chunk[0] + start, min(BATCH_PAGES, chunk[2] - start))
                if not self.in_use(chunk):
                    break
            while self.in_use(chunk):
                self.freed_event.clear()
                await self.freed_event.wait()
        return {"errno": "OK"}

    def in_use(self, chunk):
        return any(self.chunk_of(frame) is chunk for frame in self.memory)

    async def evict(self, first, count):
        setup = {"first": first, "count": count}
        async with self.migration("migrate_device", "migrate_device_range", setup) as (number, src):
            pages = [self.homes.get(entry // FLAGS, 0) for entry in src]
            dst = await self.copy_to_system(src, pages)
            await self.call("migrate_device_pages", {"migrate": number, "dst": dst})

    async def verb_fault_read(self, params):
        await self.fault(*pages_of(params), "read")
        return {"errno": "OK"}

    async def verb_fault_write(self, params):
        await self.fault(*pages_of(params), "write")
        return {"errno": "OK"}

    async def verb_prefetch(self, params):
        first, end = pages_of(params)
        for start in range(first, end, BATCH_PAGES):
            await self.snapshot_batch(
                start, min(end, start + BATCH_PAGES), lambda pfns, at=start: self.enter_present(at, pfns)
            )
        return {"errno": "OK"}

    def enter_present(self, first, pfns):
        self.enter(
            [
                (page, pfn // FLAGS, "write" if pfn & HMM_WRITE else "read")
                for page, pfn in enumerate(pfns, first)
                if pfn & HMM_VALID
            ]
        )

    async def verb_read_mapped(self, params):
        return {"errno": "OK", **await self.read_mapped(*pages_of(params))}

    async def verb_migrate(self, params):
        await self.each_vma(*pages_of(params), self.migrate_to_device)
        return {"errno": "OK"}

    async def verb_collect(self, params):
        first, end = pages_of(params)
        async with self.mmap_lock():
            async with self.vma_migration(0, {"first": first, "end": end}, "system", "none"):
                return {"errno": "OK"}

    async def verb_page_table(self, _params):
        entries = [
            {"page": page, "pfn": frame, "access": access, "memory": "private" if self.chunk_of(frame) else "system"}
            for page, (frame, access) in sorted(self.table.items())
        ]
        return {"entries": entries}

    async def verb_setup(self, params):
        first, end = pages_of(params)
        if self.hand is not None:
            raise VerbRefused("setup: a migration is still open: finalize comes first")
        self.hand = HandMigration(self, first, end)
        try:
            return await self.hand.setup()
        except BaseException:
            self.hand = None
            raise

    def open_hand(self, step):
        if self.hand is None:
            raise VerbRefused(f"{step}: no migration is open: setup comes first")
        return self.hand

    async def verb_copy(self, _params):
        return await self.open_hand("copy").copy()

    async def verb_pages(self, _params):
        return await self.open_hand("pages").commit()

    async def verb_map(self, _params):
        return await self.open_hand("map").map()

    async def verb_finalize(self, _params):
        hand = self.open_hand("finalize")
        self.hand = None
        return await hand.finalize()

    async def verb_peek(self, params):
        first, end = pages_of(params)
        values = []
        for page in range(first, end):
            if page not in self.table:
                values.append("unmapped")
                continue
            read = await self.perform({"verb": "read", "range": {"first": page, "end": page + 1}})
            values.append(read["values"][0] if read["errno"] == "OK" else read["errno"])
        return {"values": values}

    async def verb_read_loop(self, params):
        first, end = pages_of(params)
        threads = params.get("threads")
        if type(threads) is not int or not 1 <= threads <= LOOP_THREADS_MAX:
            raise VerbRefused(f"threads: expected a whole number from 1 to {LOOP_THREADS_MAX}")
        loop = {"wanted": True, "reads": 0, "errors": 0, "tasks": []}
        self.loops[first] = loop

        async def read_on():
            while loop["wanted"]:
                read = await self.perform({"verb": "read", "range": {"first": first, "end": end}})
                loop["reads" if read["errno"] == "OK" else "errors"] += 1
                await asyncio.sleep(0)

        loop["tasks"] = [self.start(read_on()) for _ in range(threads)]
        return {}

    async def verb_stop(self, params):
        first, _ = pages_of(params)
        loop = self.loops.pop(first, {"reads": 0, "errors": 0, "tasks": []})
        loop["wanted"] = False
        for task in loop["tasks"]:
            await task
        return {"reads": loop["reads"], "errors": loop["errors"]}

    FAULTING = {
        *("read", "write", "migrate-to-dev", "migrate-to-sys", "exclusive", "check-exclusive"),
        *("fault-read", "fault-write", "migrate", "collect", "read-loop"),
    }
    VERBS = {
        "read": verb_read,
        "write": verb_write,
        "migrate-to-dev": verb_migrate_to_dev,
        "migrate-to-sys": verb_migrate_to_sys,
        "snapshot": verb_snapshot,
        "exclusive": verb_exclusive,
        "check-exclusive": verb_check_exclusive,
        "release": verb_release,
        "fault-read": verb_fault_read,
        "fault-write": verb_fault_write,
        "prefetch": verb_prefetch,
        "read-mapped": verb_read_mapped,
        "migrate": verb_migrate,
        "collect": verb_collect,
        "setup": verb_setup,
        "copy": verb_copy,
        "pages": verb_pages,
        "map": verb_map,
        "finalize": verb_finalize,
        "page-table": verb_page_table,
        "peek": verb_peek,
        "read-loop": verb_read_loop,
        "stop": verb_stop,
    }


class HandMigration:
    """A migration in steps, so that a hand can do something else in between. What is left out is made up for."""

    def __init__(self, device, first, end):
        self.device, self.part = device, {"first": first, "end": end}
        self.stack = contextlib.AsyncExitStack()
        self.number = self.src = self.own = self.prot = self.dst = self.moved = None
        self.mapped = False

    def overlaps(self, first, end):
        return self.part["first"] < end and first < self.part["end"]

    async def setup(self):
        device = self.device
        try:
            await self.stack.enter_async_context(device.mmap_lock())
            self.prot = await self.protection()
            migration = device.vma_migration(0, self.part, "system", "none")
            self.number, self.src, self.own = await self.stack.enter_async_context(migration)
        except BaseException:
            await self.stack.aclose()
            raise
        return {"errno": "OK", "collected": sum(1 for entry in self.src if entry & MIGRATE_MIGRATE)}

    async def protection(self):
        try:
            vma = await self.device.call("find_vma", {"page": self.part["first"]})
        except Refused as refused:
            raise (failed("EINVAL") if refused.errno == "ENOENT" else refused)
        if vma["range"]["first"] > self.part["first"] or vma["prot"] == "none":
            raise failed("EINVAL")
        return vma["prot"]

    async def copy(self):
        if self.dst is not None:
            raise VerbRefused("copy: the pages are copied already")
        self.dst = await self.device.destinations(self.part["first"], self.src, self.prot)
        return {"errno": "OK", "copied": sum(1 for entry in self.dst if entry)}

    async def commit(self):
        if self.moved is not None:
            raise VerbRefused("pages: migrate_vma_pages() was called")
        if self.dst is None:
            await self.copy()
        self.moved = await self.device.commit(self.number, self.dst, self.own)
        lost = sum(1 for entry in self.dst if entry) - len(self.moved)
        return {"errno": "OK", "moved": len(self.moved), "lost": lost}

    async def map(self):
        if self.moved is None:
            raise VerbRefused("map: pages comes first")
        if self.mapped:
            raise VerbRefused("map: the pages are mapped already")
        self.mapped = True
        async with self.device.lock:
            self.device.enter(
                [
                    (page, entry // FLAGS, "write" if entry & MIGRATE_WRITE else "read")
                    for page, entry in self.moved.items()
                ]
            )
        return {"errno": "OK", "mapped": len(self.moved)}

    async def finalize(self):
        if self.moved is None:
            # Given up: nobody will take these frames any more.
            await self.device.put_frames([entry // FLAGS for entry in self.dst or [] if entry])
        await self.stack.aclose()
        return {"errno": "OK", "migrated": len(self.moved or {})}


def failed(errno):
    return Refused("driver", {"message": "", "data": {"errno": errno, "code": "driver", "definite": True}})


def pages_of(params):
    span = params.get("range")
    first, end = (span.get("first"), span.get("end")) if isinstance(span, dict) else (None, None)
    if type(first) is not int or type(end) is not int or not 0 <= first < end <= min(PAGES_MAX, first + RANGE_MAX):
        raise VerbRefused(f"range: expected {{first, end}} of 1 to {RANGE_MAX} pages")
    return first, end


def contents_of(params, count):
    """The pages that begin with the u64 of `values`."""
    values = params.get("values")
    if not isinstance(values, list) or len(values) != count:
        raise VerbRefused("values: expected one a page")
    try:
        return [struct.pack("<Q", int(value, 16)) for value in values]
    except (TypeError, ValueError, struct.error):
        raise VerbRefused("values: expected u64 as 0x-hexadecimal strings") from None


def words(pages):
    """The u64 at the start of each page."""
    return [hex(int.from_bytes(page[:8], "little")) for page in pages]


def entry_view(entry):
    if entry is None:
        return {"state": "none"}
    frame, access = entry
    return {"state": "mapped", "pfn": frame, "access": access}


def prot_of(pfn):
    if pfn & HMM_ERROR:
        return "error"
    if not pfn & HMM_VALID:
        return "none"
    kind = "zero+" if pfn & HMM_ZERO else "dev-private-local+" if pfn & HMM_PRIVATE else ""
    return f"{kind}{'write' if pfn & HMM_WRITE else 'read'}{'+pmd' if pfn & HMM_PMD else ''}"


def complain(text):
    print(f"mmrace_device.py: {text}", file=sys.stderr, flush=True)


class Client:
    """Puts a Device behind a Session: questions to tasks, a fresh device for a fresh machine, back from a fence."""

    def __init__(self, url, lab, name, take_over):
        self.name = name
        self.session = Session(
            url,
            lab,
            "device",
            name,
            asked=self.asked,
            told=self.told,
            greeted=self.greeted,
            anew=self.anew,
            take_over=take_over,
        )
        self.fences_told = self.fences_answered = 0
        self.device = None

    def greeted(self, welcome):
        self.name = welcome["actor"]
        if self.device is None:
            self.begin()
        if welcome["state"] == "fenced":
            self.fences_answered += 1
            self.device.opened.clear()  # what is performed from here on waits
            self.device.start(self.guarded(self.device.recover))

    def anew(self):
        complain("the server does not know this session any more: a new one begins")
        self.device.end()
        self.fences_told = self.fences_answered = 0
        self.begin()

    def begin(self):
        self.device = Device(self.session, self.name)
        self.device.start(self.guarded(self.device.open))

    @staticmethod
    async def guarded(work):
        try:
            await work()
        except Refused as refused:
            complain(str(refused))

    def told(self, method, params):
        if method == "page_free":
            self.device.page_free(params["pfn"])
        elif method == "going":
            self.session.ends = params.get("resumable") is not True
            self.session.for_good = params.get("forGood") is True
        elif method == "fenced":
            complain(f"fenced: {params['why']}")
            self.fences_told += 1
            if self.fences_told > self.fences_answered:
                self.session.come_back()

    def asked(self, question, method, params):
        device, session = self.device, self.session
        if method == "hold":
            if device.hold(params["after"]):
                session.answer(question, {})
            else:
                session.answer_error(question, "EAGAIN", f"{HOLDS_MAX} holds are armed; send go first")
        elif method == "go":
            session.answer(question, {})
            device.go()
        elif method == "reset":
            device.end()
            self.fences_told = self.fences_answered = 0
            session.answer(question, {})
            self.begin()
        elif method in ("invalidate", "migrate_to_ram", "release", "perform"):
            device.start(self.answered(question, getattr(device, method), params))
        else:
            session.answer_error(question, "EINVAL", f"{method}: not a question of this protocol")

    async def answered(self, question, work, params):
        try:
            self.session.answer(question, await work(params))
        except VerbRefused as refused:
            self.session.answer_error(question, "EINVAL", str(refused))
        except Refused as refused:
            self.session.answer_error(question, refused.errno, str(refused))
        except Exception as error:  # a bug of ours: whoever asked must not wait for ever
            self.session.answer_error(question, "EIO", repr(error))
            raise


async def run(arguments):
    client = Client(arguments.url, arguments.lab, arguments.name, arguments.take_over)
    session = asyncio.ensure_future(client.session.run(arguments.connect_seconds))

    def stop():
        if client.session.websocket is None:
            session.cancel()
        else:
            asyncio.ensure_future(client.session.leave())

    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop)
    try:
        await session
    except SessionOver as over:
        if over.exit_code != 0:
            complain(str(over))
        return over.exit_code
    except asyncio.CancelledError:
        return 0


def main():
    parser = argparse.ArgumentParser(description="A device for mmrace.")
    # Flags before the environment, the environment before the defaults.
    parser.add_argument("--url", default=os.environ.get("MMRACE_URL", "ws://127.0.0.1:7070/ws"))
    parser.add_argument("--lab", default=os.environ.get("MMRACE_LAB", "demo"))
    parser.add_argument("--name", default=os.environ.get("MMRACE_NAME", "py0"))
    parser.add_argument(
        "--take-over",
        action="store_true",
        help="take the name from a session that has been without a connection for a lease",
    )
    parser.add_argument("--connect-seconds", type=float, default=10, help="how long a server is waited for")
    sys.exit(asyncio.run(run(parser.parse_args())))


if __name__ == "__main__":
    main()
