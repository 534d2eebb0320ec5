import { crc32 } from 'node:zlib';

/** Not found in UTF-8 text, so no payload can be taken for the start of a record. */
const MAGIC = Buffer.from([0xdc, 0x0d, 0xff, 0x01]);
const at = { length: 4, sequence: 8, crc: 14, payload: 18 } as const;

export const RECORD_HEADER_BYTES = at.payload;

/** One kept message. */
export interface StoredRecord {
  /** Counts up over the life of the folder. */
  sequence: number;
  payload: Buffer;
}

/**
 * A record as it lies in a segment, integers little endian: magic (4 bytes), length of the payload (4), sequence (6), CRC-32 of
 * length, sequence and payload (4), payload.
 * @param payload UTF-8 text
 */
export function encodeRecord(sequence: number, payload: Uint8Array): Buffer {
  const record = Buffer.alloc(at.payload + payload.length);
  MAGIC.copy(record);
  record.writeUInt32LE(payload.length, at.length);
  record.writeUIntLE(sequence, at.sequence, 6);
  record.set(payload, at.payload);
  record.writeUInt32LE(checksum(record), at.crc);
  return record;
}

/** What a segment holds. */
export interface Scan {
  records: StoredRecord[];
  /** Records that were there and cannot be read, as far as can be told: at least one for every damaged stretch. */
  damaged: number;
  /** Where the last whole record ends. */
  end: number;
}

/**
 * Finds all whole records, whatever lies between them. Never throws.
 * @param after only records with higher sequences, each higher than the one before, are taken
 */
export function scanRecords(bytes: Buffer, after = -1): Scan {
  const scan: Scan = { records: [], damaged: 0, end: 0 };
  let last = after;
  let offset = 0;
  while (offset < bytes.length) {
    const record = recordAt(bytes, offset);
    if (!record) {
      const next = bytes.indexOf(MAGIC, offset + 1);
      if (next < 0) break;
      offset = next;
      continue;
    }
    if (offset > scan.end) {
      const most = last < 0 ? 1 : record.sequence - last - 1;
      scan.damaged += Math.max(1, Math.min(most, Math.ceil((offset - scan.end) / at.payload)));
    }
    offset += at.payload + record.payload.length;
    scan.end = offset;
    if (record.sequence <= last) continue;
    last = record.sequence;
    scan.records.push(record);
  }
  if (bytes.length > scan.end) scan.damaged++;
  return scan;
}

function recordAt(bytes: Buffer, offset: number): StoredRecord | undefined {
  if (offset + at.payload > bytes.length || bytes.compare(MAGIC, 0, 4, offset, offset + 4) !== 0) return undefined;
  const end = offset + at.payload + bytes.readUInt32LE(offset + at.length);
  if (end > bytes.length) return undefined;
  const record = bytes.subarray(offset, end);
  if (record.readUInt32LE(at.crc) !== checksum(record)) return undefined;
  return { sequence: record.readUIntLE(at.sequence, 6), payload: record.subarray(at.payload) };
}

const checksum = (record: Buffer): number =>
  crc32(record.subarray(at.payload), crc32(record.subarray(at.length, at.crc)));
