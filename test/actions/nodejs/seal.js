/** Derives a key on the thread pool, seals a message with it, and signs it. */
const crypto = require("node:crypto");
const { promisify } = require("node:util");

const pbkdf2 = promisify(crypto.pbkdf2);
const scrypt = promisify(crypto.scrypt);

async function main({ password, message, rounds = 20000 }) {
  const salt = crypto.createHash("sha256").update(password).digest();
  const [key, other] = await Promise.all([
    pbkdf2(password, salt, rounds, 32, "sha512"),
    scrypt(password, salt, 32, { N: 4096 }),
  ]);
  const iv = crypto.randomBytes(12);
  const cipher = crypto.createCipheriv("aes-256-gcm", key, iv);
  const sealed = Buffer.concat([cipher.update(message, "utf8"), cipher.final()]);
  const decipher = crypto.createDecipheriv("aes-256-gcm", key, iv);
  decipher.setAuthTag(cipher.getAuthTag());
  const opened = Buffer.concat([decipher.update(sealed), decipher.final()]).toString("utf8");
  const { privateKey, publicKey } = crypto.generateKeyPairSync("ed25519");
  const signature = crypto.sign(null, sealed, privateKey);
  return {
    opened,
    fingerprint: crypto.createHash("sha256").update(key).update(other).digest("hex"),
    verified: crypto.verify(null, sealed, publicKey, signature),
    sealed: sealed.toString("base64"),
    iv: iv.toString("hex"),
    signature: signature.toString("base64"),
  };
}
