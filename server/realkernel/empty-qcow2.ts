/**
 * A disk image with nothing on it, for QEMU to write its snapshots into: a header, one table of counts, one block of
 * counts, one table of clusters. Source: QEMU docs/interop/qcow2.txt.
 */
const CLUSTER_BITS = 16;
const CLUSTER = 2 ** CLUSTER_BITS;
const VERSION = 3;
const HEADER_BYTES = 104;

/** `bytes` is the size of the disk as the guest would see it. */
export function emptyQcow2(bytes = 2 ** 20): Uint8Array {
  const image = Buffer.alloc(4 * CLUSTER);
  image.write('QFI\xfb', 'latin1');
  image.writeUInt32BE(VERSION, 4);
  image.writeUInt32BE(CLUSTER_BITS, 20);
  image.writeBigUInt64BE(BigInt(bytes), 24);
  const [countTable, counts, clusters] = [CLUSTER, 2 * CLUSTER, 3 * CLUSTER];
  image.writeUInt32BE(1, 36);
  image.writeBigUInt64BE(BigInt(clusters), 40);
  image.writeBigUInt64BE(BigInt(countTable), 48);
  image.writeUInt32BE(1, 56);
  // Counts of 16 bits.
  image.writeUInt32BE(4, 96);
  image.writeUInt32BE(HEADER_BYTES, 100);
  image.writeBigUInt64BE(BigInt(counts), countTable);
  for (let at = 0; at < 4; at += 1) image.writeUInt16BE(1, counts + 2 * at);
  return image;
}
