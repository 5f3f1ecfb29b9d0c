/** A cpio archive in the "newc" form, as the kernel unpacks it. Source: Documentation/driver-api/early-userspace. */
interface Entry {
  readonly name: string;
  readonly mode: number;
  readonly content?: Uint8Array;
  /** Major and minor number of a device node. */
  readonly device?: readonly [number, number];
}

const FOLDER = 0o040755;
const PROGRAM = 0o100755;
const CHARACTER_DEVICE = 0o020600;

/** With `init` as its only program. */
export function initramfs(init: Uint8Array): Buffer {
  const entries: readonly Entry[] = [
    { name: 'dev', mode: FOLDER },
    { name: 'dev/console', mode: CHARACTER_DEVICE, device: [5, 1] },
    { name: 'proc', mode: FOLDER },
    { name: 'init', mode: PROGRAM, content: init },
    { name: 'TRAILER!!!', mode: 0 },
  ];
  return Buffer.concat(entries.map((entry, at) => archived(entry, at + 1)));
}

function archived(
  { name, mode, content = new Uint8Array(), device = [0, 0] }: Entry,
  inode: number,
) {
  const fields = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, ...device, name.length + 1, 0];
  const head = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`;
  return Buffer.concat([padded(Buffer.from(head, 'latin1')), padded(Buffer.from(content))]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
