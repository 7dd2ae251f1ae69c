// Why an image is not what a lean container runs over, as a closed list.

/**
 * `absent`: nobody here has it. `unreachable`: Docker was asked and has not answered. `malformed`: it cannot be read, or not all of
 * it. `unpack`: this machine has no place for it. `unfit`: it has no interpreter that can be rewound, or one of another version.
 */
export type ImageFailure = "absent" | "unreachable" | "malformed" | "unpack" | "unfit";

/** Decide on `code`; the message names what is wrong and, where there is one, the remedy. */
export class ImageError extends Error {
  readonly code: ImageFailure;
  constructor(code: ImageFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ImageError";
    this.code = code;
  }
}
