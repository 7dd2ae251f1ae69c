const places = ["/tmp", "/home/action", "/dev/shm"];
const names = ["user.mark", "system.posix_acl_access"];

function leave(mark) {
  return places.flatMap((place) =>
    names.map((name) =>
      attempt("setxattr", put(`${place}\0`), put(`${name}\0`, 256), put(mark, 512), mark.length, 0),
    ),
  );
}

function read() {
  return places.map((place) => act("listxattr", put(`${place}\0`), put(Buffer.alloc(64), 256), 64));
}

module.exports = { leave, read };
