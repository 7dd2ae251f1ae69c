// A mark of 32 random bytes, and every form in which it may be left behind.

import { randomBytes } from "node:crypto";

const markBytes = 32;

/** As in seek/pieces.c: who searches its own memory must not find what it searches for. */
const mask = 0x5a;

/** Such bytes cannot be part of every name, or /proc does not show them as they are: the first digit 0 of a number, too. */
const isUnspeakable = (byte: number): boolean => byte < 0x10 || byte === 0x2f || byte === 0x5c;

/** What is left of a form that was half overwritten is found as long as one of these is whole; none occurs by chance. */
const pieceLengths = { bytes: 8, hex: 16, base64: 14 } as const;

interface Form {
  readonly name: string;
  readonly bytes: Buffer;
  readonly pieceBytes: number;
}

/** Masked bytes that are searched for, and the names of the forms that they are of, by number. */
export interface Pieces {
  /** For each piece: number of its form, length, bytes. */
  readonly file: Buffer;
  readonly forms: readonly string[];
}

export function freshMark(): Buffer {
  const speakable = [...randomBytes(4 * markBytes)].filter((byte) => !isUnspeakable(byte));
  return Buffer.from(speakable.slice(0, markBytes));
}

function reversed(bytes: Buffer): Buffer {
  return Buffer.from(bytes).reverse();
}

/** The digits that the mark alone decides where `before` unknown bytes precede it. */
function base64Digits(mark: Buffer, before: number, encoding: "base64" | "base64url"): string {
  const text = Buffer.concat([Buffer.alloc(before), mark]).toString(encoding);
  return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + markBytes) * 8) / 6));
}

/** As bytes, hexadecimal digits of both cases, base64 in its three alignments and two alphabets. */
function written(mark: Buffer): readonly Form[] {
  const base64 = (["base64", "base64url"] as const).flatMap((encoding) =>
    [0, 1, 2].map((before) => ({
      name: `${encoding}+${before}`,
      bytes: Buffer.from(base64Digits(mark, before, encoding)),
      pieceBytes: pieceLengths.base64,
    })),
  );
  const hex = mark.toString("hex");
  return [
    { name: "bytes", bytes: mark, pieceBytes: pieceLengths.bytes },
    { name: "hex", bytes: Buffer.from(hex), pieceBytes: pieceLengths.hex },
    { name: "HEX", bytes: Buffer.from(hex.toUpperCase()), pieceBytes: pieceLengths.hex },
    ...base64,
  ];
}

function widened({ name, bytes, pieceBytes }: Form): Form {
  const bytes16 = Buffer.from(bytes.toString("latin1"), "utf16le");
  return { name: `${name} utf-16`, bytes: bytes16, pieceBytes: 2 * pieceBytes };
}

function backwards({ name, bytes, pieceBytes }: Form): Form {
  return { name: `${name} backwards`, bytes: reversed(bytes), pieceBytes };
}

/** Every form: of the mark and of the mark reversed, in one and two bytes a digit, forwards and backwards. */
export function formsOf(mark: Buffer): readonly Form[] {
  const narrow = [
    ...written(mark),
    ...written(reversed(mark)).map((form) => ({ ...form, name: `reversed ${form.name}` })),
  ];
  const forwards = narrow.flatMap((form) => [form, widened(form)]);
  return forwards.flatMap((form) => [form, backwards(form)]);
}

export function piecesOf(mark: Buffer): Pieces {
  // Many forms are others backwards: each sequence of bytes is searched for once.
  const forms = new Map<string, Form>();
  for (const form of formsOf(mark)) {
    const key = form.bytes.toString("latin1");
    if (!forms.has(key)) forms.set(key, form);
  }
  const searched = [...forms.values()];
  const pieces = searched.flatMap(({ bytes, pieceBytes }, number) =>
    Array.from({ length: Math.floor(bytes.length / pieceBytes) }, (_, i) => {
      const piece = bytes.subarray(i * pieceBytes, (i + 1) * pieceBytes);
      return Buffer.from([number, pieceBytes, ...piece.map((byte) => byte ^ mask)]);
    }),
  );
  return { file: Buffer.concat(pieces), forms: searched.map(({ name }) => name) };
}
