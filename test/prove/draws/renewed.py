"""One value of each generator whose state lies in the process's memory and is renewed."""
import email.generator
import email.mime.multipart
import email.utils
import gc
import random
import ssl
import tempfile
import uuid


def client_hello():
    """The random bytes with which a TLS connection begins."""
    answer, question = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = ssl.create_default_context().wrap_bio(answer, question, server_hostname="host")
    try:
        session.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return question.read()[11:43].hex()


def boundary():
    message = email.mime.multipart.MIMEMultipart()
    message.as_string()
    return message.get_boundary()


def every_random():
    """One value of each generator that there is, whoever keeps it; the runtime's are hidden from the collector at first."""
    gc.unfreeze()
    return [found.random() for found in gc.get_objects() if isinstance(found, random.Random)]


def draw():
    return {
        "every Random": every_random(),
        "random": random.random(),
        "gauss": random.gauss(0, 1),
        "choice": random.choices(range(1 << 60)),
        "RAND_bytes": ssl.RAND_bytes(16).hex(),
        "TLS": client_hello(),
        "email boundary": boundary(),
        "message id": email.utils.make_msgid().split(".")[2],
        "uuid1, but for the time": uuid.uuid1().hex[16:],
        "temporary name": next(tempfile._get_candidate_names()),
    }
