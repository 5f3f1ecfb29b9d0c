/**
 * The remote serial protocol of gdb, as far as QEMU's stub needs it to drive virtual CPUs: read and write registers and
 * memory, breakpoints, and let some of the CPUs go. A CPU is a thread of the protocol, numbered from 1.
 *
 * Source: "GDB Remote Serial Protocol" in the manual of gdb; QEMU gdbstub/gdbstub.c.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A number of a virtual CPU, from 0. */
export type Vcpu = number;

/** The stub is gone: the guest has ended, or QEMU was killed. */
export class StubGone extends Error {
  constructor() {
    super('the debugger stub of QEMU has closed its connection');
    this.name = 'StubGone';
  }
}

interface Waiting {
  readonly got: (packet: string) => void;
  readonly failed: (error: Error) => void;
}

/** The address is none of the process that the CPU runs just then. */
export class NotMapped extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'NotMapped';
  }
}

export class RspClient {
  readonly #socket: Socket;
  #text = '';
  #waiting: Waiting | 'none' = 'none';
  readonly #packets: string[] = [];
  #gone: 'no' | 'yes' = 'no';
  packets = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (data) => this.#arrived(data.toString('latin1')));
    socket.on('error', () => this.#ended());
    socket.on('close', () => this.#ended());
  }

  /** Rejects: what the system says, StubGone. */
  static async connect(path: string): Promise<RspClient> {
    const socket = connect(path);
    await once(socket, 'connect');
    const client = new RspClient(socket);
    await client.ask('qSupported:swbreak+');
    await client.ask('QStartNoAckMode');
    client.#acks = 'off';
    // Without a look at the description QEMU refuses to read single registers.
    for (let at = 0, part = 'm'; part.startsWith('m'); at += 0xffb) {
      part = await client.ask(`qXfer:features:read:target.xml:${at.toString(16)},ffb`);
    }
    return client;
  }

  #acks: 'on' | 'off' = 'on';

  /** Sends a packet, and waits for the next of the stub. */
  ask(body: string): Promise<string> {
    this.send(body);
    return this.next();
  }

  send(body: string): void {
    this.packets += 1;
    let sum = 0;
    for (let at = 0; at < body.length; at += 1) sum = (sum + body.charCodeAt(at)) & 0xff;
    this.#socket.write(`$${body}#${sum.toString(16).padStart(2, '0')}`, 'latin1');
  }

  next(): Promise<string> {
    const packet = this.#packets.shift();
    if (packet !== undefined) return Promise.resolve(packet);
    if (this.#gone === 'yes') return Promise.reject(new StubGone());
    return new Promise((got, failed) => {
      this.#waiting = { got, failed };
    });
  }

  /** As ^C at a debugger: what runs stops, and a stop reply comes. */
  interrupt(): void {
    this.#socket.write('\x03', 'latin1');
  }

  /** Rejects: NotMapped. */
  async readMemory(vcpu: Vcpu, address: bigint, bytes: number): Promise<Buffer> {
    await this.#choose(vcpu);
    const parts: Buffer[] = [];
    for (let at = 0; at < bytes; at += 1_024) {
      const size = Math.min(1_024, bytes - at);
      const answer = await this.ask(`m${(address + BigInt(at)).toString(16)},${size.toString(16)}`);
      if (answer.startsWith('E'))
        throw new NotMapped(`memory at 0x${address.toString(16)}: ${answer}`);
      parts.push(Buffer.from(answer, 'hex'));
    }
    return Buffer.concat(parts);
  }

  async readU64(vcpu: Vcpu, address: bigint): Promise<bigint> {
    return (await this.readMemory(vcpu, address, 8)).readBigUInt64LE();
  }

  /** Also into text that the guest itself cannot write: the translator of QEMU follows. */
  async writeMemory(vcpu: Vcpu, address: bigint, bytes: Uint8Array): Promise<void> {
    await this.#choose(vcpu);
    const hex = Buffer.from(bytes).toString('hex');
    await this.#mustBeOk(`M${address.toString(16)},${bytes.length.toString(16)}:${hex}`);
  }

  async readRegister(vcpu: Vcpu, register: number): Promise<bigint> {
    await this.#choose(vcpu);
    const answer = await this.ask(`p${register.toString(16)}`);
    if (answer.startsWith('E')) throw new Error(`register ${register}: ${answer}`);
    return littleEndian(answer);
  }

  async writeRegister(vcpu: Vcpu, register: number, value: bigint, bytes = 8): Promise<void> {
    await this.#choose(vcpu);
    const hex = value.toString(16).padStart(bytes * 2, '0');
    const turned = hex.match(/../g)?.reverse().join('') ?? '';
    await this.#mustBeOk(`P${register.toString(16)}=${turned}`);
  }

  /** A breakpoint of the translator: no byte of the guest changes. */
  breakAt(address: bigint): Promise<void> {
    return this.#mustBeOk(`Z0,${address.toString(16)},1`);
  }

  unbreak(address: bigint): Promise<void> {
    return this.#mustBeOk(`z0,${address.toString(16)},1`);
  }

  /** Lets these CPUs run, and no other. The next packet is the stop reply. */
  letGo(vcpus: readonly Vcpu[]): void {
    this.send(`vCont${vcpus.map((vcpu) => `;c:${vcpu + 1}`).join('')}`);
  }

  /** One instruction of one CPU, without interrupts. */
  async step(vcpu: Vcpu): Promise<void> {
    await this.ask(`vCont;s:${vcpu + 1}`);
  }

  close(): void {
    this.#socket.destroy();
  }

  async #choose(vcpu: Vcpu): Promise<void> {
    await this.#mustBeOk(`Hg${vcpu + 1}`);
  }

  async #mustBeOk(body: string): Promise<void> {
    const answer = await this.ask(body);
    if (answer !== 'OK') throw new Error(`${body.split(':')[0]}: the stub says ${answer || 'no'}`);
  }

  #arrived(text: string): void {
    this.#text += text;
    for (;;) {
      const from = this.#text.indexOf('$');
      const end = this.#text.indexOf('#', from);
      if (from < 0 || end < 0 || this.#text.length < end + 3) return;
      const packet = unescaped(this.#text.slice(from + 1, end));
      this.#text = this.#text.slice(end + 3);
      if (this.#acks === 'on') this.#socket.write('+');
      const waiting = this.#waiting;
      this.#waiting = 'none';
      if (waiting === 'none') this.#packets.push(packet);
      else waiting.got(packet);
    }
  }

  #ended(): void {
    this.#gone = 'yes';
    const waiting = this.#waiting;
    this.#waiting = 'none';
    if (waiting !== 'none') waiting.failed(new StubGone());
  }
}

/** `}` escapes what would end a packet; `*` repeats the character before it. */
function unescaped(packet: string): string {
  if (!/[}*]/.test(packet)) return packet;
  let text = '';
  for (let at = 0; at < packet.length; at += 1) {
    const char = packet[at] ?? '';
    if (char === '}') {
      at += 1;
      text += String.fromCharCode(packet.charCodeAt(at) ^ 0x20);
    } else if (char === '*') {
      at += 1;
      text += (text.at(-1) ?? '').repeat(packet.charCodeAt(at) - 29);
    } else text += char;
  }
  return text;
}

function littleEndian(hex: string): bigint {
  return BigInt(`0x${hex.match(/../g)?.reverse().join('') ?? '0'}`);
}
