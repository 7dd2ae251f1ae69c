"""Seals and opens secrets, and signs them."""
import base64

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC


def main(args):
    secret = args["secret"].encode("utf-8")
    key = PBKDF2HMAC(hashes.SHA256(), 32, b"a salt of the vault", 20000).derive(args["password"].encode("utf-8"))
    sealed = AESGCM(key).encrypt(b"\x00" * 12, secret, b"header")
    try:
        AESGCM(key).decrypt(b"\x00" * 12, sealed, b"other header")
        tampered = "accepted"
    except InvalidTag:
        tampered = "refused"
    signer = Ed25519PrivateKey.from_private_bytes(key)
    token = Fernet(base64.urlsafe_b64encode(key)).encrypt(secret)
    return {
        "sealed": sealed.hex(),
        "opened": AESGCM(key).decrypt(b"\x00" * 12, sealed, b"header").decode("utf-8"),
        "tampered": tampered,
        "signature": signer.sign(secret).hex(),
        "fernet": Fernet(base64.urlsafe_b64encode(key)).decrypt(token) == secret,
        "token": token.decode(),
        "fresh": Ed25519PrivateKey.generate().private_bytes_raw().hex(),
    }
