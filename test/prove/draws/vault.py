"""One value of what an OpenSSL of its own makes, which cryptography brings: imported by the action, after the rewind."""
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def draw():
    return {
        "a private key": Ed25519PrivateKey.generate().private_bytes_raw().hex(),
        "AESGCM": AESGCM.generate_key(256).hex(),
        "Fernet": Fernet.generate_key().decode(),
    }
