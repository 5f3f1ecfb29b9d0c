/** For a test: starts the tiny guest in a folder, prints the number of its process, and waits to be killed. */
import { join } from 'node:path';
import { startGuest } from './qemu.ts';

const folder = process.argv[2] ?? '';
const files = { kernel: join(folder, 'tiny'), initrd: 'none' } as const;
const guest = await startGuest({ folder, files, vcpus: 2 }, 'boot');
process.stdout.write(`${guest.pid}\n`);
setInterval(() => undefined, 1_000);
